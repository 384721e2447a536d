"""All applications of a small shop by one command, which does nothing twice."""

import numpy as np
import pandas as pd
import pytest

import medjax
from medjax import cli, errors
from medjax.applications import (
  baselines,
  command,
  completion,
  labelling,
  metrics,
  ranker,
  recommendation,
  results,
  settings,
  split,
  trainings,
)
from medjax.experiments import study
from medjax.report import applications as report

FAST = {
  'model.score': 'distmult',
  'model.widths': '4,8',
  'train.steps': 10,
  'train.steps_per_dispatch': 5,
  'train.batch': 64,
  'train.negatives': 16,
  'train.share_negatives': 64,
}


def small():
  given = settings.Applications('small', 'market', '1000', searched=(8,), seeds=(0,), distilled=('bkd',), most_users=40)
  for field, value in FAST.items():
    settings.config_lib.put(given.base, field, value)
  given.grid = [{'train.learning_rate': rate} for rate in (0.1, 0.2)]
  given.student = {
    'objective.loss': 'logsigmoid',
    'objective.regularizer': 'none',
    'train.sparse_updates': False,
    'train.weigh_negatives': False,
  }
  return given


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """(workdir, results) of the command, whose searches are short."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(baselines, 'NEAREST', (5,))
    patch.setattr(
      baselines,
      'GRIDS',
      {
        'BPR-MF': {'learning_rate': (0.05,), 'regularization': (0.01,), 'iterations': (2,)},
        'ALS': {'regularization': (0.1, 1.0), 'alpha': (1.0,), 'iterations': (2,)},
      },
    )
    patch.setattr(ranker, 'ROUND', 5)
    patch.setattr(ranker, 'ROUNDS', 1)
    patch.setattr(ranker, 'RATES', (1e-2,))
    patch.setattr(metrics, 'DRAWS', 20)
    patch.setattr(labelling, 'ITERATIONS', 5)
    workdir = tmp_path_factory.mktemp('apps') / 'run'
    yield workdir, command.run(small(), workdir)


def test_every_method_is_measured_in_its_places(run):
  _, found = run
  assert list(found.columns) == list(results.COLUMNS)
  widths = lambda part: {method: sorted(set(rows['width'])) for method, rows in part.groupby('method')}
  models = {'MED': [4, 8], 'DT': [4, 8]} | {name: [4] for name in ('Ext-L', 'Ext-V', 'Ext-random', 'BKD')}
  assert widths(found[found['application'] == 'completion']) == models
  assert widths(found[found['application'] == 'labelling']) == models | {'majority': [0], 'liked items': [4, 8]}
  others = {'popularity': [0], 'item-kNN': [0], 'BPR-MF': [4, 8], 'ALS': [4, 8]}
  rankers = {'MED + ranker': [4, 8], 'DT + ranker': [4, 8]}
  of_items = found[found['application'] == 'recommendation']
  assert widths(of_items) == models | others | rankers
  assert not found.duplicated(['application', 'method', 'width', 'seed', 'metric']).any()
  assert found['value'].between(0, 1).all() and (of_items['ms'] > 0).all() and (of_items['bytes'] > 0).all()


def test_a_crop_weighs_what_its_file_does(run, tmp_path):
  workdir, found = run
  folder = workdir / 'trainings' / 'med'
  (chosen,) = {path.parent for path in folder.glob('*/results-ranks.npz')}
  medjax.crop(chosen, width=4, output=tmp_path / 'crop')
  rows = found[(found['method'] == 'MED') & (found['width'] == 4)]
  assert set(rows['bytes']) == {(tmp_path / 'crop' / 'model.safetensors').stat().st_size}


def test_the_search_takes_what_validation_prefers(run):
  search = pd.read_csv(run[0] / 'search.csv')
  assert sorted(search['arm']) == ['direct-8', 'direct-8', 'med', 'med']
  for _, rows in search.groupby('arm'):
    assert rows['merit'][rows['chosen']].tolist() == [rows['merit'].max()]
  points = trainings.chosen(search, small())
  assert points['direct-4'] == points['direct-8'] and set(points) == {'med', 'direct-4', 'direct-8'}


def test_facts_are_judged_as_the_evaluator_does(run):
  workdir, found = run
  (folder,) = (workdir / 'trainings' / 'direct-4').iterdir()
  graph = medjax.load(folder).graph
  mine = {one.metric: one.value for one in completion.evaluate(folder, graph, 4)}
  for relation in ('category', 'likes'):
    theirs = medjax.evaluate(folder, relation=relation).set_index('width').loc[4]
    assert mine[f'relation {relation} MRR'] == pytest.approx(theirs['mrr'], abs=1e-6)
    assert mine[f'relation {relation} Hits@10'] == pytest.approx(theirs['hits10'], abs=1e-6)
  facts = [name for name in graph.relations if f'relation {name} MRR' in mine and name != 'likes']
  counts = [(graph.test[:, 1] == list(graph.relations).index(name)).sum() for name in facts]
  mean = np.average([mine[f'relation {name} MRR'] for name in facts], weights=counts)
  assert mine['facts MRR'] == pytest.approx(mean)


def test_items_are_scored_as_the_model_scores_them(run):
  shop = settings.read(small())
  (folder,) = (run[0] / 'trainings' / 'direct-4').iterdir()
  model, users = medjax.load(folder), np.array([0, 5, 700])
  known = np.isin(shop.items.index, model.entities.identifiers)
  found = recommendation.by_relation(model, shop)(users)
  for row, user in enumerate(shop.users.index[users]):
    expected = model.score([user] * known.sum(), 'likes', list(shop.items.index[known]))
    np.testing.assert_allclose(found[row, known], expected, rtol=1e-4, atol=1e-5)
  assert (found[:, ~known] == -np.inf).all()


def test_no_training_knows_a_label_that_is_asked_for(run):
  shop = settings.read(small())
  users = split.make(shop, small().split).users
  hidden = {*users['valid'], *users['test']}
  folders = [path.parent for path in (run[0] / 'trainings').rglob('config.json')]
  assert len(folders) == 6  # two points of med and of direct-8, one of direct-4, a student
  for folder in folders:
    graph = medjax.load(folder).graph
    labels = np.isin(graph.train[:, 1], [list(graph.relations).index(name) for name in shop.labels])
    assert labels.any() and not {graph.entities[i] for i in graph.train[labels, 0]} & hidden


def test_what_is_there_is_not_made_again(run, monkeypatch):
  workdir, found = run
  for module, name in ((study.runs, 'train'), (command, 'measured'), (command.trainings.commands, 'extract')):
    monkeypatch.setattr(module, name, lambda *_: pytest.fail('made again'))
  monkeypatch.setattr(baselines, 'factors', lambda *_: pytest.fail('tuned again'))
  again = command.run(small(), workdir)
  pd.testing.assert_frame_equal(again, found)


def test_the_report_has_tables_and_a_picture(run):
  workdir, found = run
  text = (workdir / 'report.md').read_text()
  assert (workdir / 'report.png').read_bytes().startswith(b'\x89PNG')
  for metric in ('mean accuracy', 'NDCG@5', 'facts MRR'):
    header, rows = report.metric_table(found, metric)
    assert header[0] == metric and report.tables.markdown(header, rows) in text
  header, rows = report.metric_table(found, 'NDCG@5')
  assert header == ['NDCG@5', 'any', '4', '8', 'seeds']
  assert [row[0] for row in rows][:2] == ['popularity', 'item-kNN'] and rows[0][2:4] == ['', '']


def test_a_method_stands_beside_another_by_all_its_seeds():
  rows = [
    ('MED', 4, [0.4, 0.5], 'DT', [0.2, 0.3]),
    ('MED', 8, [0.2, 0.4], 'DT', [0.3, 0.3]),
    ('MED', 16, [0.1, 0.1], 'DT', [0.2, 0.2]),
    ('MED', 32, [0.3], 'DT', [0.2]),
  ]
  found = pd.DataFrame(
    [
      {'method': method, 'width': width, 'metric': 'NDCG@5', 'seed': seed, 'value': value}
      for ours, width, of_ours, other, of_other in rows
      for method, values in ((ours, of_ours), (other, of_other))
      for seed, value in enumerate(values)
    ]
  )
  header, (row,) = report.beside_table(found, 'MED', 'DT', ('NDCG@5', 'facts MRR'))
  assert header == ['MED : DT', '4', '8', '16', '32']
  assert row == ['NDCG@5', '1.80 ahead', '1.00 level', '0.50 behind', '1.50']


@pytest.mark.parametrize(
  'changes, words',
  [
    ({'reader': 'csv'}, ["reader is 'csv'", 'movielens']),
    ({'data': 'many'}, ["data is 'many'", 'number of users']),
    ({'seeds': ()}, ['seeds is empty']),
    ({'searched': (10,)}, ['searched has 10', '4,8']),
    ({'extracted': ('size',)}, ["extracted has 'size'", 'value']),
    ({'most_users': 0}, ['most_users is 0']),
    ({'grid': [{'train.rate': 1}]}, ['train.rate']),
  ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_trained(changes, words, tmp_path, capsys):
  given = small()
  for name, value in changes.items():
    setattr(given, name, value)
  assert cli.run('application', given, str(tmp_path / 'run'), {}) == 2
  said = capsys.readouterr().err
  assert all(word in said for word in words) and not (tmp_path / 'run' / 'trainings').exists()


def test_a_mode_and_a_configuration_belong_together(tiny_config):
  with pytest.raises(errors.UsageError, match='--mode=application'):
    cli.check_command('application', tiny_config(), {}, [])
  with pytest.raises(errors.UsageError, match='configs/applications'):
    cli.check_command('train', small(), {}, [])
