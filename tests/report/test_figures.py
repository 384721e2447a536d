"""What figures show, against counts by hand; and that each is drawn, the same again, or refused in one line."""

import dataclasses
import shutil

from matplotlib import image
import numpy as np
import pandas as pd
import pytest

from medjax import cli, errors
from medjax.experiments import commands, evaluating, runs
from medjax.report import collect
from medjax.report.figures import __main__ as command
from medjax.report.figures import curves, embeddings, gradients, overlap, sub_models, weights


@pytest.fixture(scope='module')
def folder(trained, tiny_config, tmp_path_factory):
  """Runs of three and of two sub-models, an extracted model, and the ranks of the first."""
  root = tmp_path_factory.mktemp('folder')
  shutil.copytree(trained, root / 'three')
  evaluating.evaluate(root / 'three', ranks=True)
  runs.train(tiny_config({'model.widths': '4,12'}), root / 'two')
  commands.extract(root / 'three', 'value', None, root / 'extracted')
  return root


def test_ranks_are_those_of_the_results(folder):
  ranks, widths = overlap.read_ranks(folder / 'three')
  run = next(run for run in collect.collect(folder) if run.name == 'three')
  assert widths.tolist() == [4, 8, 12] and ranks.shape[0] == 2
  np.testing.assert_allclose((1 / ranks.astype(np.float64)).mean((0, 1)), run.results['mrr'], rtol=1e-12)


def test_shares_of_queries_are_counted_by_hand():
  # five queries, top 2; width 0 answers a, b, c; width 1 answers b, c, d
  ranks = np.array([[1, 3], [2, 2], [1.5, 1], [4, 2], [9, 9]])
  kept, added = overlap.shares(ranks, top=2)
  assert kept[0, 1] == pytest.approx(2 / 3) and added[0, 1] == pytest.approx(1 / 5)
  np.testing.assert_array_equal(np.diag(kept), 1)


@pytest.mark.parametrize('worst', [5, 99])
def test_shares_are_drawn_where_some_or_all_widths_answer_nothing(tmp_path, worst):
  ranks = np.full((2, 3, 3), 99, np.float32)
  ranks[..., 1:] = worst
  np.savez_compressed(tmp_path / 'results-ranks.npz', ranks=ranks, widths=[4, 8, 12])
  overlap.draw(tmp_path, tmp_path / 'a.png')
  assert image.imread(tmp_path / 'a.png').shape[1] > 600


def test_shares_of_no_queries_are_refused(tmp_path):
  np.savez_compressed(tmp_path / 'results-ranks.npz', ranks=np.zeros((2, 0, 3)), widths=[4, 8, 12])
  with pytest.raises(errors.NothingSaved, match='no triples to rank'):
    overlap.draw(tmp_path, tmp_path / 'a.png')


def test_the_effective_share_of_even_and_of_lone_weights():
  even, lone = np.full((4, 1), 0.25), np.array([[1.0], [0], [0], [0]])
  assert weights.effective_share(even, 0, 4)[0] == pytest.approx(1)
  assert weights.effective_share(lone, 0, 4)[0] == pytest.approx(0.25)


def test_gradients_agree_with_themselves_and_lie_on_shared_blocks(folder):
  frame = gradients.agreement(folder / 'three')
  blocks = {(row.width, row.first, row.last) for row in frame.itertuples()}
  # the last block is the widest sub-model's alone: there is nothing to agree with
  assert blocks == {(4, 0, 4), (8, 0, 4), (12, 0, 4), (8, 4, 8), (12, 4, 8)}
  assert frame['cosine'].between(-1, 1).all()
  second = frame[(frame['first'] == 4)]['cosine']
  assert second.iloc[0] == pytest.approx(second.iloc[1], rel=1e-5)  # of two, each is the other's rest
  with pytest.raises(errors.NothingSaved):
    gradients.agreement(folder / 'extracted')


