"""Reads one text file of triples, exactly as it stands, or says which line is wrong and how to mend it.

The fast path splits the whole text at once; lines are looked at one by one where some are blank or begin with '#',
where quoted fields may hold line breaks, and to explain a fault.
"""

import collections
from collections.abc import Iterator, Mapping, Sequence
import itertools
import pathlib
import re
import types
import typing

import numpy as np

from medjax.data import columns as columns_lib
from medjax.data import contents
from medjax.errors import DataError

SUFFIXES = ('.txt', '.tsv', '.csv')
SAMPLE = 2000  # records that decide the layout
_NAMES = {'\t': 'tab', ',': 'comma', ' ': 'space', ';': 'semicolon', '|': 'bar'}


class Table(typing.NamedTuple):
  """The triples of one file, in file order.

  Attributes:
    heads, relations, tails: lists of str, of the same length M.
    lines: M numbers of the lines on which the triples stand, or of what `unit` says.
    form: how the file is written, in words.
    header: the line that was taken for a header, or ().
    notes: what a person should know of how it was read.
    labels: {identifier: label}, of a file that brings them.
    unit: what `lines` counts.
    order: the columns of head, relation and tail, as `data.columns` writes them; '' where a file has no columns.
  """

  heads: list[str]
  relations: list[str]
  tails: list[str]
  lines: Sequence[int]
  form: str
  header: tuple[str, ...] = ()
  notes: tuple[str, ...] = ()
  labels: Mapping[str, str] = types.MappingProxyType({})
  unit: str = 'line'
  order: str = ''


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
    return f'text, {self.width} columns, {_NAMES[self.separator]}s between them'

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


def read_table(path: str | pathlib.Path, columns: str = 'hrt', header: str = 'auto', comments: str = 'auto') -> Table:
  """Reads a file of triples.

  Tabs separate the fields of .txt and .tsv, where a quote is an ordinary character; commas (or semicolons, where the
  first line has no comma) those of .csv, where a field may be quoted (RFC 4180). A .txt without tabs may use commas,
  semicolons or single spaces. The text is UTF-8, plain or packed. Identifiers are kept character by character; blank
  lines are skipped.

  Args:
    path: a .txt, .tsv or .csv file, perhaps with a further .gz, .bz2 or .xz.
    columns: the order of head, relation and tail, a permutation of 'hrt'; or their columns by name or number,
      'subject,predicate,object' or '2,3,4'. Under 'hrt', a header that is recognised decides.
    header: 'yes', 'no', or 'auto': a first line such as `head relation tail` is one.
    comments: 'auto' skips lines that begin with '#' and are no triple; 'no' keeps all lines.

  Returns:
    A Table.

  Raises:
    DataError: lines of different widths, an empty field, more than three columns of which nothing says which are
      meant, and what is no text (see `contents.decode`).
  """
  path = pathlib.Path(path)
  check_layout(columns, header, comments)
  text = contents.read_text(path).replace('\r\n', '\n').rstrip('\r\n')
  layout = _layout(path, _whole_lines(text), columns, header, comments)
  skipped: list[tuple[int, str]] = []
  hashes = layout.comments and (text.startswith('#') or '\n#' in text)
  lines: Sequence[int] = range(1, 2 + text.count('\n'))
  if (layout.quoted and '"' in text) or hashes or layout.header_line > 1 or text.startswith('\n') or '\n\n' in text:
    records = list(_records(path, enumerate(text.split('\n'), 1), layout, skipped))
    fields, lines = list(itertools.chain.from_iterable(row for _, _, row in records)), [at for at, _, _ in records]
  elif layout.header:
    text, lines = text.partition('\n')[2], lines[1:]
    fields = _plain_fields(path, text, layout, lines) if text else []
  else:
    fields = _plain_fields(path, text, layout, lines)
  chosen = [fields[place :: layout.width] for place in layout.places]
  _check_filled(path, chosen, lines, layout)
  copies = _copies(chosen, layout.titles)
  marked = _comments(chosen, layout.lead) if hashes and layout.lead is not None else set()
  skipped += [(lines[row], layout.separator.join(column[row] for column in chosen)) for row in marked]
  if drop := copies | marked:
    keep = [row for row in range(len(lines)) if row not in drop]
    chosen, lines = [[column[row] for row in keep] for column in chosen], [lines[row] for row in keep]
  if not lines:
    raise only_a_header(path, layout.header) if layout.header else empty(path)
  notes = layout.notes(path.name) + skip_notes(path.name, len(skipped), min(skipped, default=(0, '')), len(copies))
  if broken := _broken(chosen) if layout.quoted else []:
    notes.append(f'{path.name}: names hold line breaks in {len(broken)} triples, such as on line {lines[broken[0]]}')
  return Table(
    chosen[0],
    chosen[1],
    chosen[2],
    lines,
    layout.form,
    layout.header,
    tuple(notes),
    order=layout.columns,
  )


