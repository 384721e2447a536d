"""All methods of one graph and score by one command."""

import pytest

from medjax import errors
from medjax.experiments import comparison, study
from medjax.report import collect

FAST = {
  'model.widths': '4,8,12',
  'distill.rates': 'width',
  'eval.every': 0,
  'train.steps': 10,
  'train.steps_per_dispatch': 5,
  'train.log_every': 5,
}


def test_every_method_is_trained_and_reported_once(tiny_config, tmp_path, monkeypatch):
  path = comparison.run(tiny_config(FAST), tmp_path, '12,4')
  found = {run.name: run for run in collect.collect(tmp_path)}
  assert set(found) == {
    'med',
    'direct-12',
    'direct-4',
    'extract-loss',
    'extract-value',
    'extract-random',
    'bkd-4',
    'ta-4',
    'dualde-4',
    'iterde-4',
  }
  assert list(found['med'].results.index) == [4, 8, 12] and list(found['extract-loss'].results.index) == [4]
  rate = lambda name: found[name].fields['train.learning_rate']
  assert rate('direct-4') == pytest.approx(3 * rate('med'))
  rows = [line.split(' | ')[0].strip('| ') for line in path.read_text().splitlines() if line.startswith('| ')]
  assert set(collect.ORDER) - {'', 'plain sum', 'MED (literal)'} <= set(rows)
  times = {name: (run.folder / 'results.csv').stat().st_mtime_ns for name, run in found.items()}
  monkeypatch.setattr(study.runs, 'train', lambda *_: pytest.fail('trained again'))
  comparison.run(tiny_config(FAST), tmp_path, '12,4')
  assert times == {name: (run.folder / 'results.csv').stat().st_mtime_ns for name, run in found.items()}


def test_what_cannot_be_run_is_refused_before_anything_is_trained(tiny_config, tmp_path):
  with pytest.raises(errors.ConfigError):
    comparison.run(tiny_config(FAST | {'distill.weight': 2.0}), tmp_path / 'a', '12,4')
  assert not (tmp_path / 'a').exists()
