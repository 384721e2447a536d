"""Folders of RecBole's atomic files to a `Shop`: NAME.inter, and .user, .item, .kg and .link where they are there.

A file is a table of tabs whose header names every field and its type, as in `user_id:token`. A token is a name, a
token_seq several (separated by commas where there are any, else by spaces), a float a number. The first two fields of
.inter are the user and the item; `rating` and `timestamp` are used by these names.

What no graph of names can hold (numbers, sequences of numbers, texts of users) is left out, and told in the notes.
"""

from collections.abc import Callable, Mapping, Sequence
import csv
import importlib.util
import io
import os
import pathlib

import numpy as np
import pandas as pd

from medjax.applications import shop as shop_lib
from medjax.applications.shop import Shop
from medjax.data import contents
from medjax.data.datasets import ROOT_VARIABLE
from medjax.errors import DataError

Path = str | pathlib.Path
TYPES = ('token', 'token_seq', 'float', 'float_seq')
MOST_VALUES = 100  # of an attribute that is predicted unless others are named
REMEDY = 'Write it as RecBole does: names and types in the first line, one row a line, tabs between fields'


def find(name: str, folder: Path | None = None) -> pathlib.Path:
  """Returns the folder of a data set: the one given, that below $MEDJAX_DATA_ROOT, or RecBole's example of the name.

  Raises:
    DataError: none of them has NAME.inter; the message says how to get it.
  """
  package = None if folder else importlib.util.find_spec('recbole')
  root = os.environ.get(ROOT_VARIABLE)
  examples = (package and package.submodule_search_locations) or ()
  places = [pathlib.Path(folder).expanduser()] if folder else []
  places += [pathlib.Path(root).expanduser() / name] if root and not folder else []
  places += [pathlib.Path(place) / 'dataset_example' / name for place in examples]
  for place in places:
    if (place / f'{name}.inter').is_file():
      return place
  looked = f'looked in {", ".join(map(str, places))}' if places else f'${ROOT_VARIABLE} is not set'
  raise DataError(
    f'{name}: there is no {name}.inter ({looked}). Name the folder that holds the atomic files, or put it below '
    f'${ROOT_VARIABLE}; `pip install recbole` brings ml-100k along, and its page on data sets has the others.'
  )


def read(
  folder: Path,
  name: str = '',
  labels: Sequence[str] | None = None,
  title: str = '',
) -> Shop:
  """Reads a folder of atomic files.

  Args:
    folder: where they are.
    name: of the files before the dot; the folder's own if not given.
    labels: attributes of users that are to be predicted; None: all that have 2 to 100 values.
    title: the field of .item that people read; '': the first that is called label, or has title or name in its name.

  Returns:
    A Shop. An attribute of which every value is another one is left out: it says nothing that two users or items share.

  Raises:
    DataError: no .inter, or a file that is not as its header says, by its line and value.
  """
  folder = pathlib.Path(folder).expanduser()
  name = name or folder.resolve().name
  path = lambda suffix: folder / f'{name}.{suffix}'
  if not path('inter').is_file():
    raise DataError(f'{path("inter")}: there is no such file. Give the folder that holds it, or its name.')
  tables = {
    suffix: read_table(path(suffix)) for suffix in ('inter', 'user', 'item', 'kg', 'link') if path(suffix).is_file()
  }
  notes = [f'read from {folder}', *(f'no {path(s).name}' for s in ('user', 'item', 'kg', 'link') if s not in tables)]
  interactions = _interactions(path('inter'), tables['inter'], notes)
  users, of_users = _described(path('user'), tables.get('user'), interactions['user'], shop_lib.user_id, notes)
  if of_users:
    notes.append(f'{path("user").name}: {", ".join(of_users)}: several values for a user, left out')
  items, several = _described(path('item'), tables.get('item'), interactions['item'], shop_lib.item_id, notes)
  fields = [*several, *items]
  named = lambda field: 'title' in field or 'name' in field or field == shop_lib.LABEL
  title = title or next(filter(named, fields), '')
  if title and title not in fields:
    raise DataError(f'{path("item")}: has no field {title!r} to call items by, but {", ".join(fields)}.')
  texts = several.pop(title) if title in several else items.pop(title) if title else items.index.to_series()
  items = items.drop(columns=shop_lib.LABEL, errors='ignore')
  items.insert(0, shop_lib.LABEL, texts.fillna(items.index.to_series()))
  users, items = _shared(path('user'), users, notes), _shared(path('item'), items, notes)
  parts = [_memberships(field, column) for field, column in several.items()]
  if 'kg' in tables:
    parts.append(_facts(path, tables, items.index, notes))
  facts = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=shop_lib.TRIPLE, dtype=str)
  facts, repeated = facts.drop_duplicates(ignore_index=True), int(facts.duplicated().sum())
  if repeated:
    notes.append(f'{repeated:,} repeated facts left out')
  counts = {column: users[column].nunique() for column in users}
  chosen = labels if labels is not None else [column for column in users if 2 <= counts[column] <= MOST_VALUES]
  if missing := [column for column in chosen if column not in users]:
    raise DataError(f'{path("user")}: has no attribute {missing[0]!r} to predict, but {", ".join(users) or "none"}.')
  notes.append(f'{len(users):,} users, {len(items):,} items, {len(interactions):,} interactions, {len(facts):,} facts')
  return Shop(name, users, items, interactions, facts, shop_lib.values_of(users, list(chosen)), notes=tuple(notes))


