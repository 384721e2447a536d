"""What may differ when a run goes on, and what of its data."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from medjax import config as config_lib
from medjax import errors
from medjax.data import prepare as prepare_lib
from medjax.data import source
from medjax.experiments import resumption, runs, study
from medjax.report import metrics
from medjax.saved import checkpoint, graph_files
from medjax.saved import workdir as workdir_lib
from medjax.serve import loading

CONSTANT = {'train.decay': 'constant', 'eval.every': 0}


@pytest.fixture(scope='module')
def constant(tiny_config, tmp_path_factory):
  """A run of 40 steps at a constant rate, for reading only."""
  workdir = tmp_path_factory.mktemp('constant') / 'run'
  runs.train(tiny_config(CONSTANT), workdir)
  return workdir


@pytest.fixture
def copy(constant, tmp_path):
  return shutil.copytree(constant, tmp_path / 'run')


@pytest.fixture
def data(own_data, tmp_path):
  return shutil.copytree(own_data, tmp_path / 'data')


def latest(workdir):
  return checkpoint.Checkpoints(workdir / 'checkpoints', read_only=True).latest


def params(workdir):
  return [leaf for table in loading.load(workdir).params.values() for leaf in table.values()]


def test_more_steps_at_a_constant_rate_are_the_longer_run(copy, tiny_config, tmp_path):
  runs.train(tiny_config(CONSTANT | {'train.steps': 70}), copy)
  assert latest(copy) == 70 and metrics.read(copy)[-1]['step'] == 70
  assert workdir_lib.read_config(copy).train.steps == 70
  runs.train(tiny_config(CONSTANT | {'train.steps': 70}), tmp_path / 'at-once')
  assert all(np.array_equal(a, b) for a, b in zip(params(copy), params(tmp_path / 'at-once')))


def test_fewer_steps_than_were_taken_are_refused(copy, tiny_config):
  with pytest.raises(errors.UsageError, match='train.steps: 40 there, 20 now; the run is at step 40 already'):
    runs.train(tiny_config(CONSTANT | {'train.steps': 20}), copy)
  shutil.rmtree(copy / 'checkpoints' / '40')  # as if it had been stopped after step 20
  runs.train(tiny_config(CONSTANT | {'train.steps': 30}), copy)
  assert latest(copy) == 30


@pytest.mark.parametrize(
  'fields, because',
  [
    ({}, r"under train.decay='linear' the learning rate of every step depends on train.steps"),
    ({'distill.method': 'dualde'} | CONSTANT, r"under distill.method='dualde' what a step learns depends"),
    ({'distill.method': 'iterde', 'distill.schedule': 'linear'} | CONSTANT, r"under distill.method='iterde'"),
    ({'distill.method': 'iterde', 'distill.schedule': 'constant'} | CONSTANT, ''),
    ({'distill.method': 'ta'} | CONSTANT, ''),
    (CONSTANT, ''),
  ],
)
def test_the_length_of_a_training_counts_where_a_step_depends_on_it(tiny_config, constant, fields, because):
  there, now = tiny_config(fields), tiny_config(fields | {'train.steps': 80})
  if not because:
    resumption.check(there, now, constant)
    return
  for other in (now, tiny_config(fields | {'train.steps': 20})):
    with pytest.raises(errors.UsageError, match=f'{because}.*another training'):
      resumption.check(there, other, constant)


def test_a_linear_rate_that_becomes_constant_is_another_training(trained, tiny_config):
  with pytest.raises(errors.UsageError, match="train.decay: 'linear' there, 'constant' now"):
    runs.train(tiny_config({'train.decay': 'constant', 'train.steps': 80}), trained)


def test_when_something_is_written_or_validated_may_differ(copy, tiny_config):
  changes = {
    'train.steps': 60,
    'train.checkpoint_every': 7,
    'train.log_every': 5,
    'train.steps_per_dispatch': 3,
    'train.keep': 1,
    'eval.every': 10,
    'eval.patience': 9,
    'eval.widths': '4',
    'eval.valid_triples': 3,
    'eval.candidates': 5,
    'eval.batch': 8,
    'name': 'other',
  }
  runs.train(tiny_config(CONSTANT | changes), copy)
  assert [line['step'] for line in metrics.read(copy) if 'valid_mrr' in line] == [50, 60]


def test_validations_of_another_measure_are_not_mixed(trained, tiny_config):
  for field, value in {'eval.widths': '4', 'eval.valid_triples': 3, 'eval.candidates': 5}.items():
    with pytest.raises(errors.UsageError, match=f'{field}: .*earlier validations'):
      runs.train(tiny_config({field: value}), trained)


def test_the_same_data_may_lie_elsewhere(data, tiny_config, tmp_path, monkeypatch, capsys):
  fields = {'data.path': str(data), 'train.steps': 20}
  runs.train(tiny_config(fields), tmp_path / 'run')
  monkeypatch.chdir(tmp_path)
  runs.train(tiny_config(fields | {'data.path': 'data'}), tmp_path / 'run')
  data.rename(tmp_path / 'elsewhere')
  runs.train(tiny_config(fields | {'data.path': 'data'}), tmp_path / 'run')  # nothing is there any more
  with monkeypatch.context() as patch:
    patch.setattr(runs.datasets, 'load', None)  # hashes suffice
    runs.train(tiny_config(fields | {'data.path': 'elsewhere'}), tmp_path / 'run')
  assert workdir_lib.read_config(tmp_path / 'run').data.path == 'elsewhere'
  with pytest.raises(errors.DataError, match='nowhere'):
    runs.train(tiny_config(fields | {'data.path': 'nowhere'}), tmp_path / 'run')


@pytest.mark.parametrize(
  'edit, says',
  [
    (lambda data: data.joinpath('train.tsv').open('a').write('new\tnext\te00\n'), 'entities: 30 there, 31 now.*new'),
    (lambda data: data.joinpath('train.tsv').open('a').write('e00\tnext\te09\n'), 'train: .* 0 are gone and 1 are new'),
    (lambda data: swap(data, 'test.tsv'), 'test: 10 triples there, 10 now; 1 are gone and 1 are new'),
    (lambda data: [data.joinpath('more.tsv').write_text('x'), swap(data, 'valid.tsv')], 'valid: '),
  ],
)
@pytest.mark.parametrize('place', ['data', 'moved'])
def test_changed_data_are_refused_and_the_difference_is_told(data, tiny_config, tmp_path, edit, says, place):
  fields = {'data.path': str(data), 'train.steps': 20}
  runs.train(tiny_config(fields), tmp_path / 'run')
  before = (tmp_path / 'run' / 'config.json').read_bytes()
  data = data.rename(tmp_path / place)
  edit(data)
  with pytest.raises(errors.UsageError, match=f'(?s)does not hold the data that the run.*changed.*{says}'):
    runs.train(tiny_config(fields | {'data.path': str(data)}), tmp_path / 'run')
  assert (tmp_path / 'run' / 'config.json').read_bytes() == before


def swap(data, name):
  """Makes the last triple of a file another one of the same length; the file keeps its size and time."""
  path = data / name
  stat, lines = path.stat(), path.read_text().splitlines()
  head, relation, _ = lines[-1].split('\t')
  other = next(f'e{i:02}' for i in range(30) if f'{head}\t{relation}\te{i:02}' not in lines)
  path.write_text('\n'.join([*lines[:-1], f'{head}\t{relation}\t{other}']) + '\n')
  os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
  assert path.stat().st_size == stat.st_size


def test_edits_that_leave_the_triples_alone_do_not_matter(data, tiny_config, tmp_path, monkeypatch):
  fields = {'data.path': str(data), 'train.steps': 20}
  runs.train(tiny_config(fields), tmp_path / 'run')
  lines = (data / 'train.tsv').read_text().splitlines(keepends=True)
  (data / 'train.tsv').write_text(''.join(reversed(lines)))
  (data / 'README').write_text('about')
  results = runs.train(tiny_config(fields), tmp_path / 'run')
  pd.testing.assert_frame_equal(results, runs.train(tiny_config(fields), tmp_path / 'run'))
  monkeypatch.setattr(resumption.datasets, 'load', None)  # the new files are known by now
  runs.train(tiny_config(fields), tmp_path / 'run')


def test_a_study_notices_changed_data(data, tiny_config, tmp_path):
  base = tiny_config({'data.path': str(data), 'train.steps': 20})
  config = config_lib.from_flat(config_lib.flatten(study.make(base, {}, 0)))
  study.results_of(config, tmp_path / 'run', 'test')
  study.results_of(config, tmp_path / 'run', 'test')
  swap(data, 'test.tsv')
  with pytest.raises(errors.UsageError, match='does not hold the data'):
    study.results_of(config, tmp_path / 'run', 'test')


def test_big_files_of_the_same_size_and_time_are_not_read(data, monkeypatch):
  before = source.fingerprint(data)
  assert set(before) == {'train.tsv', 'valid.tsv', 'test.tsv'}
  monkeypatch.setattr(source, 'SMALL', 0)
  with monkeypatch.context() as patch:
    patch.setattr(source, 'sha256', None)
    assert source.unchanged(data, before)
  os.utime(data / 'train.tsv')
  assert source.unchanged(data, before)
  swap(data, 'train.tsv')
  os.utime(data / 'train.tsv')
  assert not source.unchanged(data, before)
  assert not source.unchanged(data / 'train.tsv', before)


def test_a_prepared_graph_may_move_and_is_known_by_its_hash(data, tiny_config, tmp_path):
  prepare_lib.from_text(prepare_lib.find_text(data, 'hrt', 'no'), tmp_path / 'store')
  fields = {'data.path': str(tmp_path / 'store'), 'train.steps': 20}
  runs.train(tiny_config(fields), tmp_path / 'run')
  (tmp_path / 'store').rename(tmp_path / 'moved')
  runs.train(tiny_config(fields | {'data.path': str(tmp_path / 'moved')}), tmp_path / 'run')
  assert graph_files.read_reference(tmp_path / 'run')[0] == str(tmp_path / 'moved')
  swap(data, 'test.tsv')
  prepare_lib.from_text(prepare_lib.find_text(data, 'hrt', 'no'), tmp_path / 'other')
  with pytest.raises(errors.UsageError, match='prepared graph: .* there, .* now'):
    runs.train(tiny_config(fields | {'data.path': str(tmp_path / 'other')}), tmp_path / 'run')


def test_a_run_without_a_record_of_its_files_goes_on(copy, tiny_config):
  (copy / 'source.json').unlink()
  before = (copy / 'results.csv').read_bytes()
  assert runs.train(tiny_config(CONSTANT), copy) is not None
  assert (copy / 'results.csv').read_bytes() == before
