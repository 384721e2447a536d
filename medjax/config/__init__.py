"""The configuration of a run: typed records, what their fields may hold, and the named objectives.

Knows neither JAX nor scores, so that a mistake on a command line is told at once. May import: errors, core.
"""

from medjax.config.bilinear import best, bilinear, for_all_entities, under_dura
from medjax.config.fields import (
  Config,
  DataConfig,
  DistillConfig,
  EvalConfig,
  ModelConfig,
  ObjectiveConfig,
  ParallelConfig,
  TrainConfig,
)
from medjax.config.flat import (
  check_types,
  checked,
  describe_difference,
  differing,
  flatten,
  from_flat,
  put,
  resolve_arguments,
  updated,
)
from medjax.config.presets import FREE, PRESETS
from medjax.config.rules import get
from medjax.config.text import TextConfig

__all__ = [
  'FREE',
  'PRESETS',
  'Config',
  'DataConfig',
  'DistillConfig',
  'EvalConfig',
  'ModelConfig',
  'ObjectiveConfig',
  'ParallelConfig',
  'TextConfig',
  'TrainConfig',
  'best',
  'bilinear',
  'check_types',
  'checked',
  'describe_difference',
  'differing',
  'flatten',
  'for_all_entities',
  'from_flat',
  'get',
  'put',
  'resolve_arguments',
  'under_dura',
  'updated',
]
