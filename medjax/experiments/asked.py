"""What an evaluation ranks: a split of a model's own graph or of another one, triples of a file, or one relation."""

from collections.abc import Mapping
import dataclasses
import hashlib
import pathlib
import re
from typing import NamedTuple

from jaxtyping import Int32
import numpy as np

from medjax import errors
from medjax.data import datasets, reading
from medjax.data.datasets import DataConfig
from medjax.data.graph import Graph
from medjax.data.tables import Table
from medjax.saved.files import Path
from medjax.serve.model import Model
from medjax.serve.vocabulary import Vocabulary

KINDS = ('entities', 'relations')


class Asked(NamedTuple):
  """What is ranked.

  Attributes:
    graph: what is known, in the model's ids.
    split: the split that is ranked, or what the triples of a file are called.
    triples: int32 [Q, 3] of a file; None is the split.
    relation: the id of the only relation that is asked for, or None.
    name: all of it in words.
    stem: how files of results are called.
  """

  graph: Graph
  split: str
  triples: Int32[np.ndarray, 'Q 3'] | None
  relation: int | None
  name: str
  stem: str


def find(
  model: Model,
  split: str = 'test',
  triples: Path | None = None,
  relation: str | None = None,
  data: DataConfig | None = None,
) -> Asked:
  """Returns what an evaluation of a model ranks.

  Args:
    model: the `Model`.
    split: 'train', 'valid' or 'test'.
    triples: a file of triples instead of a split, by identifiers or labels of the model.
    relation: the only relation that is asked for, by its label or identifier.
    data: the data configuration of a graph that is taken instead of the model's own; one without path and name tells
      only how the file is laid out.

  Raises:
    errors.UsageError: the model carries no triples, and none are named.
    errors.DataError: the file or the split names what the model does not know.
    errors.UnknownLabel: another relation than the model's.
  """
  graph, name, stem = model.graph, split, 'results' + ('' if split == 'test' else f'-{split}')
  if data is not None and (data.path or data.name):
    given = datasets.load(data)
    graph = in_ids_of(model.graph, given, split if triples is None else '')
    name, stem = f'{name} of {given.name}', f'{stem}-data-{slug(given.name)}'
  elif triples is None and not model.has_triples:
    raise errors.UsageError(
      'the model carries no triples to be evaluated on. Name the graph that it was trained on, with '
      '--config.data.path=FOLDER or --config.data.name=NAME, or a file with --triples=FILE; a crop that is made with '
      '--with_triples carries them'
    )
  of_file = None
  if triples is not None:
    path = pathlib.Path(triples).expanduser()
    layout = () if data is None else (data.columns, data.header, data.comments)
    of_file = read_triples(model, path, *layout)
    name, split = path.name, f'the triples of {path.name}'
    stem = f'results-triples-{slug(path.name)}'
  if relation is not None:
    name, stem = f'{name}, relation {relation}', f'{stem}-relation-{slug(relation)}'
  return Asked(graph, split, of_file, None if relation is None else model.relations.find(relation), name, stem)


def read_triples(
  model: Model, path: pathlib.Path, columns: str = 'hrt', header: str = 'auto', comments: str = 'auto'
) -> Int32[np.ndarray, 'Q 3']:
  """Reads a file of triples into a model's ids, int32 [Q, 3]; names are identifiers or labels.

  Raises:
    errors.DataError: it cannot be read, or names what the model does not know; the line is told.
  """
  table = reading.read(path, columns, header, comments)
  parts = (table.heads, model.entities), (table.relations, model.relations), (table.tails, model.entities)
  return np.stack([_ids(path, table, names, words) for names, words in parts], 1)


def _ids(path: pathlib.Path, table: Table, names: list[str], words: Vocabulary) -> Int32[np.ndarray, ' Q']:
  found: dict[str, int] = {}
  for row, name in enumerate(names):
    if name not in found:
      try:
        found[name] = words.find(name)
      except errors.UnknownLabel as error:
        raise errors.DataError(
          f'{path}, {table.unit} {table.lines[row]}: {error}. Correct the name, or remove the lines that name it'
        ) from None
  return np.fromiter(map(found.__getitem__, names), np.int32, len(names))


def in_ids_of(own: Graph, other: Graph, split: str) -> Graph:
  """Returns a graph in the ids and with the vocabularies of a model's own one.

  Triples that name what the model does not know are left out, except of the split that is ranked.

  Args:
    own: the graph of the model.
    other: the graph that is given.
    split: the split that is ranked; '' is none of them.

  Raises:
    errors.DataError: the split names what the model does not know, or no triple is left.
  """
  if all(list(getattr(own, kind)) == list(getattr(other, kind)) for kind in KINDS):
    return dataclasses.replace(other, entity_labels=own.entity_labels, relation_labels=own.relation_labels)
  of_entity, of_relation = (_places(getattr(own, kind), getattr(other, kind)) for kind in KINDS)
  mapped: Mapping[str, np.ndarray] = {
    name: np.stack([of_entity[part[:, 0]], of_relation[part[:, 1]], of_entity[part[:, 2]]], 1)
    for name, part in (('train', other.train), ('valid', other.valid), ('test', other.test))
  }
  known = {name: np.min(part, 1, initial=0) >= 0 for name, part in mapped.items()}
  lacking = np.flatnonzero(~known[split]) if split else np.zeros(0, int)
  if len(lacking):
    row = int(lacking[0])
    head, relation, tail = getattr(other, split)[row]
    triple = ' '.join((other.entities[head], other.relations[relation], other.entities[tail]))
    raise errors.DataError(
      f'{other.name}: {len(lacking):,} of {len(getattr(other, split)):,} {split} triples name entities or '
      f'relations that the model does not know, such as {triple[:200]!r}. Leave them out, or train on that graph'
    )
  train, valid, test = (mapped[name][known[name]].astype(np.int32) for name in ('train', 'valid', 'test'))
  return dataclasses.replace(own, name=other.name, train=train, valid=valid, test=test, notes=other.notes, store=None)


def _places(own, other):
  """Where identifiers stand among a model's own ones, int [n]; -1 where they do not."""
  place = {name: i for i, name in enumerate(own)}
  return np.fromiter((place.get(name, -1) for name in other), np.int64, len(other))


def slug(text: str) -> str:
  """Returns a text as a part of a file's name; what that changes is told apart by a hash.

  >>> slug('umls'), slug('born in/at')
  ('umls', 'born_in_at-6a224198')
  """
  plain = re.sub(r'[^\w.-]+', '_', text)[:60]
  return plain if plain == text else f'{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}'
