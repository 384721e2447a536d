"""Files that say which row is which entity or relation, written and read."""

from collections.abc import Sequence
import pathlib
from typing import Literal, TYPE_CHECKING

from medjax import errors
from medjax.core import files
from medjax.data import contents
from medjax.saved.files import write_text
from medjax.saved.graph_files import escape

if TYPE_CHECKING:
  from medjax.serve.model import Model

DIGITS = 18  # of the number of a row: Python reads no numbers of thousands of them


def write(folder: pathlib.Path, model: 'Model') -> None:
  """Writes entities.tsv and relations.tsv: a header `id`, `label`, then row i of the tables on line i + 2."""
  for name, words in (('entities', model.entities), ('relations', model.relations)):
    rows = ''.join(f'{escape(i)}\t{escape(label)}\n' for i, label in zip(words.identifiers, words.labels))
    write_text(folder / f'{name}.tsv', f'id\tlabel\n{rows}')


def read(path: pathlib.Path, first: Literal['id', 'name']) -> tuple[str, ...]:
  """Returns the names in the order of their ids, from a file (perhaps .gz) of two columns between tabs.

  A first line without a number, such as `id<tab>label`, is a header.

  Args:
    path: the file.
    first: what the first column holds: the row's number ('id'), or its name.

  Raises:
    errors.DataError: no such file, or its ids are not 0, 1, 2, ... each once; the line is named.
  """
  try:
    files.check(path)
    lines = contents.read_text(path).replace('\r\n', '\n').removesuffix('\n').split('\n')
  except OSError as error:
    raise errors.DataError(f'{path}: cannot be read ({error}); it has to say which row is which name.') from error
  found: dict[int, str] = {}
  for line, text in enumerate(lines, 1):
    fields = text.split('\t')
    number, name = (fields if first == 'id' else fields[::-1]) if len(fields) == 2 else ('', '')
    if line == 1 and len(fields) == 2 and not number.isdecimal():
      continue
    if not number.isdecimal() or len(number) > DIGITS or int(number) in found:
      expected = '<tab>'.join(('number', 'name') if first == 'id' else ('name', 'number'))
      raise errors.DataError(f'{path}, line {line}: {text[:120]!r} is not {expected}, or its number came before.')
    found[int(number)] = name
  if sorted(found) != list(range(len(found))):
    missing = next(i for i in range(len(found)) if i not in found)
    raise errors.DataError(f'{path}: no line has the number {missing}; its {len(found)} lines have to number the rows.')
  return tuple(found[i] for i in range(len(found)))


def find(folder: pathlib.Path, *patterns: str) -> pathlib.Path:
  """Returns the only file of a folder that matches the first pattern that any matches.

  Raises:
    errors.DataError: none does, or several do.
    errors.ArtifactError: it is no file, or a link that leaves the folder.
  """
  for pattern in patterns:
    found = sorted(folder.glob(pattern))
    if len(found) == 1:
      try:
        files.check(found[0])
      except OSError as error:
        raise errors.DataError(f'{found[0]}: cannot be read ({error}). Copy it again.') from error
      return found[0]
    if found:
      raise errors.DataError(f'{folder}: several files match {pattern}: {", ".join(f.name for f in found)}. Leave one.')
  there = ', '.join(sorted(entry.name for entry in folder.iterdir())[:20]) if folder.is_dir() else 'no such folder'
  raise errors.DataError(f'{folder}: lacks {" or ".join(patterns)}; it holds: {there or "nothing"}.')


def distinct(words: Sequence[str]) -> tuple[str, ...]:
  """Returns words without white space, each once: a run of white space becomes _, and repeated words are numbered.

  >>> distinct(['New York', 'New_York', 'Rome'])
  ('New_York', 'New_York_2', 'Rome')
  """
  taken: set[str] = set()
  found = []
  for word in words:
    plain = '_'.join(word.split()) or '_'
    unique, count = plain, 1
    while unique in taken:
      count += 1
      unique = f'{plain}_{count}'
    taken.add(unique)
    found.append(unique)
  return tuple(found)
