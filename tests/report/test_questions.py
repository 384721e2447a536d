"""What the figures of docs/questions.md show, against counts by hand; and that each is drawn or refused."""

import json
import pathlib
import re
import shutil

from matplotlib import image
import numpy as np
import pandas as pd
import pytest

from medjax import config as config_lib
from medjax import errors
from medjax.data.graph import Graph
from medjax.report import collect, document
from medjax.report.figures import __main__ as command
from medjax.report.figures import arrival, gains, gradients, redundancy, strengths, trained
from medjax.saved import artifact, graph_files

WIDTHS = np.array([10, 40])


@pytest.fixture
def graph():
  """Entity 0 has 12 training triples, all others fewer; the relation is N-1."""
  train = np.array([[i, 0, 0] for i in range(1, 13)], np.int32)
  test = np.array([[13, 0, 0], [1, 0, 2], [2, 0, 0], [3, 0, 4]], np.int32)
  names = [f'e{i}' for i in range(14)]
  return Graph('hand', names, ['a/b/c'], train, test[:0], test, [name.upper() for name in names], ['a/b/c'])


@pytest.fixture
def asked(graph):
  """Four tail queries, answered by: both, the narrow one, the wide one, none; all head queries by none."""
  ranks = np.full((2, 4, 2), 99.0)
  ranks[0, :3] = [[1, 10], [3, 11], [50, 2]]
  return gains.Ranks(graph.test, ranks, WIDTHS)


def test_gained_and_lost_are_counted_by_hand(asked, graph):
  frame = gains.by_group(asked, graph).set_index(['group', 'width'])
  shares = frame[['answered', 'gained', 'lost']]
  assert shares.loc[('all', 10)].tolist() == [25, 12.5, 12.5] and shares.loc[('all', 40)].tolist() == [25, 0, 0]
  assert shares.loc[('N-1, tail', 10)].tolist() == [50, 25, 25] and shares.loc[('N-1, head', 10)].tolist() == [0, 0, 0]
  # entity 0 alone has a degree of 10 or more: it answers the tail queries 0 and 2, and is asked about in two head ones
  answers = frame[frame['kind'] == 'degree of the answer']
  assert answers.loc[('10 to 29', 10), ['queries', 'answered', 'gained', 'lost']].tolist() == [2, 50, 50, 0]
  assert answers.loc[('0 to 9', 10), 'queries'] == 6


def test_another_training_stands_in_place_of_a_narrow_width(asked, graph):
  other = asked._replace(ranks=asked.ranks[..., ::-1])
  first = gains.by_group(asked, graph, other).iloc[0]
  assert (first['group'], first['width'], first['gained'], first['lost']) == ('another training', 40, 12.5, 12.5)
  assert gains.overall(gains.by_group(asked, graph, other)).shape == (3, 5)


def test_patterns_and_examples_are_those_of_the_ranks(asked, graph):
  frame = gains.patterns(asked)
  assert dict(zip(map(tuple, frame.to_numpy()[:, :2]), frame['% of the queries'])) == {
    ('', ''): 62.5, ('', 'yes'): 12.5, ('yes', ''): 12.5, ('yes', 'yes'): 12.5
  }  # fmt: skip
  assert gains.examples(asked, graph).to_numpy().tolist() == [
    [40, 'E2, b/c, ?', 'E0', '50', '2'],
    [10, 'E1, b/c, ?', 'E2', '3', '11'],
  ]


def test_a_width_is_trained_or_a_crop_and_is_ahead_by_the_difference():
  def run(name, widths, mrr):
    results = pd.DataFrame({'width': [4, 8, 12], 'mrr': mrr}).set_index('width')
    return collect.Run(name, pathlib.Path(name), 'MED', {'model.widths': widths}, results, {})

  few, all_widths = run('few', '4,12', [0.2, 0.1, 0.5]), run('all', '4:12:4', [0.1, 0.3, 0.5])
  frame = trained.differences([few], all_widths)
  assert frame['trained'].tolist() == [True, False, True]
  assert frame['ahead'].to_numpy() == pytest.approx([0.1, -0.2, 0])


