"""What the fields of a configuration may hold, one by one and together.

`config.fields` has the fields; every message names the field, its value and the remedy. What depends on the score is
checked by `kge.settings`.
"""

from collections.abc import Sequence
import dataclasses
import difflib
import math
import pathlib
import re
from typing import Any

from medjax.config.fields import Config
from medjax.core import widths as widths_lib
from medjax.errors import ConfigError

CHOICES: dict[str, tuple[str, ...]] = {
  'data.header': ('auto', 'yes', 'no'),
  'data.comments': ('auto', 'no'),
  'model.width_scale': ('linear', 'sqrt', 'none'),
  'model.width_gamma': ('shared', 'linear', 'learned'),
  'objective.name': ('med', 'paper', 'direct'),
  'objective.mutual_form': ('huber', 'divergence'),
  'objective.mutual_reduction': ('mean', 'sum'),
  'objective.mutual_detach': ('none', 'narrow', 'wide'),
  'objective.difficulty': ('sigmoid', 'score', 'inverse'),
  'objective.weigh_over': ('positive', 'batch'),
  'objective.weights': ('fixed', 'learned', 'adversarial'),
  'objective.loss': ('logsigmoid', 'softmax'),
  'objective.regularize': ('once', 'each', 'scaled'),
  'objective.regularizer': ('none', 'n3', 'dura'),
  'distill.method': ('', 'bkd', 'ta', 'dualde', 'iterde'),
  'distill.schedule': ('product', 'linear', 'constant'),
  'distill.rates': ('shared', 'width'),
  'train.optimizer': ('adam', 'adagrad'),
  'train.decay': ('linear', 'constant'),
  'eval.unseen': ('rank', 'skip'),
  'parallel.mode': ('jit', 'pmap', 'mesh'),
}
AT_LEAST: dict[str, float] = {
  'model.gamma': 0.0,
  'objective.mutual_weight': 0.0,
  'objective.adversarial_temperature': 0.0,
  'objective.regularization': 0.0,
  'objective.regularization_width': 0,
  'distill.weight': 0.0,
  'distill.temperature': 0.01,
  'distill.first_stage': 0.0,
  'train.steps': 1,
  'train.batch': 2,
  'train.negatives': 0,
  'train.share_negatives': 1,
  'train.negative_power': 0.0,
  'train.narrow_rate': 0.0,
  'objective.narrow_weight': 0.0,
  'objective.mutual_power': 0.0,
  'model.gamma_half': 0.0,
  'model.gamma_power': 0.01,
  'model.phase_scale': 0.0,
  'train.steps_per_dispatch': 1,
  'train.log_every': 1,
  'train.checkpoint_every': 1,
  'train.keep': 1,
  'eval.every': 0,
  'eval.patience': 0,
  'eval.valid_triples': 0,
  'eval.batch': 1,
  'eval.candidates': -1,
  'data.split_seed': 0,
  'data.max_bytes': 0.0,
  'train.seed': 0,
  'parallel.data': 1,
  'parallel.width': 0,
}
ABOVE_ZERO = ('train.learning_rate',)
TRACKERS = ('tensorboard', 'wandb', 'mlflow')
AT_MOST = 2**31 - 1  # bound of every whole number: the device counts in int32


def get(config: Any, field: str) -> Any:
  """Returns the value of a dotted field."""
  for part in field.split('.'):
    config = getattr(config, part)
  return config


def check(config: Config) -> None:
  """Raises ConfigError for a value that is not among its field's choices, out of its range, or against another's."""
  check_fields(config)
  if config.train.batch % 2:
    raise ConfigError(
      f'config.train.batch={config.train.batch}: it must be even, since one half corrupts tails and the other heads'
    )
  if config.train.batch % config.train.share_negatives:
    raise ConfigError(
      f'config.train.share_negatives={config.train.share_negatives}: it must divide '
      f'config.train.batch={config.train.batch}'
    )
  if config.eval.patience and not config.eval.every:
    raise ConfigError(
      f'config.eval.patience={config.eval.patience}: it counts validations, and config.eval.every=0 '
      'means none; set config.eval.every'
    )
  check_trackers(config.train.tracker)
  strengths(config)
  _check_losses(config)
  _check_sub_models(config)
  _check_distillation(config)
  _check_devices(config)


def check_fields(config: Config) -> None:
  """Raises ConfigError for a value that is not among its field's choices or out of its range, whatever the others."""
  for field in CHOICES:
    check_choice(config, field)
  for field, least in AT_LEAST.items():
    if not get(config, field) >= least:
      raise ConfigError(f'config.{field}={get(config, field)!r}: it must be at least {least}')
  for field in ABOVE_ZERO:
    if not get(config, field) > 0:
      raise ConfigError(f'config.{field}={get(config, field)!r}: it must be above 0')
  path = pathlib.PurePath(config.name)
  if not config.name or path.is_absolute() or '..' in path.parts:
    raise ConfigError(f'config.name={config.name!r}: it names a folder below runs, so it must not be empty or have ..')


def check_field(config: Any, field: str) -> None:
  """Raises ConfigError for a dotted field that does not exist or is a section."""
  *path, last = field.split('.')
  for i, part in enumerate([*path, last]):
    names = [f.name for f in dataclasses.fields(config)] if dataclasses.is_dataclass(config) else []
    if part not in names:
      near = difflib.get_close_matches(part, names, n=1)
      where = '.'.join(path[:i]) or 'the configuration'
      hint = f'did you mean {near[0]!r}? ' if near else ''
      has = f'it has {", ".join(names)}' if names else 'it is a value'
      raise ConfigError(f'config.{field}: {where} has no field {part!r}; {hint}{has}')
    config = getattr(config, part)
  if dataclasses.is_dataclass(config):
    inner = ', '.join(f'{field}.{f.name}' for f in dataclasses.fields(config))
    raise ConfigError(f'config.{field} is a section; set one of its fields: {inner}')


