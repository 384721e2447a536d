"""Which columns of a table hold head, relation and tail: as `data.columns` says, or as the names in its header do."""

from collections.abc import Sequence
import itertools
import pathlib
import re
from typing import NamedTuple

from medjax.errors import DataError

ROLES = {'h': 'head', 'r': 'relation', 't': 'tail'}
_STEMS = {  # of the names of head and tail, the likelier ones first
  'h': ('head', 'subject', 'subj', 'sub', 'source', 'src', 'from', 'start', 'node1', 'nodea', 'entity1', 'arg1', 'lhs'),
  't': ('tail', 'object', 'obj', 'target', 'tgt', 'dst', 'to', 'end', 'node2', 'nodeb', 'entity2', 'arg2', 'rhs'),
}
_ENDINGS = ('', 'name', 'label', 'id', 'entity', 'node', 'identifier', 'uri', 'iri')
_NAMES = {
  'h': (*(stem + end for stem in _STEMS['h'] for end in _ENDINGS), 'h', 's', 'xname', 'xid', 'xindex', 'left'),
  'r': (
    *(stem + end for stem in ('relation', 'predicate', 'rel', 'pred', 'property', 'prop') for end in _ENDINGS[:4]),
    *('r', 'p', 'relationship', 'relationtype', 'relationshiptype', 'reltype', 'edge', 'edgetype', 'edgelabel'),
    *('metaedge', 'predicateid', 'linktype', 'link', 'interaction', 'interactiontype', 'verb', 'rtype'),
    *('type', 'label', 'displayrelation'),
  ),
  't': (
    *(stem + end for stem in _STEMS['t'] for end in _ENDINGS),
    *('t', 'o', 'dest', 'destination', 'yname', 'yid', 'yindex', 'right'),
  ),
}
_ROLE_OF = {name: role for role, names in _NAMES.items() for name in names}
_TYPES = ('token', 'string', 'str', 'int', 'long', 'float')  # that a header may add to a name


class Choice(NamedTuple):
  """The columns of a table.

  Attributes:
    places: of head, relation and tail in a row, from 0.
    header: the first row if it is a header, else ().
    order: how `places` were found, for a note; '' where they are the first three in the order of the configuration.
    doubt: why a first row that could be a header was read as a triple, for a note; else ''.
  """

  places: tuple[int, int, int]
  header: tuple[str, ...]
  order: str
  doubt: str = ''


def check(columns: str, header: str) -> None:
  """Raises DataError unless `columns` and `header` can be values of data.columns and data.header."""
  if not isinstance(columns, str) or not (sorted(columns) == ['h', 'r', 't'] or len(_parts(columns)) == 3):
    raise DataError(
      f"data.columns is {columns!r}, but has to be 'hrt' in some order, or the names or the numbers (from 1) of the "
      'columns of head, relation and tail, e.g. subject,predicate,object or 2,3,4.'
    )
  if header not in ('auto', 'yes', 'no'):
    raise DataError(f"data.header is {header!r}, but has to be 'auto', 'yes' or 'no'.")


def role(name: str) -> str:
  """'h', 'r' or 't' for a name that tables give to the column of heads, relations or tails; '' for any other.

  >>> [role(name) for name in ('Subject', 'start_id', ':TYPE', 'node2', 'personId:END_ID(Person)', 'weight')]
  ['h', 'h', 'r', 't', 't', '']
  """
  plain = re.sub(r'\(.*\)$', '', name.strip().strip('"\'#\ufeff ').lower()).strip(':')
  first, _, last = plain.rpartition(':')
  forms = [re.sub('[^a-z0-9]', '', form) for form in ([last] if not first else [last, first])]
  if first and forms[0] in _TYPES:
    forms = forms[1:]
  return next((_ROLE_OF[form] for form in forms if form in _ROLE_OF), '')


