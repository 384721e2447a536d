"""The records of a text of triples under the `Layout` of its file, or which line is faulty and how to mend it."""

from collections.abc import Iterator, Sequence
import pathlib
import re
import typing

import numpy as np

from medjax.data import contents
from medjax.errors import DataError

SEPARATORS = {'\t': 'tab', ',': 'comma', ' ': 'space', ';': 'semicolon', '|': 'bar'}


class Layout(typing.NamedTuple):
  """How the lines of a file are written.

  Attributes:
    separator: the character between fields.
    quoted: fields may stand in quotes.
    width: fields of a line.
    places: of head, relation and tail among them.
    header: the line that is a header, or ().
    header_line: its number, or 0.
    comments: a line that begins with '#' may be a comment.
    order: how `places` were found, or ''.
    doubt: why the first line is no header, though it could be, or ''.
  """

  separator: str
  quoted: bool
  width: int
  places: tuple[int, int, int]
  header: tuple[str, ...]
  header_line: int
  comments: bool
  order: str
  doubt: str = ''

  @property
  def form(self) -> str:
    """The layout in words."""
    return f'text, {self.width} columns, {SEPARATORS[self.separator]}s between them'

  @property
  def lead(self) -> int | None:
    """Which of head (0), relation (1) and tail (2) a line begins with; None: none of them."""
    return self.places.index(0) if 0 in self.places else None

  @property
  def titles(self) -> tuple[str, ...]:
    """The header's names of head, relation and tail, or ()."""
    return tuple(self.header[place] for place in self.places) if self.header else ()

  @property
  def columns(self) -> str:
    """`places` as `data.columns` writes them: letters of three columns, else numbers."""
    if self.width == 3:
      return ''.join('hrt'[self.places.index(i)] for i in range(3))
    return ','.join(str(place + 1) for place in self.places)

  def notes(self, name: str) -> list[str]:
    """What a note tells of the layout of the file `name`."""
    if not self.header:
      return (
        [f'{name}: the first line was read as a triple, since {self.doubt}; --config.data.header=yes makes it a header']
        if self.doubt
        else []
      )
    order = f'; {self.order}' if self.order else ''
    return [f'{name}: line {self.header_line} taken for a header: {",".join(self.header)}{order}']


def of_file(
  path: str | pathlib.Path, layout: Layout, skipped: list[tuple[int, str]] | None = None
) -> Iterator[tuple[int, str, list[str]]]:
  """Yields (number, text, (head, relation, tail)) of every record of a file of any size.

  Args:
    path, layout: the file and its `Layout`.
    skipped: takes (number, text) of the comments.

  Raises:
    DataError: as `tables.read_table` does, at the first faulty record.
  """
  path = pathlib.Path(path)
  with contents.opened(path) as file:
    lines = (
      (number, contents.decode(path, content, number).removesuffix('\n').removesuffix('\r'))
      for number, content in enumerate(file, 1)
    )
    for number, text, fields in of_lines(path, lines, layout, [] if skipped is None else skipped):
      chosen = [fields[place] for place in layout.places]
      check_filled(path, [[field] for field in chosen], [number], layout)
      yield number, text, chosen


def has_hashes(path: str | pathlib.Path) -> bool:
  """Whether a line of a file of any size begins with '#'."""
  last = b'\n'
  with contents.opened(path) as file:
    while piece := file.read(contents.HEAD):
      if b'\n#' in last + piece:
        return True
      last = piece[-1:]
  return False


def of_lines(
  path: pathlib.Path, lines: Iterator[tuple[int, str]], layout: Layout, skipped: list[tuple[int, str]]
) -> Iterator[tuple[int, str, list[str]]]:
  """Yields (number, text, fields) of every record of numbered lines; comments that are no record go to `skipped`."""
  for number, line in lines:
    if not line or number == layout.header_line:
      continue
    if layout.comments and line.startswith('#') and not _may_be_record(path, number, line, layout):
      skipped.append((number, line))
      continue
    text = line
    if layout.quoted and line.count('"') % 2:  # a quoted field goes on in the next line
      parts, odd = [line], True
      while odd and (following := next(lines, None)):
        parts.append(following[1])
        odd ^= following[1].count('"') % 2 == 1
      text = '\n'.join(parts)
    fields = _split(path, number, text, layout)
    if layout.width and len(fields) != layout.width:  # 0: it is not known yet
      raise _ragged(path, number, text, fields, layout)
    yield number, text, fields