def skip_notes(name: str, count: int, first: tuple[int, str], copies: int) -> list[str]:
  """Notes on what was skipped: `count` comments, the `first` (line, text) among them, and `copies` of the header."""
  notes = []
  if count:
    notes.append(
      f'{name}: {count} comment{"s" * (count != 1)} skipped, lines that begin with # and are no triple'
      + (f', such as line {first[0]}: {first[1][:60]!r}' if first[0] else '')
      + '; --config.data.comments=no keeps them'
    )
  if copies:
    notes.append(f'{name}: {copies} further lines are copies of the header, and skipped')
  return notes


def empty(path: str | pathlib.Path) -> DataError:
  """The error of a file that holds no triple."""
  return DataError(f'{path}: the file is empty. It should hold one triple a line.')


def only_a_header(path: str | pathlib.Path, names: Sequence[str]) -> DataError:
  """The error of a file that ends after its header."""
  return DataError(
    f'{path}: nothing follows the header {",".join(names)!r}. Add one triple a line, or say --config.data.header=no if '
    'that line is a triple.'
  )


def read_layout(path: str | pathlib.Path, columns: str = 'hrt', header: str = 'auto', comments: str = 'auto') -> Layout:
  """Returns the Layout of a file of any size from its first lines; the arguments and errors are read_table's."""
  path = pathlib.Path(path)
  check_layout(columns, header, comments)
  text = contents.decode(path, contents.read_head(path)).replace('\r\n', '\n').rstrip('\r\n')
  return _layout(path, text, columns, header, comments)


def read_lines(
  path: str | pathlib.Path, layout: Layout, skipped: list[tuple[int, str]] | None = None
) -> Iterator[tuple[int, str, list[str]]]:
  """Yields (number, text, (head, relation, tail)) of every record of a file of any size.

  Args:
    path, layout: the file and its `Layout`.
    skipped: takes (number, text) of the comments.

  Raises:
    DataError: as read_table does, at the first faulty record.
  """
  path = pathlib.Path(path)
  with contents.opened(path) as file:
    lines = (
      (number, contents.decode(path, content, number).removesuffix('\n').removesuffix('\r'))
      for number, content in enumerate(file, 1)
    )
    for number, text, fields in _records(path, lines, layout, [] if skipped is None else skipped):
      chosen = [fields[place] for place in layout.places]
      _check_filled(path, [[field] for field in chosen], [number], layout)
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


def check_layout(columns: str, header: str, comments: str = 'auto') -> None:
  """Raises DataError unless the arguments have values that read_table knows."""
  columns_lib.check(columns, header)
  if comments not in ('auto', 'no'):
    raise DataError(f"data.comments is {comments!r}, but has to be 'auto' or 'no'.")


def _whole_lines(text: str) -> str:
  """The first lines of a text."""
  return text if len(text) <= contents.HEAD else text[: contents.HEAD].rpartition('\n')[0] or text


def _layout(path: pathlib.Path, text: str, columns: str, header: str, comments: str) -> Layout:
  """The Layout of a text by its first lines."""
  lines = list(itertools.islice(enumerate(text.split('\n'), 1), 2 * SAMPLE))
  filled = [i for i, (_, line) in enumerate(lines) if line.strip()]
  if not filled:
    raise empty(path)
  skips = comments == 'auto'
  bare = [i for i in filled if not (skips and lines[i][1].startswith('#'))]
  if not bare:  # names begin with '#', or nothing else is there
    bare, skips = filled, False
  first = bare[0]
  suffix = contents.file_suffix(path)
  _check_count(path, [lines[i] for i in bare])
  separator = _separator(path, suffix, [lines[i] for i in bare], columns)
  layout = Layout(separator, suffix == '.csv', 0, (0, 1, 2), (), 0, skips, '')
  _, _, fields = next(_records(path, iter(lines[first:]), layout, []))
  layout = layout._replace(width=len(fields))
  for number, line in reversed(lines[:first]):  # a header may be marked as a comment
    names = line.lstrip('# ').split(separator)
    meant = header == 'yes' or columns_lib.is_header(names) or set(columns.split(',')) <= set(names)
    if header != 'no' and len(names) == layout.width and meant:
      lines, first = [(number, line.lstrip('# ')), *lines[first:]], 0
      break
  rows = []
  try:
    for _, _, fields in _records(path, iter(lines[first:]), layout, []):
      rows.append(fields)
  except DataError:
    if not rows:
      raise
  choice = columns_lib.choose(path, rows[:SAMPLE], columns, header, lines[first][0], _NAMES[separator])
  titled = lines[first][0] if choice.header else 0
  return layout._replace(
    places=choice.places, header=choice.header, header_line=titled, order=choice.order, doubt=choice.doubt
  )


def _check_count(path: pathlib.Path, lines: Sequence[tuple[int, str]]) -> None:
  """Raises DataError for a first line that counts the others, as in a folder of OpenKE."""
  if len(lines) > 1 and lines[0][1].strip().isdigit() and re.fullmatch(r'\s*\d+\s+\d+\s+\d+\s*', lines[1][1]):
    raise DataError(
      f'{path}, line {lines[0][0]}: {lines[0][1].strip()} counts the lines that follow, which hold numbers: this is '
      'the form of OpenKE. Name the files train2id.txt, valid2id.txt and test2id.txt, put entity2id.txt and '
      'relation2id.txt beside them, and give the folder as data.path. Or take the count away; OpenKE writes '
      'head, tail, relation: --config.data.columns=htr.'
    )