def test_shares_of_a_run_cover_its_checkpoints_and_widths(trained):
  frame = weights.shares(trained)
  assert frame['width'].unique().tolist() == [4, 8, 12] and frame['step'].max() == 40
  assert frame['positive_share'].to_numpy() == pytest.approx(1)  # without evolutionary improvement
  assert frame['negative_share'].between(1 / 4, 1 + 1e-6).all()


def test_curves_are_those_of_the_metrics(trained):
  found = curves.series(trained, 'valid_mrr_by_width')
  assert list(found) == [4, 8, 12] and found[4][0] == [20, 40]


def test_rows_of_another_objective_do_not_count_as_numbers_of_sub_models(folder):
  found = collect.collect(folder)
  other = [
    dataclasses.replace(run, fields=run.fields | {'objective.mutual': False}) for run in found if run.name == 'three'
  ]
  rows = collect.rows(found + other + found)  # a majority of runs tells what is usual
  assert {count for count, _ in sub_models.series(rows)} == {2, 3}
  assert not any('mutual' in row.label for _, row in sub_models.series(rows))


def test_widths_that_are_only_evaluated_are_no_sub_models(folder):
  narrower = lambda results: results.iloc[:1].rename({results.index[0]: 1})
  found = [
    dataclasses.replace(run, results=pd.concat([run.results, narrower(run.results)])) for run in collect.collect(folder)
  ]
  assert {count for count, _ in sub_models.series(collect.rows(found))} == {2, 3}


def test_principal_components_are_those_of_the_covariance():
  rows = np.random.default_rng(0).normal(size=(50, 4)) * [5, 3, 1, 0.1]
  values = np.linalg.eigvalsh(np.cov(rows.T))[::-1]
  np.testing.assert_allclose(embeddings.pca(rows).var(0, ddof=1), values[:2])


def test_a_turned_layout_lies_on_the_other():
  layout = np.random.default_rng(0).normal(size=(9, 2))
  other = 3 * layout @ np.array([[0, 1], [1, 0]]) + 7
  np.testing.assert_allclose(embeddings.turned(other, layout), embeddings.turned(layout, layout), atol=1e-12)


@pytest.mark.parametrize(
  'name, place',
  [
    ('quality', ''),
    ('sub-models', ''),
    ('overlap', 'three'),
    ('embeddings', 'three'),
    ('curves', 'three'),
    ('weights', 'three'),
  ],
)
def test_every_figure_is_drawn_by_one_command_and_the_same_again(folder, tmp_path, name, place):
  for output in ('a.png', 'b.png'):
    assert command.main([name, str(folder / place), f'--output={tmp_path / output}']) == 0
  assert (tmp_path / 'a.png').read_bytes() == (tmp_path / 'b.png').read_bytes()
  picture = image.imread(tmp_path / 'a.png')
  assert picture.shape[1] > 600 and 0.5 < picture[..., :3].mean() < 0.999


@pytest.mark.parametrize(
  'name, place, says',
  [
    ('overlap', 'two', '--mode=evaluate --ranks'),
    ('weights', 'extracted', 'train.keep'),
    ('curves', 'extracted', 'train in that folder'),
    ('quality', 'three/checkpoints', 'no saved results'),
    ('embeddings', 'nowhere', 'model.json'),
  ],
)
def test_what_is_missing_is_named(folder, capsys, name, place, says):
  assert command.main([name, str(folder / place)]) == 2
  error = capsys.readouterr().err
  assert error.startswith('error: ') and says in error


def test_report_mode_writes_tables_and_figures(folder, tiny_config, tmp_path, capsys):
  assert cli.run('report', tiny_config(), str(folder), {'output': str(tmp_path / 'out'), 'widths': '4,12'}) == 0
  page = (tmp_path / 'out' / 'report.md').read_text()
  assert '| method | 4 | 12 | remarks |' in page and 'Ext-V' in page
  for name in page.split('](')[1:]:
    assert (tmp_path / 'out' / name.partition(')')[0]).exists()
  assert (tmp_path / 'out' / 'figures' / 'overlap-three.png').exists()