def read_table(path: Path) -> pd.DataFrame:
  """Reads an atomic file: columns by the names of its header, `attrs['types']` {name: type}; floats are numbers.

  Empty fields are NaN. Rows keep their order, so row i stands in line i + 2.

  Raises:
    DataError: no header of names and types, a row with more or fewer fields, a float that is no number.
  """
  path = pathlib.Path(path)
  text = contents.read_text(path).replace('\r\n', '\n')
  header = text.partition('\n')[0].split('\t')
  kinds = dict(field.rpartition(':')[::2] for field in header)
  wrong = [field for field in header if field.rpartition(':')[2] not in TYPES or not field.rpartition(':')[0]]
  if wrong or len(kinds) < len(header):
    raise DataError(
      f'{path}, line 1: the field {(wrong or header)[0]!r} is not a name of its own and one of the types '
      f'{", ".join(TYPES)}, as in user_id:token. {REMEDY}.'
    )
  for number, line in enumerate(text.rstrip('\n').split('\n'), 1):
    if line.count('\t') != len(header) - 1:
      fields = line.count('\t') + 1
      raise DataError(f'{path}, line {number}: {fields} fields instead of {len(header)} in {line[:120]!r}. {REMEDY}.')
  table = pd.read_csv(
    io.StringIO(text),
    sep='\t',
    lineterminator='\n',
    header=None,
    skiprows=1,
    names=list(kinds),
    dtype=str,
    quoting=csv.QUOTE_NONE,
    keep_default_na=False,
  )
  table = table.replace('', np.nan)
  for column, kind in kinds.items():
    if kind == 'float':
      table[column] = _numbers(path, column, table[column])
  table.attrs['types'] = kinds
  return table


def _numbers(path: pathlib.Path, column: str, texts: pd.Series) -> pd.Series:
  numbers = pd.to_numeric(texts, errors='coerce').astype(float)
  wrong = (numbers.isna() & texts.notna() | np.isinf(numbers)).to_numpy()
  if wrong.any():
    row = int(wrong.argmax())
    raise DataError(f'{path}, line {row + 2}: {column} is {texts.iloc[row]!r}, which is no number. Correct it.')
  return numbers


def _key(path: pathlib.Path, table: pd.DataFrame, place: int) -> pd.Series:
  """A column that has to name something in every row."""
  if table.shape[1] <= place or table.attrs['types'][table.columns[place]] != 'token':
    raise DataError(f'{path}, line 1: field {place + 1} has to be a token, such as user_id:token. {REMEDY}.')
  column = table.iloc[:, place]
  if column.isna().any():
    raise DataError(f'{path}, line {int(column.isna().to_numpy().argmax()) + 2}: {column.name} is empty. {REMEDY}.')
  return column