def roles(row: Sequence[str]) -> list[str]:
  """The `role` of every name of a row; two that differ in a last 1 and 2, or a and b, are head and tail too.

  >>> roles(['gene1', 'gene2', 'interaction'])
  ['h', 't', 'r']
  """
  found = [role(name) for name in row]
  if 'r' in found and 'h' not in found and 't' not in found:
    names = [re.sub('[^a-z0-9]', '', name.lower()) for name in row]
    for first, second in ('12', 'ab'):
      pairs = [name[:-1] for name in names if name[1:] and name[-1] == first and names.count(name[:-1] + second) == 1]
      if len(pairs) == 1 and names.count(pairs[0] + first) == 1:
        found[names.index(pairs[0] + first)], found[names.index(pairs[0] + second)] = 'h', 't'
        break
  return found


def is_header(row: Sequence[str]) -> bool:
  """Whether a row has a name of heads, one of relations and one of tails, each once."""
  return sorted(filter(None, roles(row))) == ['h', 'r', 't']


def choose(
  path: pathlib.Path, rows: Sequence[Sequence[str]], columns: str, header: str, line: int = 1, separator: str = 'tab'
) -> Choice:
  """Finds the columns of head, relation and tail.

  Args:
    path: the file, for errors.
    rows: the first rows, as many as decide; rows[0] may be a header and stands on `line`.
    columns, header: see `tables.read_table`.
    line: the number of the first row.
    separator: of the fields, by name, for errors.

  Raises:
    DataError: columns that the rows do not have, a header that contradicts `columns`, or more columns than three
      of which nothing says which are meant.
  """
  first = rows[0]
  if len(_parts(columns)) == 3:
    return _chosen(path, rows, _parts(columns), header, line)
  if len(first) != 3:
    by_name = columns == 'hrt' and header != 'no' and is_header(first)
    if not by_name or len(first) < 3:
      raise wrong_width(path, line, rows, separator)
    places = _places(roles(first))
    return Choice(places, tuple(first), _told(first, places))
  found = ''.join(name or '?' for name in roles(first))
  titles = sorted(found) == ['h', 'r', 't']
  known = titles and not _recurs(rows, found)
  places = _places(columns)
  if header == 'no' or not (known or header == 'yes' or _numbered(rows, places[1])):
    return Choice(places, (), '', 'its words are names in other lines too' if titles and header == 'auto' else '')
  if known and found != columns and columns == 'hrt':
    return Choice(_places(found), tuple(first), _told(first, _places(found)))
  if known and found != columns and header == 'auto':
    raise DataError(
      f'{path}, line {line}: the header {",".join(first)!r} puts the columns in the order '
      f'{found!r}, but data.columns is {columns!r}. Say --config.data.columns={found}, or '
      '--config.data.header=no if the line is a triple.'
    )
  return Choice(places, tuple(first), '')


def wrong_width(path: pathlib.Path, line: int, rows: Sequence[Sequence[str]], separator: str) -> DataError:
  """The DataError of a table whose rows, of which the first stands on `line`, have other than three columns."""
  first = rows[0]
  count = f'{len(first)} column' + 's' * (len(first) != 1)
  if len(first) < 3:
    return DataError(
      f'{path}, line {line}: {count} instead of 3 in {",".join(first)[:120]!r}. Separate head, relation and tail by '
      f'one {separator} each.'
    )
  names, numbers = suggest(rows)
  shown = ', '.join(f'{i} {value[:30]!r}' for i, value in enumerate(first, 1))
  ways = f'--config.data.columns={numbers}' if not names else f'--config.data.columns={names} (or {numbers})'
  return DataError(
    f'{path}, line {line}: {count} instead of 3: {shown[:600]}. Say which are head, relation and tail, e.g. {ways}; '
    'the others are left out.'
  )


