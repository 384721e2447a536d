"""The graph of a split shop: a folder that a training reads, and what stands where in a model that was trained on it.

Train holds the likes, attributes and facts that are trained on; valid and test hold likes and facts. The labels of
users that are validated or tested on are nowhere in it. The relation of a user and a liked item is `likes`; that of a
user or an item and the value of an attribute is the attribute's name.
"""

from collections.abc import Iterable, Sequence
import dataclasses
import json
import os
import pathlib
import shutil
from typing import NamedTuple

from jaxtyping import Int64
import numpy as np
import pandas as pd
from scipy import sparse

from medjax.applications import shop as shop_lib
from medjax.applications.shop import Shop, TRIPLE
from medjax.applications.split import Split, SPLITS
from medjax.data.graph import Graph
from medjax.errors import UsageError
from medjax.saved import files

ABOUT = 'shop.json'  # what a folder was made of


class Places(NamedTuple):
  """Rows of a model's tables, -1 for what it does not know.

  Attributes:
    users: of the rows of `shop.users`.
    items: of the rows of `shop.items`.
    relations: {name: row}.
  """

  users: Int64[np.ndarray, ' U']
  items: Int64[np.ndarray, ' I']
  relations: dict[str, int]


def triples(shop: Shop, split: Split) -> dict[str, pd.DataFrame]:
  """Returns {'train', 'valid', 'test': head, relation, tail}, sorted."""
  likes = {part: _relation(pairs['user'], shop_lib.LIKES, pairs['item']) for part, pairs in split.likes.items()}
  trained = shop.users.index.isin(split.users['train'])
  attributes = [
    *(_attribute(shop.users[name][trained] if name in shop.labels else shop.users[name]) for name in shop.users),
    *(_attribute(shop.items[name]) for name in shop.item_attributes),
  ]
  parts = {part: [likes[part], split.facts[part]] for part in SPLITS}
  parts['train'] += attributes
  return {part: pd.concat(tables).sort_values(list(TRIPLE), ignore_index=True) for part, tables in parts.items()}


def write(shop: Shop, split: Split, folder: str | pathlib.Path) -> pathlib.Path:
  """Writes a folder for `data.path`, whole or not at all; returns its path. One that holds the same is left alone.

  Raises:
    UsageError: the folder holds something else.
  """
  folder = pathlib.Path(folder)
  parts = triples(shop, split)
  entities = sorted(set().union(*({*table['head'], *table['tail']} for table in parts.values())))
  labels = _lines([('identifier', 'label'), *zip(entities, labels_of(shop, entities))])
  texts = {f'{part}.tsv': _lines([TRIPLE, *table.itertuples(index=False)]) for part, table in parts.items()}
  texts['entities.tsv'] = labels
  if folder.exists() and any(folder.iterdir()):
    found = {path.name: path.read_text(encoding='utf-8') for path in folder.iterdir() if path.suffix == '.tsv'}
    if found != texts:
      raise UsageError(f'{folder} holds another graph or something else; name another folder, or delete this one')
    return folder
  about = {
    'name': shop.name,
    'split': dataclasses.asdict(split.settings),
    'triples': {part: table['relation'].value_counts().sort_index().to_dict() for part, table in parts.items()},
    'users whose labels are used': {part: len(users) for part, users in split.users.items()},
    'notes': shop.notes,
  }
  partial = folder.with_name(f'{folder.name}.partial')
  shutil.rmtree(partial, ignore_errors=True)
  partial.mkdir(parents=True)
  for name, text in {**texts, ABOUT: json.dumps(about, indent=1, ensure_ascii=False) + '\n'}.items():
    files.write_text(partial / name, text)
  os.replace(partial, folder)
  return folder


def labels_of(shop: Shop, identifiers: Iterable[str]) -> list[str]:
  """Returns what people read for the identifiers of a graph: titles of items, else a kind and a name."""
  known = {**shop.entity_labels, **shop.items[shop_lib.LABEL]}
  plain = lambda kind, name: name if kind == 'entity' else f'{kind.replace("_", " ")} {name}'
  return [known.get(one) or plain(*one.partition(':')[::2]) for one in identifiers]


def places(shop: Shop, graph: Graph) -> Places:
  """Returns the rows of a shop's users, items and relations in the tables of a model of this graph (`model.graph`)."""
  return Places(
    rows(graph.entities, shop.users.index),
    rows(graph.entities, shop.items.index),
    {name: i for i, name in enumerate(graph.relations)},
  )


def value_rows(shop: Shop, graph: Graph, attribute: str) -> Int64[np.ndarray, ' V']:
  """Returns the rows of the values of an attribute, in the order of `shop.labels`; -1 for those of no trained user."""
  return rows(graph.entities, [shop_lib.value_id(attribute, value) for value in shop.labels[attribute]])


def rows(entities: Sequence[str], names: Iterable[str]) -> Int64[np.ndarray, ' N']:
  """Returns where names are among the entities of a graph, int64, -1 for those that are not."""
  return pd.Index(list(entities), dtype=object).get_indexer(pd.Index(list(names), dtype=object)).astype(np.int64)


def matrix(shop: Shop, pairs: pd.DataFrame) -> sparse.csr_array:
  """Returns pairs of user and item, such as `split.seen['test']`, as bool [U, I] by the rows of the shop's tables."""
  shape = len(shop.users), len(shop.items)
  places = shop.users.index.get_indexer(pairs['user']), shop.items.index.get_indexer(pairs['item'])
  return sparse.coo_array((np.ones(len(pairs), bool), places), shape).tocsr()


def _relation(heads: Iterable[str], relation: str, tails: Iterable[str]) -> pd.DataFrame:
  return pd.DataFrame({'head': list(heads), 'relation': relation, 'tail': list(tails)}, columns=TRIPLE, dtype=object)


def _attribute(column: pd.Series) -> pd.DataFrame:
  name, known = str(column.name), column.dropna()
  return _relation(known.index, name, [shop_lib.value_id(name, value) for value in known])


def _lines(table: Iterable[Sequence[str]]) -> str:
  return ''.join('\t'.join(row) + '\n' for row in table)
