"""Trackers: each is told everything once, in runs that go on too, and none can end a training."""

import json
import shutil
import sys
import types

import pytest

from medjax import config as config_lib
from medjax import errors
from medjax.experiments import api, runs
from medjax.report import metrics
from medjax.report.trackers import following, mlflow, names

LINES = [(10, {'loss': 1.0, 'width_loss/4': 2.0}), (10, {'valid_mrr': 0.1}), (20, {'loss': 0.5}), (30, {'loss': 0.4})]


class Fake:
  """A tracker that notes what it is told; `fails` at these steps."""

  rewinds, place = False, ''

  def __init__(self, start, run='first', fails=()):
    self.run, self.start, self.fails, self.told, self.failed = start.run or run, start, fails, [], None

  def log(self, step, values):
    if step in self.fails:
      raise ConnectionError('nobody\nanswers')
    self.told.append((step, dict(values)))

  def close(self, failed):
    self.failed = failed


@pytest.fixture
def follow(tmp_path):
  """A function that tells a new Fake some lines, after others that were before; returns it."""

  def tell(lines, step=0, history=(), name='fake', **options):
    made = []
    opener = lambda start: made.append(Fake(start, **options)) or made[-1]
    with following.Following({name: opener}, config_lib.Config(), tmp_path) as followers:
      followers.begin(step, history)
      for line in lines:
        followers.log(*line)
    return made[0]

  return tell


def test_a_resumed_run_is_the_same_and_tells_no_line_twice(follow):
  first = follow(LINES)
  assert first.told == LINES and first.start.run == '' and first.failed is False
  again = follow([*LINES[2:], (40, {'loss': 0.3})], step=10, history=LINES[:2])  # two lines since the checkpoint
  assert again.told == [(40, {'loss': 0.3})] and (again.start.run, again.start.step) == ('first', 10)


def test_a_line_that_was_cut_off_behind_another_of_its_step_is_told(follow):
  follow(LINES[:1])
  assert follow(LINES[:3]).told == LINES[1:3]


def test_a_tracker_that_is_added_later_is_told_what_was_before(follow):
  follow(LINES[:2])
  assert follow(LINES[2:], step=10, history=LINES[:2], name='another').told == LINES


def test_a_tracker_that_lost_the_run_begins_another_with_all_of_it(follow, tmp_path):
  follow(LINES[:3])
  (tmp_path / following.FILE).write_text((tmp_path / following.FILE).read_text().replace('"first"', '"lost"'))

  class Forgetful(Fake):
    def __init__(self, start):
      super().__init__(start._replace(run=''), run='second')

  made = []
  with following.Following({'fake': lambda start: made.append(Forgetful(start)) or made[-1]}, None, tmp_path) as each:
    each.begin(20, LINES[:3])
    each.log(*LINES[3])
  assert made[0].told == LINES
  assert json.loads((tmp_path / following.FILE).read_text())['fake']['run'] == 'second'


def test_a_failing_tracker_is_one_warning_and_told_later(follow, capsys):
  first = follow(LINES, fails=(20,))
  assert first.told == LINES[:2]
  said = capsys.readouterr().err
  assert said.count('warning') == 1 and said.count('\n') == 1 and 'ConnectionError: nobody answers' in said
  assert follow([], step=30, history=LINES).told == LINES[2:]


def test_a_tracker_that_cannot_be_opened_or_closed_is_a_warning(tmp_path, capsys):
  def refuse(*_):
    raise RuntimeError('no key')

  opened = type('Stuck', (Fake,), {'close': refuse})
  with following.Following({'one': refuse, 'two': opened}, None, tmp_path) as followers:
    followers.begin(0)
    followers.log(*LINES[0])
  assert capsys.readouterr().err.count('warning: the tracker') == 2


