"""What work is said to need: near what it takes, and a reason to refuse it before anything is made."""

import subprocess
import sys

import hypothesis
from hypothesis import strategies as st
import pytest

from benchmarks import budget as measured
from medjax import config as config_lib
from medjax import errors, scores
from medjax.core import memory
from medjax.core import widths as widths_lib
from medjax.experiments import budget, evaluating, runs

HOPELESS = {  # fields, and what the error names
  ('train.negatives', 10**8): 'config.train.negatives',
  ('train.batch', 2**31 - 2): 'config.train.batch',
  ('model.widths', '2000000000'): 'config.model.widths',
  ('model.widths', '1:1000000000000:1'): 'at most 4,096 widths',
  ('model.widths', '2:20000:2'): 'at most 4,096 widths',
}


@pytest.mark.parametrize(
  'case',
  ['TransE, large tables', 'TransE, many negatives', 'RotatE, 64 widths', 'ComplEx, the same on few entities'],
)
def test_an_estimate_is_within_a_factor_of_the_peak(case, as_users_run, monkeypatch):
  if 'XLA_FLAGS' not in as_users_run:  # large tables take long in programs that are compiled quickly
    monkeypatch.delenv('XLA_FLAGS')
  found = measured.in_child(case)
  assert 1 / memory.DOUBT < found['said'] / found['took'] < memory.DOUBT, found


@pytest.mark.parametrize('field, value', HOPELESS)
def test_what_is_hopeless_is_refused_at_once(tiny_config, tmp_path, field, value):
  config = tiny_config({field: value})
  with pytest.raises(errors.MedjaxError, match=HOPELESS[field, value]) as caught:
    runs.train(config, tmp_path / 'run')
  assert isinstance(caught.value, errors.TooLarge | errors.WidthError) and not (tmp_path / 'run').exists()


def test_it_is_refused_on_the_command_line_before_data_are_read(repository, tmp_path):
  done = subprocess.run(
    [sys.executable, 'launch.py', '--config.train.negatives=100000000', '--config.data.path=/nowhere'],
    cwd=repository,
    capture_output=True,
    text=True,
    check=False,
  )
  assert done.returncode == 2 and done.stderr.count('\n') == 1
  assert done.stderr.startswith('error: a training of') and 'Lower config.train.batch' in done.stderr


def test_a_graph_is_too_large_before_a_workdir_is_made(tiny_config, tmp_path, monkeypatch):
  needed = runs.fits(tiny_config({'train.tracker': ''}), runs.NO_GRAPH)
  monkeypatch.setenv(memory.VARIABLE, str(int(needed / memory.DOUBT) + 1))
  with pytest.raises(errors.TooLarge, match='on 30 entities'):
    runs.train(tiny_config(), tmp_path / 'run')
  assert not (tmp_path / 'run').exists()


def test_a_model_and_its_evaluation_are_checked(trained, monkeypatch):
  import medjax

  monkeypatch.setenv(memory.VARIABLE, '1000')
  with pytest.raises(errors.TooLarge, match='the model in .* at width 12'):
    medjax.load(trained)
  monkeypatch.setenv(memory.VARIABLE, '1e6')
  with pytest.raises(errors.TooLarge, match='an evaluation of width 12'):
    evaluating.evaluate(trained)


def reckoned(fields=(), **size):
  config = config_lib.Config()
  for field, value in dict(fields).items():
    config_lib.put(config, field, value)
  score = scores.make('transe', scores.default_constants(1.0, 64))
  whole = budget.Size(**({'entities': 1000, 'relations': 10, 'train': 5000, 'triples': 6000} | size))
  return budget.training(config, score, widths_lib.Widths((16, 64)), whole)


@hypothesis.settings(deadline=None, max_examples=50)
@hypothesis.given(
  st.sampled_from(['train.batch', 'train.negatives', 'entities', 'triples']), st.integers(1, 20), st.integers(1, 1000)
)
def test_more_of_anything_needs_no_less(what, power, times):
  least = reckoned(**{what: 2**power}) if '.' not in what else reckoned({what: 2**power})
  most = reckoned(**{what: 2**power * times}) if '.' not in what else reckoned({what: 2**power * times})
  assert least.total <= most.total


def test_tables_are_counted_exactly():
  dense, sparse, adagrad = (
    reckoned(fields, entities=10**6).tables
    for fields in ({}, {'train.sparse_updates': True}, {'train.optimizer': 'adagrad'})
  )
  saved = 1 + budget.SAVED  # at the peak a checkpoint is written, of parameters and two moments
  assert (dense, sparse, adagrad) == tuple(4 * 64 * (10**6 + 10) * copies for copies in (3 * saved, 3 * saved, 3))