def _separator(path: pathlib.Path, suffix: str, lines: Sequence[tuple[int, str]], columns: str) -> str:
  """The character between fields."""
  first = lines[0][1]
  if suffix == '.csv':
    return next((c for c in ',;\t' if c in first), ',')
  if suffix == '.tsv' or '\t' in first:
    return '\t'
  fits = (lambda line, c: line.count(c) >= 2) if ',' in columns else (lambda line, c: line.count(c) == 2)
  fitting = [c for c in ', ;|' if fits(first, c)]
  if len(fitting) > 1:  # the first line fits several separators; perhaps only one fits all lines
    fitting = [c for c in fitting if all(line.count(c) == first.count(c) for _, line in lines)]
  if len(fitting) == 1 and not (fitting == [','] and '"' in first):
    return fitting[0]
  fault = (
    'both commas and spaces cut it into 3 fields'
    if fitting == [',', ' ']
    else 'quotes among commas'
    if fitting == [',']
    else 'several characters cut it into 3 fields'
    if fitting
    else 'neither tabs, commas nor spaces cut it into 3 fields'
  )
  more = [c for c in ', ;|' if first.count(c) > 2 and all(line.count(c) == first.count(c) for _, line in lines)]
  remedy = (
    f' {_NAMES[more[0]]}s cut every line into {first.count(more[0]) + 1}: say which are head, relation and tail '
    'by --config.data.columns=1,2,3 (numbers or names).'
    if len(more) == 1 and len(lines) > 1 and not fitting
    else ' Separate the fields by tabs, or name the file .csv and separate them by commas.'
  )
  raise DataError(f'{path}, line {lines[0][0]}: {first[:120]!r}: {fault}.{remedy}')


def _plain_fields(path: pathlib.Path, text: str, layout: Layout, lines: Sequence[int]) -> list[str]:
  """All fields in one list, line after line, from text without quoting whose lines have these numbers."""
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


def _records(
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


def _ragged(path: pathlib.Path, number: int, line: str, parts: Sequence[object], layout: Layout) -> DataError:
  name, width = _NAMES[layout.separator], layout.width
  if not line.strip():
    return DataError(f'{path}, line {number}: the line is blank. Delete it.')
  count = f'{len(parts)} column' + 's' * (len(parts) != 1)
  remedy = (
    f'Separate head, relation and tail by one {name} each' if width == 3 else 'Give every line the columns of the first'
  )
  if len(parts) > width:
    remedy = f'Remove the stray {name}' + (' or quote the field' if layout.quoted else '')
  return DataError(f'{path}, line {number}: {count} instead of {width} in {line[:120]!r}. {remedy}.')


def _check_filled(path: pathlib.Path, chosen: Sequence[Sequence[str]], lines: Sequence[int], layout: Layout) -> None:
  if all(field.strip() for column in chosen for field in set(column)):
    return
  row = min(next((i for i, field in enumerate(column) if not field.strip()), len(lines)) for column in chosen)
  place = min((i for i in range(3) if not chosen[i][row].strip()), key=layout.places.__getitem__)
  raise DataError(
    f'{path}, line {lines[row]}: field {layout.places[place] + 1} of {layout.width} is empty ({chosen[place][row]!r}). '
    'Give every triple a head, a relation and a tail.'
  )


def _broken(chosen: Sequence[Sequence[str]]) -> list[int]:
  """Rows of which a name holds a line break."""
  return [row for row, names in enumerate(zip(*chosen)) if any('\n' in name for name in names)]


def _copies(chosen: Sequence[Sequence[str]], titles: Sequence[str]) -> set[int]:
  """Rows that repeat the header, as where files were put together."""
  if not titles or titles[1] not in chosen[1]:
    return set()
  return {i for i, row in enumerate(zip(*chosen)) if row == tuple(titles)}


def _comments(chosen: Sequence[Sequence[str]], lead: int) -> set[int]:
  """Rows with as many fields as a triple whose first begins with '#', and that are comments for all that.

  Where names begin with '#', as in another column, or where several rows begin with one name that is no other's with
  a '#' before it, such a row is a comment only if its name without the '#' is one of the others: a triple that was
  commented out. Else all such rows are comments.
  """
  first = chosen[lead]
  rows = [i for i, name in enumerate(first) if name.startswith('#')]
  elsewhere = set().union(*(column for i, column in enumerate(chosen) if i != lead))
  others = {name for name in first if not name.startswith('#')} | elsewhere
  times = collections.Counter(first[i] for i in rows if first[i].lstrip('# ') not in others)
  if max(times.values(), default=0) > 1 or any(name.startswith('#') for name in elsewhere):
    return {i for i in rows if first[i].lstrip('# ') in others}
  return set(rows)
