"""Reads one file of triples, exactly as it stands, or says which line is wrong and how to mend it.

The fast path splits the whole text at once; lines are looked at one by one only to explain a fault.
"""

from collections.abc import Iterator, Sequence
import contextlib
import gzip
import io
import pathlib
import re
import typing
import zlib

import numpy as np

from medjax.errors import DataError

SUFFIXES = ('.txt', '.tsv', '.csv')
HEAD = 2**20  # the first bytes of a file, which decide its layout
_CSV_FIELD = r'("(?:[^"]|"")*"|[^",]*)'
_CSV_LINE = re.compile(f'{_CSV_FIELD},{_CSV_FIELD},{_CSV_FIELD}')
_HEADER_NAMES = {
  'h': ('h', 'head', 'subject', 'subj', 's', 'source', 'head_id', 'from'),
  'r': ('r', 'relation', 'predicate', 'pred', 'p', 'rel', 'relation_id', 'edge'),
  't': ('t', 'tail', 'object', 'obj', 'o', 'target', 'tail_id', 'to'),
}
_SEPARATORS = {'\t': 'tab', ',': 'comma', ' ': 'space'}


class Table(typing.NamedTuple):
  """The columns of one file, in file order; row i stands on line `first_line + i`."""

  heads: list[str]
  relations: list[str]
  tails: list[str]
  first_line: int  # 1, or 2 after a header
  header: tuple[str, ...]  # the line that was taken for a header, or ()


class Layout(typing.NamedTuple):
  """How the lines of a file are written."""

  separator: str
  quoted: bool  # fields may stand in quotes
  header: tuple[str, ...]  # the line that is a header, or ()


def read_table(path: str | pathlib.Path, columns: str = 'hrt', header: str = 'auto') -> Table:
  """Reads a file of triples.

  Tabs separate the fields of .txt and .tsv, where a quote is an ordinary character; commas those of .csv,
  where a field may be quoted (RFC 4180, but within one line). A .txt without tabs may use commas or single
  spaces. The text is UTF-8, plain or gzipped. Identifiers are kept character by character.

  Args:
    path: a .txt, .tsv or .csv file, perhaps with a further .gz.
    columns: the order of head, relation and tail: a permutation of 'hrt'.
    header: 'yes', 'no', or 'auto': a first line such as `head relation tail` is one.

  Returns:
    A Table; its first three fields are the heads, relations and tails as lists of str.

  Raises:
    DataError: anything that is not three non-empty fields on every line.
  """
  path = pathlib.Path(path)
  check_layout(columns, header)
  text = read_text(path)
  first_line, end = 1, len(text)
  while end and text[end - 1] in '\r\n':  # blank lines at the end mean nothing
    end -= 1
  text = text[:end].replace('\r\n', '\n')
  if not text.strip():
    raise DataError(f'{path}: the file is empty. It should hold one triple a line.')
  suffix = file_suffix(path)
  separator = _separator(path, suffix, text)
  quoted = suffix == '.csv' and '"' in text
  fields = _csv_fields(path, text) if quoted else _plain_fields(path, text, separator)
  _check_filled(path, fields)
  names = _header(path, fields[:3], columns, header)
  if names:
    fields, first_line = fields[3:], 2
    if not fields:
      raise only_a_header(path, names)
  heads, relations, tails = (fields[columns.index(c) :: 3] for c in 'hrt')
  return Table(heads, relations, tails, first_line, names)


def only_a_header(path: str | pathlib.Path, names: Sequence[str]) -> DataError:
  """The error of a file that ends after its header."""
  return DataError(
    f'{path}: nothing follows the header {",".join(names)!r}. Add one triple a line, or say --config.data.header=no if '
    'that line is a triple.'
  )


def read_layout(path: str | pathlib.Path, columns: str = 'hrt', header: str = 'auto') -> Layout:
  """Returns the Layout of a file of any size from its first lines; the arguments and errors are read_table's."""
  path = pathlib.Path(path)
  check_layout(columns, header)
  with opened(path) as file:
    content = file.read(HEAD)
    more = bool(file.read(1))
  if more and b'\n' in content:
    content = content[: content.rfind(b'\n')]
  text = _decode(path, content).replace('\r\n', '\n').strip('\n')
  if not text.strip():
    raise DataError(f'{path}: the file is empty. It should hold one triple a line.')
  suffix = file_suffix(path)
  separator, first = _separator(path, suffix, text), text.partition('\n')[0]
  fields = _csv_fields(path, first) if suffix == '.csv' else _plain_fields(path, first, separator)
  return Layout(separator, suffix == '.csv', _header(path, fields, columns, header))


