"""A shop: users with attributes, items, what users did with items, and facts about items.

What is read or generated becomes a `Shop`, and splits, graphs and applications know nothing else. Its identifiers are
those of the graph that is made of it: `user_id`, `item_id`, `entity_id` and `value_id` put the kind in front, so that
user 7 and item 7 are two.
"""

from collections.abc import Mapping
import dataclasses

import pandas as pd

from medjax.errors import DataError

LIKES = 'likes'  # the relation of a user and an item
INTERACTIONS = ('user', 'item', 'rating', 'time')
TRIPLE = ('head', 'relation', 'tail')
LABEL = 'label'  # the column of readable names of items
KINDS = ('user', 'item', 'entity')
BREAKS = {*'\t\n\r\0'}  # what would end a field or a line


def user_id(name: str) -> str:
  """The identifier of a user."""
  return f'user:{name}'


def item_id(name: str) -> str:
  """The identifier of an item."""
  return f'item:{name}'


def entity_id(name: str) -> str:
  """The identifier of what is neither a user, an item nor the value of an attribute."""
  return f'entity:{name}'


def value_id(attribute: str, value: str) -> str:
  """The identifier of a value of an attribute: that of users of 18 to 24 is age_group:18-24."""
  return f'{attribute}:{value}'


@dataclasses.dataclass(frozen=True, eq=False)
class Shop:
  """Users, items, interactions and facts. Text is str, what is not known NaN.

  Attributes:
    name: of the data.
    users: the index are identifiers, the columns are attributes with few values, such as occupation.
    items: the index are identifiers, `label` is what people read, the other columns are attributes with one value.
    interactions: user, item, rating (float) and time (float, seconds), one row for a user and an item.
    facts: head, relation, tail: what is known of items and further entities, the genres of a film among them.
    labels: {attribute of users that is to be predicted: its values, sorted}.
    entity_labels: {identifier: what people read} of entities in facts that are no items.
    notes: licences, counts, and what was left out.

  Raises:
    DataError: what contradicts the above, by table, row and value.
  """

  name: str
  users: pd.DataFrame
  items: pd.DataFrame
  interactions: pd.DataFrame
  facts: pd.DataFrame
  labels: Mapping[str, tuple[str, ...]]
  entity_labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
  notes: tuple[str, ...] = ()

  def __post_init__(self) -> None:
    _check_columns(self)
    for table in ('users', 'items'):
      _check_names(self.name, table, self[table].index.to_series())
      for column in self[table]:
        _check_names(self.name, f'{table}.{column}', self[table][column].dropna())
    for column in TRIPLE:
      _check_names(self.name, f'facts.{column}', self.facts[column])
    _check_references(self)
    _check_attributes(self)

  def __getitem__(self, table: str) -> pd.DataFrame:
    """The table of this name."""
    found: pd.DataFrame = getattr(self, table)
    return found

  @property
  def item_attributes(self) -> list[str]:
    """The attributes of items with one value."""
    return [column for column in self.items if column != LABEL]

  @property
  def has_ratings(self) -> bool:
    """Whether any interaction is rated."""
    return bool(self.interactions['rating'].notna().any())

  @property
  def has_times(self) -> bool:
    """Whether every interaction has a time."""
    return bool(self.interactions['time'].notna().all())


def values_of(users: pd.DataFrame, attributes: list[str]) -> dict[str, tuple[str, ...]]:
  """Returns {attribute: the values that users have, sorted}, the `labels` of a Shop."""
  return {attribute: tuple(sorted(users[attribute].dropna().unique())) for attribute in attributes}


def _check_columns(shop: Shop) -> None:
  needed = {'items': (LABEL,), 'interactions': INTERACTIONS, 'facts': TRIPLE}
  for table, columns in needed.items():
    if lacking := [column for column in columns if column not in shop[table]]:
      raise DataError(
        f'{shop.name}: the table {table} lacks {", ".join(lacking)} among its columns '
        f'{", ".join(map(str, shop[table].columns))}. Add what is not known as NaN.'
      )
  for table in ('users', 'items', 'interactions'):
    if not len(shop[table]):
      raise DataError(f'{shop.name}: the table {table} is empty. A shop has users, items and interactions.')


def _check_names(name: str, where: str, values: pd.Series) -> None:
  """Names are text that a line of a table can hold."""
  texts = pd.Series(values.unique(), dtype=object)
  wrong = texts[[not isinstance(text, str) or not text.strip() or bool(BREAKS & {*text}) for text in texts]]
  if len(wrong):
    raise DataError(
      f'{name}: {where} has {wrong.iloc[0]!r}, which is no name. Names are text of one line without tabs; write them '
      'with str(), or leave the row out.'
    )


def _check_references(shop: Shop) -> None:
  for table in ('users', 'items'):
    repeated = shop[table].index[shop[table].index.duplicated()]
    if len(repeated):
      raise DataError(f'{shop.name}: {repeated[0]!r} is there twice in {table}. Leave one of the rows out.')
  both = shop.users.index.intersection(shop.items.index)
  if len(both):
    raise DataError(
      f'{shop.name}: {both[0]!r} is a user and an item. Make identifiers by shop.user_id and shop.item_id.'
    )
  for column, table in (('user', 'users'), ('item', 'items')):
    unknown = shop.interactions[column][~shop.interactions[column].isin(shop[table].index)]
    if len(unknown):
      raise DataError(
        f'{shop.name}: interactions, row {unknown.index[0]}: {unknown.iloc[0]!r} is none of the {table}. Add it there, '
        'or leave the row out.'
      )
  again = shop.interactions.duplicated(['user', 'item'])
  if again.any():
    first = shop.interactions[again].iloc[0]
    raise DataError(
      f'{shop.name}: {first["user"]!r} and {first["item"]!r} have several interactions. Keep one, such as the last.'
    )
  of_users = shop.facts['head'].isin(shop.users.index) | shop.facts['tail'].isin(shop.users.index)
  if of_users.any():
    raise DataError(f'{shop.name}: the fact {list(shop.facts[of_users].iloc[0])} is about a user. Give users columns.')


def _check_attributes(shop: Shop) -> None:
  taken = {LIKES, *shop.facts['relation']}
  if clash := taken & {*shop.users.columns, *shop.items.columns}:
    raise DataError(
      f'{shop.name}: {sorted(clash)[0]!r} is an attribute and also a relation of the graph. Rename the column.'
    )
  if reserved := {*KINDS} & {*shop.users.columns, *shop.items.columns}:
    raise DataError(
      f'{shop.name}: {sorted(reserved)[0]!r} is an attribute, whose values would be called as {sorted(reserved)[0]}s '
      'are. Rename the column.'
    )
  for attribute, values in shop.labels.items():
    if attribute not in shop.users:
      raise DataError(
        f'{shop.name}: {attribute!r} is to be predicted, but is no column of users ({", ".join(shop.users)}).'
      )
    if tuple(values) != values_of(shop.users, [attribute])[attribute]:
      raise DataError(
        f'{shop.name}: the values of {attribute!r} in labels are not those of the users. Take shop.values_of.'
      )
    if len(values) < 2:
      raise DataError(f'{shop.name}: {attribute!r} has {len(values)} values, of which none can be predicted.')