def test_a_width_arrives_where_it_first_has_its_share_of_the_last():
  frame = arrival.table({10: ([1, 2, 3, 4], [0.5, 0.97, 1.2, 1.0]), 5: ([1, 2], [0.1, 0.3])}).set_index('width')
  assert frame.index.tolist() == [5, 10] and frame['arrival'].tolist() == [2, 2]
  assert frame.loc[10, ['best', 'best_step', 'last']].tolist() == [1.2, 3, 1.0]
  assert frame['fallen'].to_numpy() == pytest.approx([0, 0.2])


@pytest.fixture
def weighted(tmp_path):
  """Saved runs without mechanisms, with fixed and with learned strengths."""
  both = {'objective.evolutionary': True, 'objective.dynamic': True}
  kinds = {'none': {}, 'fixed': both | {'objective.w3': -2.0}, 'learned': both | {'objective.weights': 'learned'}}
  for i, (name, fields) in enumerate(kinds.items()):
    folder = tmp_path / name
    folder.mkdir()
    config = config_lib.flatten(config_lib.Config()) | {'model.widths': '4,8'} | fields
    (folder / 'config.json').write_text(json.dumps(config))
    pd.DataFrame({'width': [4, 8], 'mrr': [0.1 + i, 0.2 + i]}).to_csv(folder / 'results.csv', index=False)
    (folder / 'cost.json').write_text(json.dumps({'train_seconds': 7, 'steps': 2}))
    learned = {'w1': 0.5, 'w2': 0.25, 'w3': -1.0} if name == 'learned' else {}
    (folder / 'metrics.jsonl').write_text(json.dumps({'step': 2, 'loss': 1.0} | learned) + '\n')
  return tmp_path


def test_strengths_are_those_that_a_run_ends_with(weighted):
  runs = {run.name: run for run in collect.collect(weighted)}
  assert strengths.course(runs['learned'])['w1'].tolist() == [1.0, 0.5]  # from where they start
  assert strengths.last(runs['fixed']) == {'w1': 1.0, 'w2': 1.0, 'w3': -2.0} and strengths.last(runs['none']) == {}
  assert strengths.last(runs['learned']) == {'w1': 0.5, 'w2': 0.25, 'w3': -1.0}
  assert strengths.plain(runs.values()).name == 'none'


def test_runs_without_a_learned_strength_are_refused(weighted, capsys):
  shutil.rmtree(weighted / 'learned')
  assert command.main(['strengths', str(weighted)]) == 2
  assert 'config.objective.weights=learned' in capsys.readouterr().err


def test_products_are_those_of_the_shared_components():
  rng = np.random.default_rng(0)
  grads = [[rng.normal(size=(3, 4)), rng.normal(size=(5, 4))] for _ in range(2)]
  for leaf in grads[0]:
    leaf[..., 2:] = 0  # the narrower one ends there
  gram = redundancy.products(grads, [2, 4])
  shared = [np.concatenate([leaf[..., :2].ravel() for leaf in leaves]) for leaves in grads]
  cosine = shared[0] @ shared[1] / np.linalg.norm(shared[0]) / np.linalg.norm(shared[1])
  assert redundancy.neighbours(gram) == pytest.approx([cosine])
  assert redundancy.summed(gram[0], np.ones(2)) == pytest.approx(1)
  total = shared[0] + shared[1]
  alone = shared[0] @ total / np.linalg.norm(shared[0]) / np.linalg.norm(total)
  assert redundancy.summed(gram[0], np.array([1.0, 0])) == pytest.approx(alone)


def test_gradients_count_between_one_and_all():
  assert redundancy.counting(np.ones((5, 5))) == pytest.approx(1)
  assert redundancy.counting(np.diag([1.0, 4, 9])) == pytest.approx(3)  # whatever their lengths


