"""Evaluations of other triples than those of a split, and of crops without triples."""

import numpy as np
import pandas as pd
import pytest

import medjax
from medjax import cli, errors
from medjax import config as config_lib
from medjax.data import datasets, triples
from medjax.experiments import asked, commands, evaluating, runs
from medjax.saved import graph_files


@pytest.fixture(scope='module')
def small(trained, tmp_path_factory):
  """A crop without triples."""
  folder = tmp_path_factory.mktemp('asked') / 'small'
  commands.crop(trained, 8, folder)
  return folder


@pytest.fixture(scope='module')
def model(trained):
  return medjax.load(trained)


def metrics(frame):
  return frame.set_index('width')[['mrr', 'hits1', 'hits3', 'hits10', 'mr', 'amri']]


def up_to_8(trained):
  return metrics(pd.read_csv(trained / 'results.csv').query('width <= 8'))


def rows_of(own_data, split):
  return [line.split('\t') for line in (own_data / f'{split}.tsv').read_text().splitlines()]


def test_the_test_triples_as_a_file_have_the_results_of_the_split(trained, own_data, capsys):
  results = evaluating.evaluate(trained, triples=own_data / 'test.tsv')
  pd.testing.assert_frame_equal(metrics(results), metrics(pd.read_csv(trained / 'results.csv')))
  assert '\ntest.tsv: 10 triples' in capsys.readouterr().out
  assert (trained / 'results-triples-test.tsv.csv').exists() and (trained / 'results-triples-test.tsv.png').exists()


def test_ranks_of_other_triples_are_those_of_a_slow_count(model, trained, tmp_path):
  wanted = [('e00', 'next', 'e05'), ('e00', 'next', 'e07'), ('e03', 'third', 'e06')]
  (tmp_path / 'mine.csv').write_text('head,relation,tail\n' + ''.join(','.join(row) + '\n' for row in wanted))
  results = evaluating.evaluate(trained, triples=tmp_path / 'mine.csv', ranks=True)
  ids = [[model.entities.find(h), model.relations.find(r), model.entities.find(t)] for h, r, t in wanted]
  known = {tuple(row) for row in np.concatenate([*model.graph.splits, ids]).tolist()}
  inverse = []
  for h, r, t in ids:
    scores = np.asarray(model.score_all('tail', h, r), np.float64)
    rivals = [scores[e] for e in range(len(scores)) if (h, r, e) not in known]
    inverse.append(1 / (1 + np.sum(np.array(rivals) > scores[t])))
    scores = np.asarray(model.score_all('head', t, r), np.float64)
    rivals = [scores[e] for e in range(len(scores)) if (e, r, t) not in known]
    inverse.append(1 / (1 + np.sum(np.array(rivals) > scores[h])))
  assert metrics(results)['mrr'][12] == pytest.approx(np.mean(inverse))


def test_the_training_triples_are_ranked(trained, own_data, capsys):
  results = evaluating.evaluate(trained, 'train')
  assert f'train: {len(rows_of(own_data, "train"))} triples' in capsys.readouterr().out
  assert (results['mrr'].iloc[-1] > pd.read_csv(trained / 'results.csv')['mrr'].iloc[-1]) and (
    trained / 'results-train.csv'
  ).exists()


def test_relations_split_the_results_of_all(trained, own_data, capsys):
  names = ('next', 'third', 'mirror')
  each = [evaluating.evaluate(trained, 'train', relation=name) for name in names]
  numbers = [sum(row[1] == name for row in rows_of(own_data, 'train')) for name in names]
  together = sum(number * frame['mrr'] for number, frame in zip(numbers, each)) / sum(numbers)
  np.testing.assert_allclose(together, evaluating.evaluate(trained, 'train')['mrr'])
  assert (trained / 'results-train-relation-mirror.csv').exists()
  with pytest.raises(errors.UnknownLabel, match="no relation 'nxt'; near it: 'next'"):
    evaluating.evaluate(trained, relation='nxt')


def test_no_triple_of_a_relation_is_told(trained, tmp_path, capsys):
  (tmp_path / 'mine.tsv').write_text('e00\tnext\te05\n')
  results = evaluating.evaluate(trained, triples=tmp_path / 'mine.tsv', relation='third')
  assert 'no triples to rank: there are none of that relation' in capsys.readouterr().out
  assert results['mrr'].isna().all()


@pytest.mark.parametrize(
  'text, says',
  [
    ('e00\tnext\te01\ne00\tnext\te999\n', r"mine.tsv, line 2: .*no entity 'e999'.*Correct the name"),
    ('e00\tnext\te01\ne00\tnxt\te01\n', r"mine.tsv, line 2: .*no relation 'nxt'; near it: 'next'"),
    ('', 'mine.tsv'),
  ],
)
def test_a_file_that_names_what_the_model_does_not_know_is_refused(trained, tmp_path, text, says):
  (tmp_path / 'mine.tsv').write_text(text)
  with pytest.raises(errors.DataError, match=says):
    evaluating.evaluate(trained, triples=tmp_path / 'mine.tsv')


def test_labels_are_names_too(tiny_config, tmp_path):
  runs.train(tiny_config({'data.path': '', 'data.name': 'world', 'train.steps': 1, 'eval.every': 0}), tmp_path / 'run')
  model = medjax.load(tmp_path / 'run', 4)
  rows = model.graph.test[:5]
  label = lambda row: '\t'.join(
    [model.entities.labels[row[0]], model.relations.labels[row[1]], model.entities.labels[row[2]]]
  )
  (tmp_path / 'mine.tsv').write_text(''.join(label(row) + '\n' for row in rows))
  np.testing.assert_array_equal(asked.read_triples(model, tmp_path / 'mine.tsv'), rows)


