"""Divergence, early stopping and what evaluation picks."""

import shutil

import jax
import numpy as np
import pytest

from medjax import errors
from medjax.evaluation import evaluator
from medjax.experiments import runs
from medjax.report import metrics
from medjax.saved import checkpoint, restore
from medjax.serve import loading
from medjax.training import loop, signals


def checkpoints_of(workdir):
  return checkpoint.Checkpoints(workdir / 'checkpoints', read_only=True)


@pytest.mark.parametrize('rate', [1e38, 1e300])
def test_divergence_is_named_and_leaves_finite_parameters(tiny_config, tmp_path, rate):
  config = tiny_config(
    {'train.learning_rate': rate, 'train.checkpoint_every': 1, 'train.decay': 'constant', 'eval.every': 0}
  )
  with pytest.raises(
    errors.Diverged, match=r'not finite at step \d+; the last good checkpoint is step (\d+)'
  ) as caught:
    runs.train(config, tmp_path / 'run')
  last = checkpoints_of(tmp_path / 'run').latest
  assert f'checkpoint is step {last} in' in str(caught.value)
  params = loading.load(tmp_path / 'run', step=last).params
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params))


def fake_validator(values):
  """A validator that returns the given mean MRRs in turn."""
  turns = iter(values)

  def make(score, widths, *_):
    return lambda model: (next(turns), dict.fromkeys(widths.values, 0.5))

  return make


def test_patience_stops_and_the_best_checkpoint_is_evaluated(tiny_config, tmp_path, monkeypatch):
  monkeypatch.setattr(evaluator, 'validator', fake_validator([0.1, 0.4, 0.4, 0.3, 0.9]))
  config = tiny_config({'train.steps': 100, 'eval.every': 10, 'eval.patience': 2, 'train.checkpoint_every': 10})
  results = runs.train(config, tmp_path)
  checkpoints = checkpoints_of(tmp_path)
  assert (checkpoints.latest, checkpoints.best, restore.chosen_step(checkpoints)) == (40, 20, 20)
  assert [line['valid_mrr'] for line in metrics.read(tmp_path) if 'valid_mrr' in line] == [0.1, 0.4, 0.4, 0.3]
  at_best = loading.load(tmp_path, step=20)
  rows, _ = evaluator.evaluate(at_best.description.make_score(), at_best.params, at_best.widths, at_best.graph)
  expected = rows[(rows.side == 'both') & (rows.category == 'all')]
  assert list(results['mrr']) == list(expected['mrr'])
  np.testing.assert_array_equal(loading.load(tmp_path).params['entity']['re'], at_best.params['entity']['re'])
  assert not np.array_equal(loading.load(tmp_path, step=40).params['entity']['re'], at_best.params['entity']['re'])


def test_a_finished_run_is_not_trained_further(trained, tiny_config, tmp_path):
  workdir = shutil.copytree(trained, tmp_path / 'run')
  runs.train(tiny_config(), workdir)
  for name in ('metrics.jsonl', 'results.csv'):
    assert (workdir / name).read_text() == (trained / name).read_text()


def test_patience_of_zero_never_stops():
  assert not loop.Patience(0, [0.5, 0.4, 0.3]).over
  assert loop.Patience(2, [0.5, 0.4, 0.5]).over


def test_dispatches_end_where_something_is_due(tiny_config):
  config = tiny_config(
    {
      'train.steps': 50,
      'train.steps_per_dispatch': 8,
      'train.log_every': 20,
      'train.checkpoint_every': 15,
      'eval.every': 25,
    }
  )
  stops = [0]
  while stops[-1] < 50:
    stops.append(loop.next_stop(stops[-1], config.train, config.eval))
  assert stops == [0, 8, 15, 16, 20, 24, 25, 30, 32, 40, 45, 48, 50]


def test_the_time_of_a_training_is_told_from_its_second_dispatch():
  told = loop.forecast((50, 11.0), (100, 2.0), 900, validates=True)
  assert told.startswith('about 18 s for the 900 steps that are left, 20 ms each, and validations besides; 10.0 s')
  assert loop.forecast((50, 11.0), (100, 2.0), 400) == ''  # 8 s
  cached = loop.forecast((50, 0.1), (50, 1.0), 50_000)
  assert cached.startswith('about 17 min') and cached.endswith('20 ms each; 0.0 s were compilation')


def test_a_second_interrupt_is_immediate():
  with pytest.raises(KeyboardInterrupt), signals.deferred() as received:
    signals.signal.raise_signal(signals.signal.SIGINT)
    assert received == [signals.signal.SIGINT]
    signals.signal.raise_signal(signals.signal.SIGINT)


def test_a_signal_in_the_last_dispatch_stops_the_process(tiny_config, tmp_path, monkeypatch):
  def validator(*_):
    def validate(model):
      signals.signal.raise_signal(signals.signal.SIGTERM)
      return 0.5, {}

    return validate

  monkeypatch.setattr(evaluator, 'validator', validator)
  with pytest.raises(signals.Stopped, match='SIGTERM at step 40'):
    runs.train(tiny_config({'eval.every': 40}), tmp_path)
  assert not (tmp_path / 'results.csv').exists()
