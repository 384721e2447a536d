"""Reads one text file of triples, exactly as it stands, or says which line is wrong and how to mend it.

The fast path splits the whole text at once; lines are looked at one by one where some are blank or begin with '#',
where quoted fields may hold line breaks, and to explain a fault.
"""

import collections
from collections.abc import Mapping, Sequence
import itertools
import pathlib
import types
import typing

from medjax.data import contents, layouts, records

SUFFIXES = ('.txt', '.tsv', '.csv')


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
  layouts.check(columns, header, comments)
  text = contents.read_text(path).replace('\r\n', '\n').rstrip('\r\n')
  layout = layouts.find(path, layouts.whole_lines(text), columns, header, comments)
  skipped: list[tuple[int, str]] = []
  hashes = layout.comments and (text.startswith('#') or '\n#' in text)
  lines: Sequence[int] = range(1, 2 + text.count('\n'))
  if (layout.quoted and '"' in text) or hashes or layout.header_line > 1 or text.startswith('\n') or '\n\n' in text:
    found = list(records.of_lines(path, enumerate(text.split('\n'), 1), layout, skipped))
    fields, lines = list(itertools.chain.from_iterable(row for _, _, row in found)), [at for at, _, _ in found]
  elif layout.header:
    text, lines = text.partition('\n')[2], lines[1:]
    fields = records.plain_fields(path, text, layout, lines) if text else []
  else:
    fields = records.plain_fields(path, text, layout, lines)
  chosen = [fields[place :: layout.width] for place in layout.places]
  records.check_filled(path, chosen, lines, layout)
  copies = _copies(chosen, layout.titles)
  marked = _comments(chosen, layout.lead) if hashes and layout.lead is not None else set()
  skipped += [(lines[row], layout.separator.join(column[row] for column in chosen)) for row in marked]
  if drop := copies | marked:
    keep = [row for row in range(len(lines)) if row not in drop]
    chosen, lines = [[column[row] for row in keep] for column in chosen], [lines[row] for row in keep]
  if not lines:
    raise records.only_a_header(path, layout.header) if layout.header else records.empty(path)
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