def check_type(config: Any, field: str, kind: type) -> None:
  """Raises ConfigError for a value of another type than its default, not finite, or too large."""
  value = get(config, field)
  fits = type(value) in (int, float) if kind is float else type(value) is kind
  if not fits:
    raise ConfigError(f'config.{field}={value!r}: it must be of type {kind.__name__}, not {type(value).__name__}')
  if kind is float and not math.isfinite(value):
    raise ConfigError(f'config.{field}={value!r}: it must be a finite number')
  if kind is int and abs(value) > AT_MOST:
    raise ConfigError(f'config.{field}={value!r}: it must be at most {AT_MOST}')
  if kind is str and '\0' in value:
    raise ConfigError(f'config.{field}={value!r}: it must not have the character NUL')


def check_choice(config: Any, field: str, choices: Sequence[str] = ()) -> None:
  """Raises ConfigError for a value that is not among these, or the `CHOICES` of its field."""
  value, choices = get(config, field), choices or CHOICES[field]
  if value not in choices:
    near = difflib.get_close_matches(str(value), choices, n=1)
    hint = f'did you mean {near[0]!r}? ' if near else ''
    raise ConfigError(f'config.{field}={value!r}: {hint}choose one of {", ".join(choices)}')


def strengths(config: Config) -> tuple[float, ...]:
  """Returns the numbers of objective.strengths; raises ConfigError for what is none, or where nothing takes them."""
  text = config.objective.strengths
  try:
    found = tuple(dict.fromkeys(float(part) for part in text.split(','))) if text else ()
  except ValueError:
    found = (math.nan,)
  if not all(0 <= strength < math.inf for strength in found):
    raise ConfigError(f"config.objective.strengths={text!r}: numbers from 0 on, with commas, such as '0.02,0.07'")
  if found and config.objective.regularizer == 'none':
    raise ConfigError(
      f"config.objective.strengths={text!r}: there is no regulariser; set config.objective.regularizer, or strengths=''"
    )
  return found


def check_trackers(value: str) -> None:
  """Raises ConfigError for names that are none of a tracker; several have commas between them."""
  for name in filter(None, map(str.strip, value.split(','))):
    if name not in TRACKERS and not re.fullmatch(r'[\w.]+:\w+', name):
      near = difflib.get_close_matches(name, TRACKERS, n=1)
      hint = f'did you mean {near[0]!r}? ' if near else ''
      raise ConfigError(
        f"config.train.tracker={value!r}: {hint}name one of {', '.join(TRACKERS)}, or a 'module:function', or several "
        'with commas'
      )


def _check_losses(config: Config) -> None:
  loss = config.objective.loss
  if loss != 'softmax' and not config.train.negatives:
    raise ConfigError(
      f"config.train.negatives=0: all entities compete only under config.objective.loss='softmax', "
      f'not {loss!r}; set one of the two'
    )
  if loss != 'softmax' and config.train.weigh_negatives:
    raise ConfigError(
      f"config.train.weigh_negatives=True: negatives stand for all entities under config.objective.loss='softmax', not "
      f'{loss!r}; set one of the two'
    )
  if loss == 'softmax' and config.objective.weights != 'fixed':
    raise ConfigError(
      f"config.objective.weights={config.objective.weights!r}: config.objective.loss='softmax' takes them 'fixed'"
    )


def _check_sub_models(config: Config) -> None:
  value = config.objective.sub_models
  kind, _, number = value.partition(':')
  if value != 'all' and not (kind in ('sandwich', 'ladder') and number.isdigit() and int(number) >= 2):
    raise ConfigError(
      f"config.objective.sub_models={value!r}: write 'all', or 'sandwich:K' or 'ladder:K' with a K of 2 or more"
    )


def _check_distillation(config: Config) -> None:
  method, teacher, objective = config.distill.method, config.distill.teacher, config.objective
  if bool(method) != bool(teacher):
    raise ConfigError(f'config.distill.method={method!r} and config.distill.teacher={teacher!r}: set both, or neither')
  if not method:
    return
  several = len(widths_lib.parse_widths(config.model.widths)) > 1
  if objective.name != 'direct' or objective.loss != 'logsigmoid' or several:
    raise ConfigError(
      f"config.distill.method={method!r}: a student has config.objective.name='direct', "
      f"config.objective.loss='logsigmoid' and one width, not {objective.name!r}, {objective.loss!r} "
      f'and config.model.widths={config.model.widths!r}'
    )
  if config.parallel.mode != 'jit' or config.train.sparse_updates:
    raise ConfigError(
      f'config.distill.method={method!r}: a teacher teaches on one device and dense tables; leave out '
      'config.parallel.mode and config.train.sparse_updates'
    )
  for field, most in (('weight', 1.0 if method in ('bkd', 'ta') else math.inf), ('first_stage', 1.0)):
    value = getattr(config.distill, field)
    if value > most:
      raise ConfigError(f'config.distill.{field}={value}: under {method!r} it must be at most {most}')


def _check_devices(config: Config) -> None:
  mode = config.parallel.mode
  for field, default in (('parallel.data', 1), ('parallel.width', 0), ('parallel.distributed', False)):
    if mode != 'mesh' and get(config, field) != default:
      raise ConfigError(f"config.{field}={get(config, field)}: only config.parallel.mode='mesh' has it, not {mode!r}")
  if config.train.sparse_updates and not config.train.negatives:
    raise ConfigError(
      'config.train.sparse_updates=True: all entities compete (config.train.negatives=0), so every row '
      'is touched; leave one of the two out'
    )
