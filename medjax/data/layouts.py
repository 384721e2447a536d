"""How a file of triples is written, found from its first lines."""

from collections.abc import Sequence
import itertools
import pathlib
import re

from medjax.data import columns as columns_lib
from medjax.data import contents, records
from medjax.data.records import Layout, SEPARATORS
from medjax.errors import DataError

SAMPLE = 2000  # records that decide


def read(path: str | pathlib.Path, columns: str = 'hrt', header: str = 'auto', comments: str = 'auto') -> Layout:
  """Returns the `Layout` of a file of any size from its first lines; see `tables.read_table`."""
  path = pathlib.Path(path)
  check(columns, header, comments)
  text = contents.decode(path, contents.read_head(path)).replace('\r\n', '\n').rstrip('\r\n')
  return find(path, text, columns, header, comments)


def check(columns: str, header: str, comments: str = 'auto') -> None:
  """Raises DataError unless the arguments have values that `tables.read_table` knows."""
  columns_lib.check(columns, header)
  if comments not in ('auto', 'no'):
    raise DataError(f"data.comments is {comments!r}, but has to be 'auto' or 'no'.")


def find(path: pathlib.Path, text: str, columns: str, header: str, comments: str) -> Layout:
  """Returns the `Layout` of a text by its first lines."""
  lines = list(itertools.islice(enumerate(text.split('\n'), 1), 2 * SAMPLE))
  filled = [i for i, (_, line) in enumerate(lines) if line.strip()]
  if not filled:
    raise records.empty(path)
  skips = comments == 'auto'
  bare = [i for i in filled if not (skips and lines[i][1].startswith('#'))]
  if not bare:  # names begin with '#', or nothing else is there
    bare, skips = filled, False
  first = bare[0]
  suffix = contents.file_suffix(path)
  _check_count(path, [lines[i] for i in bare])
  separator = _separator(path, suffix, [lines[i] for i in bare], columns)
  layout = Layout(separator, suffix == '.csv', 0, (0, 1, 2), (), 0, skips, '')
  _, _, fields = next(records.of_lines(path, iter(lines[first:]), layout, []))
  layout = layout._replace(width=len(fields))
  for number, line in reversed(lines[:first]):  # a header may be marked as a comment
    names = line.lstrip('# ').split(separator)
    meant = header == 'yes' or columns_lib.is_header(names) or set(columns.split(',')) <= set(names)
    if header != 'no' and len(names) == layout.width and meant:
      lines, first = [(number, line.lstrip('# ')), *lines[first:]], 0
      break
  rows = []
  try:
    for _, _, fields in records.of_lines(path, iter(lines[first:]), layout, []):
      rows.append(fields)
  except DataError:
    if not rows:
      raise
  choice = columns_lib.choose(path, rows[:SAMPLE], columns, header, lines[first][0], SEPARATORS[separator])
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
    f' {SEPARATORS[more[0]]}s cut every line into {first.count(more[0]) + 1}: say which are head, relation and tail '
    'by --config.data.columns=1,2,3 (numbers or names).'
    if len(more) == 1 and len(lines) > 1 and not fitting
    else ' Separate the fields by tabs, or name the file .csv and separate them by commas.'
  )
  raise DataError(f'{path}, line {lines[0][0]}: {first[:120]!r}: {fault}.{remedy}')


def whole_lines(text: str) -> str:
  """Returns the first lines of a text, none of them cut."""
  return text if len(text) <= contents.HEAD else text[: contents.HEAD].rpartition('\n')[0] or text