def read_lines(path: str | pathlib.Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
  """Yields (number, its three fields) of every line that is not blank; a file of any size is walked.

  Raises:
    DataError: as read_table does, at the first line that is not three non-empty fields.
  """
  path = pathlib.Path(path)
  with opened(path) as file:
    for number, content in enumerate(file, 1):
      line = _decode(path, content, number).removesuffix('\n').removesuffix('\r')
      if not line or (number == 1 and layout.header):
        continue
      fields = _csv_fields(path, line, number) if layout.quoted else line.split(layout.separator)
      if len(fields) != 3:
        raise _wrong_width(path, number, line, fields, layout.separator)
      _check_filled(path, fields, number)
      yield number, fields


@contextlib.contextmanager
def opened(path: str | pathlib.Path) -> Iterator[io.BufferedIOBase]:
  """Yields the binary content of a file as a stream, unpacked where it is gzipped; DataError if it cannot be read."""
  try:
    with (gzip.open if is_packed(path) else open)(path, 'rb') as file:
      yield file
  except (OSError, EOFError, zlib.error) as error:
    raise _unreadable(path, error) from error


def is_packed(path: str | pathlib.Path) -> bool:
  """Whether a file is gzipped: its content says so, not its name."""
  with open(path, 'rb') as file:
    return file.read(2) == b'\x1f\x8b'


def check_layout(columns: str, header: str) -> None:
  """Raises DataError unless `columns` and `header` have values that read_table knows."""
  if not isinstance(columns, str) or sorted(columns) != ['h', 'r', 't']:
    raise DataError(f"data.columns is {columns!r}, but has to be 'hrt' in some order, e.g. 'hrt' or 'htr'.")
  if header not in ('auto', 'yes', 'no'):
    raise DataError(f"data.header is {header!r}, but has to be 'auto', 'yes' or 'no'.")


def file_suffix(path: str | pathlib.Path) -> str:
  """The suffix that says how a file is written: that before .gz, in lower case."""
  name = pathlib.Path(path).name.lower()
  return pathlib.PurePath(name.removesuffix('.gz')).suffix


def read_bytes(path: str | pathlib.Path) -> bytes:
  """The content of a file, unpacked where it is gzipped."""
  path = pathlib.Path(path)
  try:
    content = path.read_bytes()
    return gzip.decompress(content) if content[:2] == b'\x1f\x8b' else content
  except (OSError, EOFError, zlib.error) as error:  # gzip's BadGzipFile is an OSError
    raise _unreadable(path, error) from error


def _unreadable(path: str | pathlib.Path, error: Exception) -> DataError:
  return DataError(f'{path}: cannot be read ({error}). Check that the file is there, may be read and is whole.')


def read_text(path: str | pathlib.Path) -> str:
  """The text of a UTF-8 file, plain or gzipped, without its byte order mark."""
  return _decode(path, read_bytes(path))


def _decode(path: str | pathlib.Path, content: bytes, first_line: int = 1) -> str:
  try:
    text = content.decode('utf-8')
  except UnicodeDecodeError as error:
    line = content.count(b'\n', 0, error.start) + first_line
    raise DataError(
      f'{path}, line {line}: byte {content[error.start : error.start + 1]!r} at offset '
      f'{error.start} is not UTF-8. Save it as UTF-8, e.g. with `iconv -f LATIN1 -t UTF-8`.'
    ) from error
  at = text.find('\0')
  if at >= 0:
    raise DataError(
      f'{path}, line {text.count(chr(10), 0, at) + first_line}: a zero byte. This is no text, or text '
      'in UTF-16. Save the file as UTF-8.'
    )
  return text.removeprefix('\ufeff')


def _separator(path: pathlib.Path, suffix: str, text: str) -> str:
  """The character between fields."""
  if suffix == '.csv':
    return ','
  first = text.partition('\n')[0]
  if suffix == '.tsv' or '\t' in first:
    return '\t'
  fitting = [c for c in ', ' if first.count(c) == 2]
  if len(fitting) == 2:  # the first line fits both separators; perhaps only one fits all lines
    lines = text.split('\n')
    fitting = [c for c in fitting if all(line.count(c) == 2 for line in lines)]
  if len(fitting) == 1 and not (fitting == [','] and '"' in text):
    return fitting[0]
  fault = (
    'both commas and spaces cut it into 3 fields'
    if len(fitting) == 2
    else 'quotes among commas'
    if fitting
    else 'neither tabs, commas nor spaces cut it into 3 fields'
  )
  raise DataError(
    f'{path}, line 1: {first[:120]!r}: {fault}. Separate the fields by tabs, or name the file '
    '.csv and separate them by commas.'
  )


def _plain_fields(path: pathlib.Path, text: str, separator: str) -> list[str]:
  """All fields in one list, three a line, from text without quoting."""
  content = np.frombuffer(text.encode('utf-8'), np.uint8)
  ends = np.append(np.flatnonzero(content == ord('\n')), len(content))
  marks = np.flatnonzero(content == ord(separator))
  if len(marks) == 2 * len(ends):  # two separators a line on average; below: that each line's two lie within that line
    last_of_line, starts = marks[1::2], np.append(-1, ends[:-1])
    if (last_of_line < ends).all() and (marks[::2] > starts).all():
      return text.replace('\n', separator).split(separator)
  for number, line in enumerate(text.split('\n'), 1):
    if line.count(separator) != 2:
      raise _wrong_width(path, number, line, line.split(separator), separator)
  raise AssertionError('unreachable: the counts above disagree with str.count')


def _csv_fields(path: pathlib.Path, text: str, first_line: int = 1) -> list[str]:
  """All fields in one list, three a line, from comma separated text in which some fields are quoted."""
  fields = []
  for number, line in enumerate(text.split('\n'), first_line):
    if '"' not in line:
      parts = line.split(',')
      if len(parts) != 3:
        raise _wrong_width(path, number, line, parts, ',')
      fields += parts
      continue
    match = _CSV_LINE.fullmatch(line)
    if not match:
      whole = re.fullmatch(f'{_CSV_FIELD}(,{_CSV_FIELD})*', line)
      if whole:
        raise _wrong_width(path, number, line, re.findall(f'(?:^|,){_CSV_FIELD}', line), ',')
      raise DataError(
        f'{path}, line {number}: stray or unbalanced quote in {line[:120]!r}. Quote whole '
        'fields, double the quotes within them, or use a .tsv, where a quote is an ordinary '
        'character.'
      )
    fields += [part[1:-1].replace('""', '"') if part.startswith('"') else part for part in match.groups()]
  return fields


def _wrong_width(path: pathlib.Path, number: int, line: str, parts: Sequence[object], separator: str) -> DataError:
  name = _SEPARATORS[separator]
  if not line.strip():
    return DataError(f'{path}, line {number}: the line is blank. Delete it.')
  columns = f'{len(parts)} column' + 's' * (len(parts) != 1)
  remedy = f'Separate head, relation and tail by one {name} each'
  if len(parts) > 3:
    remedy = f'Remove the stray {name}' + (' or quote the field' if separator == ',' else '')
  return DataError(f'{path}, line {number}: {columns} instead of 3 in {line[:120]!r}. {remedy}.')


def _check_filled(path: pathlib.Path, fields: Sequence[str], first_line: int = 1) -> None:
  if all(field.strip() for field in set(fields)):
    return
  index = next(i for i, field in enumerate(fields) if not field.strip())
  raise DataError(
    f'{path}, line {index // 3 + first_line}: field {index % 3 + 1} of 3 is empty ({fields[index]!r}). '
    'Give every triple a head, a relation and a tail.'
  )


def _header(path: pathlib.Path, first: Sequence[str], columns: str, header: str) -> tuple[str, ...]:
  """The first line as a tuple if it is a header, else ()."""
  if header == 'no':
    return ()
  names = [field.strip().lower() for field in first]
  role_of = {name: role for role, known in _HEADER_NAMES.items() for name in known}
  roles = ''.join(role_of.get(name, '?') for name in names)
  known = sorted(roles) == ['h', 'r', 't']
  if known and roles != columns:
    raise DataError(
      f'{path}, line 1: the header {",".join(first)!r} puts the columns in the order '
      f'{roles!r}, but data.columns is {columns!r}. Say --config.data.columns={roles}, or '
      '--config.data.header=no if the line is a triple.'
    )
  return tuple(first) if known or header == 'yes' else ()
