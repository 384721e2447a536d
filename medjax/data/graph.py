"""A graph in memory: triples as ids, and the vocabularies that give the ids their names."""

from collections.abc import Sequence
import dataclasses
import pathlib
from typing import NamedTuple, Protocol

from jaxtyping import Bool, Int, Int32, Shaped
import numpy as np

from medjax.data import filters

CHUNK = 1 << 20  # triples looked at once


class Prepared(Protocol):
  """Where a prepared graph lies; `store.Store` is one."""

  @property
  def folder(self) -> pathlib.Path:
    """Its folder."""

  @property
  def hash(self) -> str:
    """sha256 of what it holds."""

  def candidates(self, split: str) -> Int32[np.ndarray, '2 Q K'] | None:
    """The entities that were published to compete with a split's answers, or None."""

  def relation_counts(self) -> Int[np.ndarray, '3 R']:
    """The training triples, distinct heads and distinct tails of each relation."""


class File(NamedTuple):
  """How a file of a graph was understood.

  Attributes:
    name: of the file.
    form: how it is written, in words.
    triples: how many it holds.
    header: its header, or ''.
    columns: of head, relation and tail, as `data.columns` writes them, or ''.
  """

  name: str
  form: str
  triples: int
  header: str
  columns: str


@dataclasses.dataclass(frozen=True, eq=False)
class Graph:
  """Triples as ids, with the vocabularies that give the ids their names.

  E entities and R relations; ids follow the sorted identifiers, so they do not depend on the order of lines.
  """

  name: str
  entities: Sequence[str]  # identifiers; the index is the id
  relations: Sequence[str]
  train: Int32[np.ndarray, 'M_train 3']  # columns head, relation, tail
  valid: Int32[np.ndarray, 'M_valid 3']
  test: Int32[np.ndarray, 'M_test 3']
  entity_labels: Sequence[str]  # readable names in the same order; the identifier where none is known
  relation_labels: Sequence[str]
  notes: tuple[str, ...] = ()  # warnings with counts, and licences
  store: Prepared | None = None  # where a prepared graph lies, whose arrays are memory-mapped
  files: tuple[File, ...] = ()  # those that were just read

  @property
  def num_entities(self) -> int:
    """E, how many entities there are."""
    return len(self.entities)

  @property
  def num_relations(self) -> int:
    """R, how many relations there are."""
    return len(self.relations)

  @property
  def splits(self) -> tuple[Int32[np.ndarray, '_ 3'], ...]:
    """train, valid and test, int32 [M, 3] each: what filtered evaluation takes for known."""
    return self.train, self.valid, self.test

  @property
  def triples(self) -> Int32[np.ndarray, '_ 3']:
    """All splits in one array, int32 [M_train + M_valid + M_test, 3]."""
    return np.concatenate(self.splits)

  @property
  def has_triples(self) -> bool:
    """Whether there are triples; a cropped model may go without those that it was trained on."""
    return len(self.train) > 0

  def without_triples(self) -> 'Graph':
    """Returns the vocabularies and notes alone, in memory."""
    none = np.zeros((0, 3), np.int32)
    return dataclasses.replace(self, train=none, valid=none, test=none, store=None)

  def unseen_entities(self) -> Bool[np.ndarray, ' E']:
    """bool [E]: entities that valid or test name and train does not; none where there are no triples."""
    if not self.has_triples:
      return np.zeros(self.num_entities, bool)
    seen = np.zeros(self.num_entities, bool)
    for first in range(0, len(self.train), CHUNK):
      seen[self.train[first : first + CHUNK, ::2]] = True
    return ~seen

  def relation_categories(self) -> Shaped[np.ndarray, ' R']:
    """The category of each relation, array of str [R], see `filters.relation_categories`; '' without triples."""
    if not self.has_triples:
      return np.full(self.num_relations, '')
    if self.store is not None:
      return filters.categories(*self.store.relation_counts())
    return filters.relation_categories(self.train, self.num_relations)