def suggest(rows: Sequence[Sequence[str]]) -> tuple[str, str]:
  """Returns (names, numbers) of columns that may be head, relation and tail, as `data.columns`; names may be ''."""
  first, width = rows[0], len(rows[0])
  rank = {name: i for names in _NAMES.values() for i, name in enumerate(names)}
  body = [row for row in rows[1:] if len(row) == width] or [first]
  values = [[row[i] for row in body] for i in range(width)]
  same = [len(set(column)) == 1 for column in values]
  plain = [re.sub('[^a-z0-9]', '', name.lower()) for name in first]
  places = []
  for wanted in 'hrt':
    found = [i for i, name in enumerate(roles(first)) if name == wanted]
    places += sorted(found, key=lambda i: (same[i], rank.get(plain[i], len(rank))))[:1]
  if len(places) == 3:
    return ','.join(first[i] for i in places), ','.join(str(i + 1) for i in places)
  chosen = list(range(width))
  for kept in (  # neither numbers nor keys nor what is the same everywhere, as long as three are left
    [not all(_is_number(value) for value in column) for column in values],
    [len(set(column)) < len(column) for column in values],
    [not constant for constant in same],
  ):
    if sum(kept[i] for i in chosen) >= 3:
      chosen = [i for i in chosen if kept[i]]
  chosen = chosen[:3]
  few = min(chosen, key=lambda i: len(set(values[i])))
  places = [i for i in chosen if i != few]
  return '', ','.join(str(i + 1) for i in (places[0], few, places[1]))


class Look(NamedTuple):
  """What is counted of a file to see whether its columns or its first line look odd.

  Attributes:
    rows: how many triples it holds.
    heads, relations, tails: how many distinct names each column holds.
    relation_heads, relation_tails, head_tails: how many names two columns share.
    line: the number of the first triple's line.
    first: the first triple.
    again: how often its relation occurs, and how often its words do in all columns, itself included.
  """

  rows: int
  heads: int
  relations: int
  tails: int
  relation_heads: int
  relation_tails: int
  head_tails: int
  line: int
  first: tuple[str, str, str]
  again: tuple[int, int]


def look(heads: Sequence[str], relations: Sequence[str], tails: Sequence[str], line: int) -> Look:
  """Returns the `Look` of the columns of a file whose first triple stands on `line`."""
  h, r, t = set(heads), set(relations), set(tails)
  first = (heads[0], relations[0], tails[0])
  words = sum(column.count(word) for column in (heads, relations, tails) for word in set(first))
  again = (relations.count(first[1]), words)
  return Look(len(heads), len(h), len(r), len(t), len(r & h), len(r & t), len(h & t), line, first, again)


def odd_notes(name: str, found: Look, headless: bool) -> list[str]:
  """Notes on the file `name` where its columns look swapped or, if it is `headless`, its first line like a header."""
  notes = []
  few, kind = min((found.heads, 'heads'), (found.tails, 'tails'))
  shared, lone, other = (
    (found.relation_tails, found.relation_heads, 'tails')
    if kind == 'heads'
    else (found.relation_heads, found.relation_tails, 'heads')
  )
  many = found.relations >= 5 and few * 4 <= found.relations
  mixed = 2 * shared >= found.relations >= 3 and few < found.relations and not lone + found.head_tails
  if many or mixed:
    more = f', and {shared} of the relations are also {other}' if shared else ''
    notes.append(
      f'{name}: the columns may be in another order: {found.relations} relations in {found.rows} triples, but only '
      f'{few} distinct {kind}{more}; check data.columns'
    )
  if headless and found.rows >= 8 and 2 * found.relations <= found.rows and found.again == (1, 3):
    notes.append(
      f'{name}: line {found.line}, {",".join(found.first)}, was read as a triple, but may be a header: its words occur '
      'nowhere else; if it is one, say --config.data.header=yes'
    )
  return notes


def _parts(columns: str) -> list[str]:
  parts = [part.strip() for part in columns.split(',')]
  return parts if all(parts) and len(set(parts)) == len(parts) else []


