"""Identifiers and labels of a graph, and the ids that they stand for."""

import collections
from collections.abc import Iterable, Sequence
import difflib
import functools
from typing import Any

from jaxtyping import Int64
import numpy as np

from medjax import errors
from medjax.data import labels as labels_lib
from medjax.data.graph import Graph

NAMED = 10  # choices that a message names


class Vocabulary:
  """Finds ids by identifier or label; a label that several entries share is told apart as 'label (identifier)'.

  Attributes:
    kind: 'entity' or 'relation'.
    identifiers: of all entries; the index is the id.
    labels: what people read, distinct.
  """

  def __init__(self, kind: str, identifiers: Sequence[str], labels: Sequence[str]):
    self.kind, self.identifiers, self._given = kind, identifiers, labels
    self.labels = labels_lib.unique_labels(labels, identifiers)
    self._ids = {label: i for i, label in enumerate(self.labels)} | {name: i for i, name in enumerate(identifiers)}

  @functools.cached_property
  def _folded(self) -> dict[str, list[int]]:
    folded = collections.defaultdict(list)
    for i, names in enumerate(zip(self.labels, self._given, self.identifiers)):
      for name in {name.casefold() for name in names}:
        folded[name].append(i)
    return dict(folded)

  @functools.cached_property
  def column(self) -> Any:
    """The labels as a column of pandas, of which taking some is quick."""
    return text_column(self.labels)

  def find(self, name: str | int) -> int:
    """Returns the id of an identifier, else of a label, else of either in another case.

    A whole number stands for the identifier that is written so.

    Raises:
      UnknownLabel: nothing, or several entries, are called so; they, or the nearest names, are told.
    """
    if isinstance(name, (int, np.integer)) and not isinstance(name, bool):
      name = str(name)
    if isinstance(name, str):
      if name in self._ids:
        return self._ids[name]
      found = self._folded.get(name.casefold(), [])
      if len(found) == 1:
        return found[0]
      if found:
        choices = ', '.join(repr(self.labels[i]) for i in found[:NAMED]) + (' and more' if found[NAMED:] else '')
        raise errors.UnknownLabel(f'the model has {len(found)} {self.plural} called {name!r}: {choices}; name one')
    raise errors.UnknownLabel(f'the model has no {self.kind} {name!r}{self._hint(str(name))}')

  def find_all(self, names: Iterable[str | int]) -> Int64[np.ndarray, ' n']:
    """Returns the ids of several names, int64 [n]."""
    return np.fromiter(map(self.find, names), np.int64)

  @property
  def plural(self) -> str:
    """'entities' or 'relations'."""
    return {'entity': 'entities', 'relation': 'relations'}[self.kind]

  def _hint(self, name):
    near = difflib.get_close_matches(name.casefold(), self._folded, n=3, cutoff=0.5)
    places = dict.fromkeys(i for key in near for i in self._folded[key])
    return f'; near it: {", ".join(repr(self.labels[i]) for i in [*places][:NAMED])}' if places else ''


def text_column(values: Sequence[str]) -> Any:
  """Returns text as a column of pandas, stored so that taking a few of it is quick."""
  import pandas as pd

  column = pd.Series(list(values)).array
  if isinstance(column.dtype, pd.StringDtype):  # which pandas keeps in Arrow's memory if it can
    column = column.astype(pd.StringDtype('python', na_value=column.dtype.na_value))
  return column


@functools.lru_cache(maxsize=8)
def vocabulary(kind: str, graph: Graph) -> Vocabulary:
  """Returns the `Vocabulary` of a graph's entities (kind 'entity') or relations ('relation')."""
  if kind == 'entity':
    return Vocabulary(kind, graph.entities, graph.entity_labels)
  return Vocabulary(kind, graph.relations, graph.relation_labels)
