"""What help says of the fields: their defaults, and the comments that stand beside them in `config.fields`."""

from collections.abc import Collection
import inspect
import re
import textwrap

from medjax.config import fields
from medjax.config.flat import flatten

FIELD = re.compile(r'  (\w+): [^#]*(?:# (.*))?')
MORE = re.compile(r'  # (.*)')
CLASS = re.compile(r'class (\w+)Config:')


def comments() -> dict[str, str]:
  """Returns {dotted field: what is said of it}, of the lines of `config.fields`."""
  found: dict[str, str] = {}
  section = field = ''
  for line in inspect.getsource(fields).splitlines():
    if match := CLASS.match(line):
      section = f'{match[1].lower()}.'
    elif line.startswith('class '):
      section = ''
    elif (match := FIELD.fullmatch(line)) and match[2]:
      field = f'{section}{match[1]}'
      found[field] = match[2]
    elif (match := MORE.fullmatch(line)) and field:
      found[field] += f' {match[1]}'
  return found


def matching(name: str) -> list[str]:
  """Returns the fields that a name stands for: of 'config' all, of a section its own, or those of this name.

  >>> matching('config.parallel')[0], matching('train.batch'), matching('batch')
  ('parallel.mode', ['train.batch'], ['train.batch', 'eval.batch'])
  """
  name = name.removeprefix('config.').rstrip('.')
  return [field for field in comments() if name == 'config' or f'.{name}.' in f'.{field}.']


def text(width: int = 100, chosen: Collection[str] | None = None) -> str:
  """Returns a paragraph for every field, or for these: --config.NAME=DEFAULT, and what it means."""
  said = comments()
  lines = ['Fields of a configuration, with the values of one that does not set them:', '']
  for field, default in flatten(fields.Config()).items():
    if chosen is None or field in chosen:
      lines.append(f'  --config.{field}={default!r}' if isinstance(default, str) else f'  --config.{field}={default}')
      lines += textwrap.wrap(said[field], width, initial_indent=' ' * 4, subsequent_indent=' ' * 4)
  return '\n'.join(lines)
