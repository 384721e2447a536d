"""A configuration resolved for the graph task: what its score allows, and what it makes."""

import copy

from medjax import config as config_lib
from medjax import scores
from medjax.config import rules
from medjax.config.fields import Config
from medjax.core import widths as widths_lib
from medjax.core.widths import Widths
from medjax.errors import ConfigError


def resolve(config: Config) -> Config:
  """Returns a validated copy in which the named objective has set its fields.

  Raises:
    ConfigError: a value that is not among a field's choices, or out of its range.
    WidthError: widths that are malformed or that the score cannot represent.
  """
  config = copy.deepcopy(config)
  config_lib.check_types(config)
  rules.check_choice(config, 'objective.name')
  for field, value in config_lib.PRESETS[config.objective.name].items():
    if config_lib.get(config, field) not in (value, config_lib.get(Config(), field)):
      raise ConfigError(
        f'config.{field}={config_lib.get(config, field)!r}: config.objective.name='
        f'{config.objective.name!r} fixes it to {value!r}; leave it out, or set each field yourself '
        "under name='med'"
      )
    config_lib.put(config, field, value)
  rules.check_choice(config, 'model.score', tuple(scores.REGISTRY))
  rules.check(config)
  check_regularizer(config)
  chosen_widths(config)
  evaluated_widths(config)
  return config


def check_regularizer(config: Config) -> None:
  """Raises ConfigError for a regulariser of a distance."""
  regularizer = config.objective.regularizer
  if regularizer != 'none' and scores.make(config.model.score, scores.default_constants(1.0, 1)).margin:
    raise ConfigError(
      f'config.objective.regularizer={regularizer!r}: it bounds the bilinear scores; '
      f"{config.model.score} is a distance, take 'none'"
    )


def model_constants(config: Config) -> dict[str, float]:
  """Returns the constants of a new model's score."""
  return scores.default_constants(config.model.gamma, model_widths(config).full, config.model.phase_scale)


def model_widths(config: Config) -> Widths:
  """Returns the `Widths` of the model."""
  score = scores.make(config.model.score, scores.default_constants(config.model.gamma, 1))
  return Widths(widths_lib.parse_widths(config.model.widths), score.components)


def chosen_widths(config: Config) -> tuple[int, ...]:
  """Returns the positions of the widths whose validation MRR decides."""
  widths = model_widths(config)
  if config.eval.widths == 'all':
    return tuple(range(len(widths.values)))
  return tuple(widths.index(width) for width in widths_lib.parse_widths(config.eval.widths))


def evaluated_widths(config: Config) -> Widths:
  """Returns the `Widths` that an evaluation reports: the trained and the extra ones."""
  widths = model_widths(config)
  if not config.eval.extra_widths:
    return widths
  extra = widths_lib.parse_widths(config.eval.extra_widths)
  if extra[-1] > widths.full:
    raise ConfigError(
      f'config.eval.extra_widths={config.eval.extra_widths!r}: the model has only {widths.full} numbers per entity'
    )
  return widths.with_extra(extra)
