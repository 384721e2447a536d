"""medjax: knowledge graph embeddings that are trained once and cropped to any width.

  model = medjax.load('runs/quickstart', width=40)
  model.predict_tails('France', 'borders', k=5)

Public are `train`, which makes a `Run` of triples; `inspect`, which looks at triples; `load` and `Model`; `evaluate`,
`choose`, `calibrate`, `crop`, `extract` and `export`, which work on folders of runs; `hardware`, the devices that are
here; `verify`, which finds damaged files; `published`, figures of papers; the rooms `scores` and `objectives`, whose
functions are pure; and `errors`.
"""

import importlib
from typing import Any, TYPE_CHECKING

if TYPE_CHECKING:
  from medjax import errors, objectives, scores
  from medjax.experiments.api import evaluate, inspect, Run, train
  from medjax.experiments.calibration import calibrate
  from medjax.experiments.choosing import choose
  from medjax.experiments.commands import crop, export, extract
  from medjax.experiments.hardware import hardware
  from medjax.report.quality import published
  from medjax.saved.verification import verify
  from medjax.serve.loading import load
  from medjax.serve.model import Model

__version__ = '0.1.0'
__all__ = [
  'Model',
  'Run',
  'calibrate',
  'choose',
  'crop',
  'errors',
  'evaluate',
  'export',
  'extract',
  'hardware',
  'inspect',
  'load',
  'objectives',
  'published',
  'scores',
  'train',
  'verify',
]

_HOMES = {
  'load': 'medjax.serve.loading',
  'Model': 'medjax.serve.model',
  'Run': 'medjax.experiments.api',
  'train': 'medjax.experiments.api',
  'evaluate': 'medjax.experiments.api',
  'inspect': 'medjax.experiments.api',
  'calibrate': 'medjax.experiments.calibration',
  'choose': 'medjax.experiments.choosing',
  'crop': 'medjax.experiments.commands',
  'export': 'medjax.experiments.commands',
  'extract': 'medjax.experiments.commands',
  'hardware': 'medjax.experiments.hardware',
  'published': 'medjax.report.quality',
  'verify': 'medjax.saved.verification',
}


def __getattr__(name: str) -> Any:
  # Loaded on first use: importing medjax loads no JAX, so a program can first make the settings of medjax.core.runtime,
  # some of which have to come before JAX.
  if name in _HOMES:
    return getattr(importlib.import_module(_HOMES[name]), name)
  if name in __all__:
    return importlib.import_module(f'medjax.{name}')
  raise AttributeError(f'module medjax has no attribute {name!r}')