def _may_be_record(path: pathlib.Path, number: int, line: str, layout: Layout) -> bool:
  """Whether a line that begins with '#' has the fields of a record."""
  if layout.lead is None:
    return False
  try:
    return len(_split(path, number, line, layout)) == layout.width or not layout.width
  except DataError:
    return False


def _split(path: pathlib.Path, number: int, text: str, layout: Layout) -> list[str]:
  """The fields of a record."""
  if not layout.quoted or '"' not in text:
    return text.split(layout.separator)
  quoted = re.compile(rf'"((?:[^"]|"")*)"(?={layout.separator}|\Z)|([^"{layout.separator}]*)(?={layout.separator}|\Z)')
  fields, at = [], 0
  while match := quoted.match(text, at):
    fields.append(match[2] if match[1] is None else match[1].replace('""', '"'))
    at = match.end() + 1
    if at > len(text):
      return fields
  raise DataError(
    f'{path}, line {number}: stray or unbalanced quote in {text[:120]!r}. Quote whole '
    'fields, double the quotes within them, or use a .tsv, where a quote is an ordinary '
    'character.'
  )


def plain_fields(path: pathlib.Path, text: str, layout: Layout, lines: Sequence[int]) -> list[str]:
  """Returns all fields in one list, line after line, of text without quoting whose lines have these numbers."""
  separator, width = layout.separator, layout.width
  content = np.frombuffer(text.encode('utf-8'), np.uint8)
  ends = np.append(np.flatnonzero(content == ord('\n')), len(content))
  marks = np.flatnonzero(content == ord(separator))
  if len(marks) == (width - 1) * len(ends):  # as many as fit on average; below: that each line has its own
    of_line, starts = marks.reshape(len(ends), width - 1), np.append(-1, ends[:-1])
    if (of_line[:, -1] < ends).all() and (of_line[:, 0] > starts).all():
      return text.replace('\n', separator).split(separator)
  for number, line in zip(lines, text.split('\n')):
    if line.count(separator) != width - 1:
      raise _ragged(path, number, line, line.split(separator), layout)
  raise AssertionError('unreachable: the counts above disagree with str.count')


def _ragged(path: pathlib.Path, number: int, line: str, parts: Sequence[object], layout: Layout) -> DataError:
  name, width = SEPARATORS[layout.separator], layout.width
  if not line.strip():
    return DataError(f'{path}, line {number}: the line is blank. Delete it.')
  count = f'{len(parts)} column' + 's' * (len(parts) != 1)
  remedy = (
    f'Separate head, relation and tail by one {name} each' if width == 3 else 'Give every line the columns of the first'
  )
  if len(parts) > width:
    remedy = f'Remove the stray {name}' + (' or quote the field' if layout.quoted else '')
  return DataError(f'{path}, line {number}: {count} instead of {width} in {line[:120]!r}. {remedy}.')


def check_filled(path: pathlib.Path, chosen: Sequence[Sequence[str]], lines: Sequence[int], layout: Layout) -> None:
  """Raises DataError where a head, a relation or a tail is empty; `chosen` are their columns, `lines` their lines."""
  if all(field.strip() for column in chosen for field in set(column)):
    return
  row = min(next((i for i, field in enumerate(column) if not field.strip()), len(lines)) for column in chosen)
  place = min((i for i in range(3) if not chosen[i][row].strip()), key=layout.places.__getitem__)
  raise DataError(
    f'{path}, line {lines[row]}: field {layout.places[place] + 1} of {layout.width} is empty ({chosen[place][row]!r}). '
    'Give every triple a head, a relation and a tail.'
  )


def empty(path: str | pathlib.Path) -> DataError:
  """The error of a file that holds no triple."""
  return DataError(f'{path}: the file is empty. It should hold one triple a line.')


def only_a_header(path: str | pathlib.Path, names: Sequence[str]) -> DataError:
  """The error of a file that ends after its header."""
  return DataError(
    f'{path}: nothing follows the header {",".join(names)!r}. Add one triple a line, or say --config.data.header=no if '
    'that line is a triple.'
  )