def _interactions(path: pathlib.Path, table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
  columns = {'user': _key(path, table, 0), 'item': _key(path, table, 1)}
  for column, field in (('rating', 'rating'), ('time', 'timestamp')):
    is_number = table.attrs['types'].get(field) == 'float'
    columns[column] = table[field] if is_number else pd.Series(np.nan, table.index)
    if not is_number:
      notes.append(f'{path.name}: no {field}')
  used = {*table.columns[:2], 'rating', 'timestamp'}
  if others := [column for column in table if column not in used]:
    notes.append(f'{path.name}: {", ".join(others)} left out')
  frame = pd.DataFrame(columns)
  frame['user'], frame['item'] = frame['user'].map(shop_lib.user_id), frame['item'].map(shop_lib.item_id)
  kept = frame.sort_values('time', kind='stable', na_position='first').drop_duplicates(['user', 'item'], keep='last')
  if len(kept) < len(frame):
    notes.append(f'{path.name}: {len(frame) - len(kept):,} earlier interactions of the same user and item left out')
  return kept.sort_index().reset_index(drop=True)


def _described(
  path: pathlib.Path, table: pd.DataFrame | None, named: pd.Series, identify: Callable[[str], str], notes: list[str]
) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
  """(The tokens of users or items, their {token_seq: column}), by identifier: those of a file and of interactions."""
  if table is None:
    return pd.DataFrame(index=pd.Index(sorted(named.unique()))), {}
  key = _key(path, table, 0)
  if key.duplicated().any():
    row = int(key.duplicated().to_numpy().argmax())
    raise DataError(f'{path}, line {row + 2}: {key.iloc[row]!r} is there a second time. Leave one of the lines out.')
  kinds = table.attrs['types']
  table = table.set_axis(key.map(identify)).rename_axis(None)
  if numbers := [column for column in table if kinds[column].startswith('float')]:
    notes.append(f'{path.name}: {", ".join(numbers)}: numbers, left out')
  lacking = sorted(set(named.unique()) - set(table.index))
  if lacking:
    notes.append(f'{path.name}: lacks {len(lacking):,} of those in interactions, which are kept without attributes')
  table = table.reindex([*table.index, *lacking])
  of_kind = lambda kind: [column for column in table.columns[1:] if kinds[column] == kind]
  return table[of_kind('token')].copy(), {column: table[column] for column in of_kind('token_seq')}


def _shared(path: pathlib.Path, table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
  """The attributes of which some value is that of two rows."""
  alone = [column for column in table if column != shop_lib.LABEL and not table[column].dropna().duplicated().any()]
  if alone:
    notes.append(f'{path.name}: {", ".join(alone)}: no two rows share a value, left out')
  return table.drop(columns=alone)


def _memberships(field: str, column: pd.Series) -> pd.DataFrame:
  """The facts of a token_seq, such as (item:1, genre, genre:Comedy)."""
  column = column.dropna()
  parts = column.str.split(',' if column.str.contains(',').any() else None).explode().str.strip()
  parts = parts[parts.fillna('') != '']
  tails = parts.map(lambda value: shop_lib.value_id(field, value))
  return pd.DataFrame({'head': parts.index, 'relation': field, 'tail': tails.to_numpy()}, columns=shop_lib.TRIPLE)


def _facts(
  path: Callable[[str], pathlib.Path], tables: Mapping[str, pd.DataFrame], items: pd.Index, notes: list[str]
) -> pd.DataFrame:
  """The triples of .kg, in which the entities that .link joins to items are these items."""
  kg = tables['kg']
  frame = pd.DataFrame({role: _key(path('kg'), kg, place) for place, role in enumerate(shop_lib.TRIPLE)})
  joined: dict[str, str] = {}
  if 'link' in tables:
    links = tables['link']
    pairs = pd.DataFrame(
      {'item': _key(path('link'), links, 0).map(shop_lib.item_id), 'entity': _key(path('link'), links, 1)}
    )
    known = pairs[pairs['item'].isin(items)].drop_duplicates('entity').drop_duplicates('item')
    if len(known) < len(pairs):
      notes.append(f'{path("link").name}: {len(pairs) - len(known):,} lines left out, of no item or linked already')
    joined = dict(zip(known['entity'], known['item']))
    notes.append(f'{len(joined):,} of {len(items):,} items are linked to an entity of {path("kg").name}')
  names = {entity: joined.get(entity) or shop_lib.entity_id(entity) for entity in {*frame['head'], *frame['tail']}}
  return frame.assign(head=frame['head'].map(names), tail=frame['tail'].map(names))