def test_the_gradients_of_a_run_are_those_of_the_figure_of_gradients(trained):
  frame = redundancy.tables_of_steps(trained)
  last = frame[frame['step'] == 40].set_index('width')
  assert sorted(set(frame['step'])) == [20, 40] and last['gradients'].tolist() == [3, 2, 1]
  assert last['counting'].between(1 - 1e-9, last['gradients'] + 1e-9).all()
  beside = gradients.agreement(trained).set_index('first')
  # two gradients reach the second block: how many count follows from their cosine, as the other figure tells it
  expected = 2 / (1 + beside.loc[4, 'cosine'].iloc[0] ** 2)
  assert np.isclose(frame[frame['width'] == 8]['counting'], expected, rtol=1e-4).any()
  assert frame.groupby('step')['sandwich'].last().to_numpy() == pytest.approx(1)  # the widest alone is in every sum


@pytest.fixture
def ranked(trained, tmp_path):
  """A copy of a run with ranks that are drawn."""
  folder = shutil.copytree(trained, tmp_path / 'run')
  test = graph_files.read_graph(folder, artifact.read_description(folder).source).test
  ranks = np.random.default_rng(0).integers(1, 20, (2, len(test), 3)).astype(np.float32)
  np.savez(folder / 'results-ranks.npz', triples=test, ranks=ranks, widths=[4, 8, 12])
  return folder


def test_figures_of_a_run_are_drawn_with_their_tables(ranked):
  for name, count in (('arrival', 1), ('redundancy', 2), ('gains', 4)):
    more = [str(ranked)] if name == 'gains' else []
    assert command.main([name, str(ranked), *more, f'--output={ranked / name}.png']) == 0
    assert image.imread(ranked / f'{name}.png').shape[1] > 1000
    written = sorted(ranked.glob(f'{name}*.csv'))
    assert len(written) == count and all(len(pd.read_csv(path)) for path in written)


def test_a_figure_is_the_same_again(ranked):
  pictures = [ranked / f'{i}.png' for i in range(2)]
  for picture in pictures:
    assert command.main(['gains', str(ranked), f'--output={picture}']) == 0
  assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_figures_of_folders_are_drawn_of_several(weighted, capsys):
  for name in ('strengths', 'trained'):
    assert command.main([name, str(weighted), f'--output={weighted / name}.png']) == 0
    assert image.imread(weighted / f'{name}.png').shape[1] > 1000
  frame = pd.read_csv(weighted / 'strengths.csv').set_index('run')
  assert frame.loc['learned', 'w3 at the end'] == -1 and np.isnan(frame.loc['none', 'w1 at the end'])
  assert frame.loc['fixed', 'MRR at 8'] == 1.2


def test_what_cannot_be_told_is_refused(ranked, capsys):
  (ranked / 'metrics.jsonl').write_text('')
  (ranked / 'manifest.json').unlink()
  assert command.main(['arrival', str(ranked)]) == 2 and '--config.eval.every' in capsys.readouterr().err
  with pytest.raises(SystemExit):
    command.main(['arrival', str(ranked), str(ranked)])
  shutil.rmtree(ranked / 'checkpoints')
  with pytest.raises(errors.NothingSaved, match='checkpoints'):
    redundancy.draw(ranked, ranked / 'a.png')


def test_the_page_shows_what_is_saved(repository, tmp_path):
  docs = repository / 'docs'
  for name in ('runs', 'figures', 'benchmarks'):
    (tmp_path / name).symlink_to(docs / name)
  page = tmp_path / 'questions.md'
  page.write_text(re.sub(r'( -->\n).*?(<!-- end -->)', r'\1\2', (docs / 'questions.md').read_text(), flags=re.DOTALL))
  document.fill(page)
  assert page.read_text() == (docs / 'questions.md').read_text()