def test_a_crop_goes_without_triples_and_says_so(small, trained, capsys):
  assert not (small / 'triples.npz').exists()
  model, run = medjax.load(small), medjax.load(trained, 8)
  assert not model.has_triples and model.graph.entities == run.graph.entities
  told = model.predict_tails('e00', 'next', k=5)
  assert told.columns.tolist() == ['label', 'score', 'rank']
  pd.testing.assert_frame_equal(told, run.predict_tails('e00', 'next', k=5)[told.columns])
  with pytest.raises(errors.UsageError, match='carries no triples'):
    model.predict_tails('e00', 'next', filter_known=True)
  with pytest.raises(errors.UsageError, match=r'--config\.data\.path=FOLDER.*--triples=FILE.*--with_triples'):
    evaluating.evaluate(small)


def test_a_crop_of_such_a_crop_and_an_extraction_tell_what_they_lack(small, tmp_path):
  commands.crop(small, 4, tmp_path / 'four')
  assert medjax.load(tmp_path / 'four').width == 4
  with pytest.raises(errors.UsageError, match='--with_triples: .* carries none'):
    commands.crop(small, 4, tmp_path / 'more', with_triples=True)
  with pytest.raises(errors.UsageError, match='carries no triples'):
    commands.extract(small, 'value', '4,8', tmp_path / 'extracted')


def test_a_crop_without_triples_is_evaluated_on_named_data(small, trained, own_data, tiny_config):
  config = tiny_config()
  assert cli.run('evaluate', config, str(small), {}, ['config.data.path']) == 0
  results = pd.read_csv(small / f'results-data-{own_data.name}.csv')
  pd.testing.assert_frame_equal(metrics(results), up_to_8(trained))
  assert cli.run('evaluate', config, str(small), {}) == 2  # no field was named
  assert cli.run('evaluate', config, str(small), {}, ['config.eval.batch']) == 2


def test_a_crop_without_triples_is_evaluated_on_a_file(small, trained, own_data):
  alone = evaluating.evaluate(small, triples=own_data / 'test.tsv')
  detail = pd.read_csv(small / 'results-triples-test.tsv-detail.csv')
  assert detail.query('category != "all"')['queries'].sum() == 0  # nothing tells the categories of relations
  filtered = evaluating.evaluate(small, triples=own_data / 'test.tsv', data=config_lib.DataConfig(path=str(own_data)))
  pd.testing.assert_frame_equal(metrics(filtered), up_to_8(trained))
  assert (metrics(alone)['mr'] >= metrics(filtered)['mr']).all()


def test_fields_may_tell_how_a_file_is_laid_out_alone(trained, own_data, tiny_config, tmp_path):
  (tmp_path / 'turned.tsv').write_text(''.join('\t'.join(row[::-1]) + '\n' for row in rows_of(own_data, 'test')))
  config = tiny_config({'data.columns': 'trh', 'data.path': '', 'data.name': 'world'})
  flags = {'triples': str(tmp_path / 'turned.tsv')}
  assert cli.run('evaluate', config, str(trained), flags, ['config.data.columns']) == 0
  results = pd.read_csv(trained / 'results-triples-turned.tsv.csv')
  pd.testing.assert_frame_equal(metrics(results), metrics(pd.read_csv(trained / 'results.csv')))


def test_a_graph_with_other_ids_is_asked_in_those_of_the_model(model, own_data, tmp_path):
  for split in ('train', 'valid', 'test'):
    rows = rows_of(own_data, split)
    if split == 'train':
      rows += [['aaa', 'before', 'e00'], ['e00', 'next', 'aaa']]
    (tmp_path / f'{split}.tsv').write_text(''.join('\t'.join(row) + '\n' for row in rows))
  other = triples.read_folder(tmp_path)
  assert other.entities != model.graph.entities
  found = asked.in_ids_of(model.graph, other, 'test')
  for split in ('train', 'valid', 'test'):
    np.testing.assert_array_equal(getattr(found, split), getattr(model.graph, split))
  with pytest.raises(errors.DataError, match='2 of .* train triples name .*does not know, such as .*aaa'):
    asked.in_ids_of(model.graph, other, 'train')


def test_published_candidates_belong_to_a_split(trained, own_data):
  with pytest.raises(errors.DataError, match='brings no candidates for the triples of test.tsv'):
    evaluating.evaluate(trained, triples=own_data / 'test.tsv', candidates=-1)
  assert evaluating.evaluate(trained, triples=own_data / 'test.tsv', candidates=5)['mrr'].notna().all()


def test_a_prepared_graph_is_left_out_of_a_crop_too(trained, own_data, tiny_config, tmp_path):
  datasets.prepare(tiny_config().data, tmp_path / 'store')
  runs.train(tiny_config({'data.path': str(tmp_path / 'store'), 'train.steps': 5, 'eval.every': 0}), tmp_path / 'run')
  commands.crop(tmp_path / 'run', 4, tmp_path / 'small')
  assert graph_files.read_reference(tmp_path / 'small') is None
  (tmp_path / 'store').rename(tmp_path / 'gone')
  assert medjax.load(tmp_path / 'small').predict_tails('e00', 'next', k=3)['label'].notna().all()
  results = evaluating.evaluate(tmp_path / 'small', data=config_lib.DataConfig(path=str(tmp_path / 'gone')))
  assert results['mrr'].notna().all()


def test_a_run_without_its_triples_is_damaged(trained, tmp_path):
  for name in ('entities.tsv', 'relations.tsv', 'notes.txt', 'model.json', 'config.json'):
    (tmp_path / name).write_bytes((trained / name).read_bytes())
  with pytest.raises(errors.ArtifactError, match=r'triples\.npz is missing'):
    medjax.load(tmp_path)