def test_a_damaged_record_begins_new_runs(follow, tmp_path, capsys):
  (tmp_path / following.FILE).write_text('{"fake')
  assert follow(LINES[:1]).told == LINES[:1] and 'damaged' in capsys.readouterr().err


def test_a_run_is_called_as_its_configuration_and_its_folder(tmp_path):
  name = lambda folder: following.Start(config_lib.Config(name='own'), tmp_path / folder, 0, '').name
  assert (name('own'), name('rate=1-seed0')) == ('own', 'own (rate=1-seed0)')


def configured(tracker):
  config = config_lib.Config(name='a name')
  config.train.tracker = tracker
  return config


def test_names_are_found(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  monkeypatch.setattr(sys, 'path', [*sys.path])
  (tmp_path / 'my_tracker.py').write_text('told = []\n\ndef tell(step, values):\n  told.append((step, values))\n')
  assert set(names.find(configured('tensorboard, my_tracker:tell'))) == {'tensorboard', 'my_tracker:tell'}
  assert names.find(configured('')) == {} and set(names.find(configured(''), print)) == {'function'}
  for tracker, words in (
    ('my_tracker:nothing', 'AttributeError'),
    ('nowhere_at_all:tell', 'ModuleNotFoundError'),
    ('my_tracker:told', 'is a list, not a function'),
  ):
    with pytest.raises(errors.ConfigError, match=words):
      names.find(configured(tracker))


@pytest.mark.parametrize('tracker', ['wandb', 'mlflow'])
def test_a_missing_package_is_named_before_anything_is_done(tiny_config, tmp_path, monkeypatch, tracker):
  monkeypatch.setitem(names.OPEN, tracker, (names.OPEN[tracker][0], lambda: ('no_such_package',)))
  with pytest.raises(errors.ConfigError, match=rf"no_such_package is not installed; pip install 'medjax\[{tracker}\]'"):
    runs.train(tiny_config({'train.tracker': f'tensorboard,{tracker}'}), tmp_path / 'run')
  assert not (tmp_path / 'run').exists()


def test_mlflow_needs_a_database_where_no_other_place_is_named(monkeypatch):
  monkeypatch.delenv('MLFLOW_TRACKING_URI', raising=False)
  assert 'sqlalchemy' in mlflow.packages()
  monkeypatch.setenv('MLFLOW_TRACKING_URI', 'https://tracking')
  assert mlflow.packages() == ('mlflow',)


def test_a_training_tells_a_function_everything(tiny_config, tmp_path):
  told = []
  run = api.train(tiny_config(), tmp_path, tracker=lambda *line: told.append(line))
  lines = [(line['step'], metrics.scalars(line)) for line in metrics.read(tmp_path)]
  assert told[:-1] == lines and len(lines) == 4
  step, final = told[-1]
  assert step == 40 and final == metrics.of_results(run.results, 'test')
  before, folder = len(told), tmp_path
  api.train(tiny_config(), folder, tracker=lambda *line: told.append(line))  # goes on where it is at its end
  assert len(told) == before
  assert json.loads((tmp_path / 'config.json').read_text())['train.tracker'] == 'tensorboard'


def test_a_run_without_trackers_leaves_metrics_alone(trained, tiny_config, tmp_path):
  workdir = shutil.copytree(trained, tmp_path / 'run')
  shutil.rmtree(workdir / 'tensorboard')
  api.train(tiny_config(), workdir, tracker='')
  assert not (workdir / 'tensorboard').exists() and (workdir / 'metrics.jsonl').exists()


class FakeRun:
  """What wandb.init returns, of a module that stands in for wandb."""

  offline, url, id = False, 'https://wandb/run', 'abc'

  def __init__(self, **options):
    self.options, self.rows, self.metrics, self.code = options, [], [], None

  def define_metric(self, name, step_metric):
    self.metrics.append((name, step_metric))

  def log(self, row):
    self.rows.append(row)

  def finish(self, exit_code):
    self.code = exit_code


def test_wandb_is_given_the_run_and_goes_on_with_it(tmp_path, monkeypatch, capsys):
  made = []
  fake = types.SimpleNamespace(init=lambda **options: made.append(FakeRun(**options)) or made[-1], Settings=dict)
  monkeypatch.setitem(sys.modules, 'wandb', fake)
  monkeypatch.setattr(names.importlib.util, 'find_spec', lambda name: name)
  monkeypatch.setenv('WANDB_PROJECT', 'mine')
  config = configured('wandb')
  for start in (0, 10):
    with following.Following(names.find(config), config, tmp_path) as followers:
      followers.begin(start, LINES[: start // 5])
      for line in LINES[: 2 + start // 5]:
        followers.log(*line)
  first, second = made
  assert first.rows == [{'step': step} | values for step, values in LINES[:2]]
  assert second.rows == [{'step': step} | values for step, values in LINES[2:]]
  assert (first.options['id'], second.options['id'], second.options['resume']) == (None, 'abc', 'allow')
  assert first.options['project'] == 'mine' and first.options['name'] == f'a name ({tmp_path.name})' and first.code == 0
  assert first.options['config'] == config_lib.flatten(config) and first.metrics == [('*', 'step')]
  assert 'wandb: https://wandb/run' in capsys.readouterr().out


def followed_twice(tracker, folder):
  """Follows a run of two processes, the second of which raises; returns the tracker's name of it."""
  config = configured(tracker)
  with following.Following(names.find(config), config, folder) as followers:
    followers.begin(0)
    for line in LINES[:3]:
      followers.log(*line)
  with pytest.raises(ZeroDivisionError), following.Following(names.find(config), config, folder) as followers:
    followers.begin(10, LINES[:2])
    for line in LINES[2:]:
      followers.log(*line)
    raise ZeroDivisionError
  return json.loads((folder / following.FILE).read_text())[tracker]['run']


def test_mlflow_itself_has_one_run_with_every_line_once(tmp_path, monkeypatch):
  module = pytest.importorskip('mlflow')
  place = (tmp_path / 'store').as_uri()
  monkeypatch.setenv('MLFLOW_TRACKING_URI', place)
  monkeypatch.setenv('MLFLOW_ALLOW_FILE_STORE', 'true')  # a database takes ten seconds to be made
  run = followed_twice('mlflow', tmp_path)
  client = module.MlflowClient(place)
  (experiment,) = [each for each in client.search_experiments() if each.name == 'medjax']
  (found,) = client.search_runs([experiment.experiment_id])
  assert (found.info.run_id, found.info.run_name, found.info.status) == (run, f'a name ({tmp_path.name})', 'FAILED')
  assert found.data.params == {name: str(value) for name, value in config_lib.flatten(configured('mlflow')).items()}
  history = lambda name: [(each.step, each.value) for each in client.get_metric_history(run, name)]
  told = {name: history(name) for name in found.data.metrics}
  assert told == {'loss': [(10, 1.0), (20, 0.5), (30, 0.4)], 'width_loss/4': [(10, 2.0)], 'valid_mrr': [(10, 0.1)]}


def test_wandb_itself_keeps_a_run_offline(tmp_path, monkeypatch, capsys):
  pytest.importorskip('wandb')
  monkeypatch.setenv('WANDB_MODE', 'offline')
  run = followed_twice('wandb', tmp_path)
  files = sorted((tmp_path / 'wandb').glob('offline-run-*/run-*.wandb'))
  assert [path.name for path in files] == [f'run-{run}.wandb'] * 2
  held = [path.read_bytes() for path in files]
  assert b'width_loss/4' in held[0] and b'model.widths' in held[0] and b'a name' in held[0]
  assert b'valid_mrr' in held[0] and b'valid_mrr' not in held[1]  # told once
  out, error = capsys.readouterr()
  assert out.count('\n') == 2 and 'offline in' in out and not error
