"""Which answers of a question a graph holds, and in which of its splits."""

from collections.abc import Sequence
import functools
from typing import NamedTuple

from jaxtyping import Int, Int8
import numpy as np

from medjax.core import sides
from medjax.core.sides import Side
from medjax.data.filters import SHIFT
from medjax.data.graph import Graph

SPLITS = ('train', 'valid', 'test')


class Facts(NamedTuple):
  """Triples sorted by what they answer.

  Attributes:
    keys: the questions, sorted: anchor << SHIFT | relation, int64 [M].
    answers: the entity that answers each, int32 [M].
    splits: the place of its split among `SPLITS`, int8 [M].
  """

  keys: Int[np.ndarray, ' M']
  answers: Int[np.ndarray, ' M']
  splits: Int8[np.ndarray, ' M']

  def of(self, anchor: int, relation: int) -> tuple[Int[np.ndarray, ' n'], Int8[np.ndarray, ' n']]:
    """Returns (ids, places of splits) of the known answers of a question; one in several splits comes once for each."""
    first, last = np.searchsorted(self.keys, [key := anchor << SHIFT | relation, key + 1])
    return self.answers[first:last], self.splits[first:last]


@functools.lru_cache(maxsize=4)
def facts(graph: Graph, side: Side) -> Facts:
  """Returns the `Facts` that answer a graph's questions for one side; later splits stand first among equals."""
  given, asked = sides.columns(side)
  parts = [np.asarray(part) for part in graph.splits]
  triples = np.concatenate(parts[::-1])
  places = np.repeat(np.arange(len(parts), dtype=np.int8)[::-1], [len(part) for part in parts[::-1]])
  keys = triples[:, given].astype(np.int64) << SHIFT | triples[:, 1]
  order = np.argsort(keys, kind='stable')
  return Facts(keys[order], triples[order, asked], places[order])


def once(graph: Graph, side: Side, anchor: int, relation: int) -> tuple[Int[np.ndarray, ' n'], Int8[np.ndarray, ' n']]:
  """Returns what `Facts.of` does, for one question, without sorting the graph."""
  given, asked = sides.columns(side)
  found = [part[(part[:, given] == anchor) & (part[:, 1] == relation), asked] for part in graph.splits]
  places = np.repeat(np.arange(len(found), dtype=np.int8)[::-1], [len(ids) for ids in found[::-1]])
  return np.concatenate(found[::-1]), places


@functools.lru_cache(maxsize=2)
def reflexive(graph: Graph) -> frozenset[int]:
  """Returns the relations of which the graph holds an entity's triple with itself."""
  return frozenset(int(relation) for part in graph.splits for relation in np.unique(part[part[:, 0] == part[:, 2], 1]))


def check_splits(names: Sequence[str]) -> tuple[str, ...]:
  """Returns names of splits; raises ValueError for another one."""
  unknown = [name for name in names if name not in SPLITS]
  if unknown:
    raise ValueError(f'there is no split {unknown[0]!r}; splits are {", ".join(SPLITS)}')
  return tuple(names)
