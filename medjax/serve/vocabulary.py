"""Identifiers and labels of a graph, and the ids that they stand for."""

import collections
from collections.abc import Sequence
import difflib
import functools

import numpy as np

from medjax import errors
from medjax.data import labels as labels_lib
from medjax.data.graph import Graph


class Vocabulary:
  """Finds ids by identifier or label; a label that several entries share is told apart as 'label (identifier)'."""

  def __init__(self, kind: str, identifiers: Sequence[str], labels: Sequence[str]):
    self.kind, self.identifiers = kind, identifiers
    self.labels = labels_lib.unique_labels(labels, identifiers)
    self._ids = {label: i for i, label in enumerate(self.labels)} | {name: i for i, name in enumerate(identifiers)}
    folded = collections.Counter(label.casefold() for label in self.labels)
    self._folded = {label.casefold(): i for i, label in enumerate(self.labels) if folded[label.casefold()] == 1}

  def find(self, name: str | int) -> int:
    """Returns the id of an identifier, else of a label, else of a label in another case; ids may be given as ints.

    Raises:
      UnknownLabel: nothing, or several labels that differ only in case, is called so; the nearest are named.
    """
    if isinstance(name, (int, np.integer)) and not isinstance(name, bool) and 0 <= name < len(self.labels):
      return int(name)
    found = self._ids.get(name, self._folded.get(name.casefold())) if isinstance(name, str) else None
    if found is None:
      near = difflib.get_close_matches(str(name).casefold(), self._folded, n=3, cutoff=0.5)
      hint = f'; near it: {", ".join(repr(self.labels[self._folded[n]]) for n in near)}' if near else ''
      raise errors.UnknownLabel(f'the model has no {self.kind} {name!r}{hint}')
    return found


@functools.lru_cache(maxsize=8)
def vocabulary(kind: str, graph: Graph) -> Vocabulary:
  """Returns the `Vocabulary` of a graph's entities (kind 'entity') or relations ('relation')."""
  if kind == 'entity':
    return Vocabulary(kind, graph.entities, graph.entity_labels)
  return Vocabulary(kind, graph.relations, graph.relation_labels)
