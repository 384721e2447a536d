"""A configuration as dotted fields: set, listed, compared, and read from a command line."""

from collections.abc import Mapping, Sequence
import dataclasses
import re
from typing import Any, TypeVar

from medjax.config import rules, shipped
from medjax.config.fields import Config
from medjax.config.presets import FREE
from medjax.config.text import TextConfig

T = TypeVar('T')


def put(config: Any, field: str, value: Any) -> None:
  """Sets a dotted field in place; raises ConfigError for a field that does not exist."""
  rules.check_field(config, field)
  *path, last = field.split('.')
  for part in path:
    config = getattr(config, part)
  setattr(config, last, value)


def resolve_arguments(arguments: Sequence[str]) -> list[str]:
  """Returns the words of a command line with the name of a configuration as --config=FILE.

  Raises:
    ConfigError: the configuration or a field does not exist.
  """
  found, words = [], iter(arguments)
  for word in words:
    if match := re.match(r'--?config(?:=(.*))?$', word):
      name = next(words, '') if match[1] is None else match[1]
      word = f'--config={shipped.find(name)}{"".join(name.partition(":")[1:])}'
    elif match := re.match(r'--?(?:no)?config\.([^=]*)', word):
      field = match[1].removeprefix('base.')  # studies and applications have one
      rules.check_field(TextConfig() if field in flatten(TextConfig()) else Config(), field)
    found.append(word)
  return found


def flatten(config: Any) -> dict[str, Any]:
  """Returns {dotted field: value}.

  >>> flatten(Config())['train.steps']
  8000
  """
  flat: dict[str, Any] = {}
  for field in dataclasses.fields(config):
    value = getattr(config, field.name)
    if dataclasses.is_dataclass(value):
      flat |= {f'{field.name}.{name}': inner for name, inner in flatten(value).items()}
    else:
      flat[field.name] = value
  return flat


def from_flat(flat: Mapping[str, Any]) -> Config:
  """Returns the `Config` with these dotted fields; raises ConfigError for an unknown one.

  >>> from_flat({'model.score': 'complex', 'model.widths': '10:640:10'}).model.widths
  '10:640:10'
  >>> from_flat({'model.scores': 'complex'})
  Traceback (most recent call last):
    ...
  medjax.errors.ConfigError: config.model.scores: model has no field 'scores'; did you mean 'score'? it has ...
  """
  return updated(Config(), flat)


def updated(config: T, flat: Mapping[str, Any]) -> T:
  """Sets dotted fields of a configuration of any kind, and returns it; raises ConfigError for an unknown one."""
  for field, value in flat.items():
    put(config, field, value)
  return config


def checked(config: Config) -> Config:
  """Returns a configuration; raises ConfigError for a value that its field cannot hold, whatever the others are."""
  check_types(config)
  rules.check_fields(config)
  return config


def check_types(config: Config) -> None:
  """Raises ConfigError for a value of another type than its field's."""
  for field, default in flatten(Config()).items():
    rules.check_type(config, field, type(default))


def describe_difference(there: Any, now: Any) -> list[str]:
  """Returns lines naming the fields in which two resolved configurations would train differently.

  >>> describe_difference(Config(), from_flat({'train.steps': 20, 'name': 'another'}))
  ['train.steps: 8000 there, 20 now']
  """
  return [f'{field}: {old!r} there, {new!r} now' for field, (old, new) in differing(there, now).items()]


def differing(there: Any, now: Any) -> dict[str, tuple[Any, Any]]:
  """Returns {field: (value there, value now)} of the fields in which two configurations would train differently."""
  old, new = flatten(there), flatten(now)
  return {field: (old[field], new[field]) for field in new if field not in FREE and old[field] != new[field]}