def _chosen(path: pathlib.Path, rows: Sequence[Sequence[str]], parts: Sequence[str], header: str, line: int) -> Choice:
  """The Choice of three names or numbers."""
  first = rows[0]
  if all(part.isdigit() for part in parts):
    numbers = [int(part) for part in parts]
    if not all(1 <= number <= len(first) for number in numbers):
      raise DataError(
        f'{path}, line {line}: data.columns is {",".join(parts)!r}, but there are {len(first)} columns: '
        f'{_listing(first)}.'
      )
    places = (numbers[0] - 1, numbers[1] - 1, numbers[2] - 1)
    found = ''.join(name or '?' for name in roles([first[i] for i in places]))
    picked = [[row[i] for i in places] for row in rows if len(row) == len(first)]
    known = sorted(found) == ['h', 'r', 't'] and not _recurs(picked, found)
    if known and header == 'auto' and found != 'hrt':
      raise DataError(
        f'{path}, line {line}: data.columns is {",".join(parts)!r}, which the header calls '
        f'{", ".join(first[i] for i in places)}, and not head, relation, tail. Put the numbers in that order, or say '
        '--config.data.header=yes if they are meant so, or no if the line is a triple.'
      )
    titled = header == 'yes' or (header == 'auto' and (known or _numbered(picked, 1)))
    return Choice(places, tuple(first) if titled else (), '')
  if header == 'no':
    raise DataError(
      f"data.columns is {','.join(parts)!r}, names, but data.header is 'no': without a header there are none. Give "
      'numbers, such as 1,2,3.'
    )
  exact = [[i for i, name in enumerate(first) if name.strip() == part] for part in parts]
  folded = [[i for i, name in enumerate(first) if name.strip().lower() == part.lower()] for part in parts]
  found_places = [one or other for one, other in zip(exact, folded)]
  for part, there in zip(parts, found_places):
    if len(there) != 1:
      raise DataError(
        f'{path}, line {line}: {"no column" if not there else f"{len(there)} columns"} of the name {part!r}, which '
        f'data.columns asks for. The columns are: {_listing(first)}.'
      )
  places = (found_places[0][0], found_places[1][0], found_places[2][0])
  return Choice(places, tuple(first), _told(first, places))


def _listing(first: Sequence[str]) -> str:
  return ', '.join(f'{i} {name[:30]!r}' for i, name in enumerate(first, 1))[:600]


def _places(roles: Sequence[str]) -> tuple[int, int, int]:
  return (list(roles).index('h'), list(roles).index('r'), list(roles).index('t'))


def _told(first: Sequence[str], places: Sequence[int]) -> str:
  return ', '.join(f'{ROLES[c]} {first[i]} (column {i + 1})' for c, i in zip('hrt', places))


def _recurs(rows: Sequence[Sequence[str]], found: str) -> bool:
  """Whether the first row, which could be a header, is a triple: its relation is that of another row, no copy of it.

  Names of head and tail that only their numbers tell apart are less certain: where one occurs in another row too, it
  is an entity.
  """
  first = list(rows[0])
  others = [row for row in rows[1:] if list(row) != first and len(row) == len(first)]
  relation = found.index('r')
  words = {first[relation]} if any(map(role, first[:relation] + first[relation + 1 :])) else set(first)
  return any(row[relation] == first[relation] or (len(words) > 1 and words & set(row)) for row in others)


def _numbered(rows: Sequence[Sequence[str]], place: int) -> bool:
  """Whether the first row is 0, 1, 2, as where a table without names was saved, and relations are no numbers."""
  others = [row[place] for row in itertools.islice(rows, 1, None) if len(row) > place]
  return list(rows[0]) == ['0', '1', '2'] and bool(others) and not any(map(_is_number, others))


def _is_number(text: str) -> bool:
  return re.fullmatch(r'\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*|', text) is not None
