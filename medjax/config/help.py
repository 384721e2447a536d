"""What help says of the fields: their defaults, and the comments that stand beside them where they are declared."""

from collections.abc import Collection
import dataclasses
import inspect
import re
import sys
import textwrap

from medjax.config.fields import Config
from medjax.config.flat import flatten
from medjax.config.text import TextConfig

FIELD = re.compile(r'  (\w+): [^#]*(?:# (.*))?')
MORE = re.compile(r'  # (.*)')
CLASS = re.compile(r'class (\w+):')
KINDS = {Config: 'Fields of a configuration', TextConfig: "Fields of a BERT's configuration"}
Kind = type[Config] | type[TextConfig]


def comments(of: Kind = Config) -> dict[str, str]:
  """Returns {dotted field: what is said of it} of a kind of configuration, of the lines that declare it."""
  sections = {of.__name__: ''} | {
    field.type.__name__: f'{field.name}.'
    for field in dataclasses.fields(of)
    if isinstance(field.type, type) and dataclasses.is_dataclass(field.type)
  }
  found: dict[str, str] = {}
  section, field = None, ''
  for line in inspect.getsource(sys.modules[of.__module__]).splitlines():
    if match := CLASS.match(line):
      section, field = sections.get(match[1]), ''
    elif section is not None and (match := FIELD.fullmatch(line)) and match[2]:
      field = f'{section}{match[1]}'
      found[field] = match[2]
    elif (match := MORE.fullmatch(line)) and field:
      found[field] += f' {match[1]}'
  return found


def matching(name: str, of: Kind = Config) -> list[str]:
  """Returns the fields that a name stands for: of 'config' all, of a section its own, or those of this name.

  >>> matching('config.parallel')[0], matching('train.batch'), matching('batch')
  ('parallel.mode', ['train.batch'], ['train.batch', 'eval.batch'])
  >>> matching('bert.reorder'), matching('bert.reorder', TextConfig)
  ([], ['bert.reorder'])
  """
  name = name.removeprefix('config.').rstrip('.')
  return [field for field in comments(of) if name == 'config' or f'.{name}.' in f'.{field}.']


def text(width: int = 100, chosen: Collection[str] | None = None, of: Kind = Config) -> str:
  """Returns a paragraph for every field, or for these: --config.NAME=DEFAULT, and what it means."""
  said = comments(of)
  lines = [f'{KINDS[of]}, with the values of one that does not set them:', '']
  for field, default in flatten(of()).items():
    if chosen is None or field in chosen:
      lines.append(f'  --config.{field}={default!r}' if isinstance(default, str) else f'  --config.{field}={default}')
      lines += textwrap.wrap(said[field], width, initial_indent=' ' * 4, subsequent_indent=' ' * 4)
  return '\n'.join(lines)
