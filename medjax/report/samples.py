"""The same test questions asked at a narrow and at a wide width, side by side."""

from collections.abc import Sequence
import itertools
from typing import NamedTuple

import numpy as np

from medjax.core import terminal
from medjax.core.sides import columns, Side
from medjax.data.graph import Graph
from medjax.serve import answers, known
from medjax.serve.model import Model

HELD = ('train', 'valid')  # answers that these splits hold are left out, as filtered ranks leave them out
TEST = known.SPLITS.index('test')
LONGEST = 28  # characters of a name


class Question(NamedTuple):
  """A test triple one of whose entities is asked for: the ids of the other and of the relation, and the asked side."""

  anchor: int
  relation: int
  side: Side


def questions(graph: Graph, count: int) -> list[Question]:
  """Returns test questions that are spread over the split, not picked: of every relation in turn, for either side.

  Relations come in the order of their numbers of test triples; of each the triples are taken evenly spaced, and what is
  asked is the tail and the head by turns.

  Args:
    graph: with its triples.
    count: how many at most; fewer where there are fewer test triples.
  """
  asked = np.asarray(graph.test[:, 1])
  relations, sizes = np.unique(asked, return_counts=True)
  common = relations[np.argsort(-sizes, kind='stable')][:count]
  found = []
  for i in range(min(count, len(asked))):
    turn, place = divmod(i, len(common))
    rows = np.flatnonzero(asked == common[place])
    each = -(-(count - place) // len(common))  # questions of this relation
    triple = graph.test[rows[len(rows) * (2 * turn + 1) // (2 * each)]]
    side: Side = 'head' if i % 2 else 'tail'
    found.append(Question(int(triple[columns(side)[0]]), int(triple[1]), side))
  return found


def table(model: Model, widths: Sequence[int], count: int = 6, k: int = 3) -> str:
  """Returns what sub-models answer to the same test questions; right answers have a star, known ones are left out.

  Args:
    model: of a run, with triples of which some are test triples.
    widths: of it, one a column.
    count: how many questions, see `questions`.
    k: how many answers to each.
  """
  asked = questions(model.graph, count)
  rows = [['test question', *(f'width {width}' for width in widths)]]
  cropped = [model.crop(width) for width in widths]
  for question in asked:
    cells = [_answers(one, question, k) for one in cropped]
    lines = itertools.zip_longest([_words(model, question)], *cells, fillvalue='')
    rows += map(list, lines)
  sizes = [max(map(len, column)) for column in zip(*rows)]
  texts = ['  '.join(cell.ljust(size) for cell, size in zip(row, sizes)).rstrip() for row in rows]
  return '\n'.join([*texts, f'* is right; what {" and ".join(HELD)} hold is no answer'])


def _answers(model: Model, question: Question, k: int) -> list[str]:
  """The best answers as text, the right ones with a star before them."""
  given = 'head' if question.side == 'tail' else 'tail'
  ids = {given: np.array([question.anchor]), 'relation': np.array([question.relation])}
  found = answers.answer(model, ids, answers.Asking(k, HELD))
  splits = found.splits if found.splits is not None else np.full(len(found.ids), answers.UNKNOWN)
  return [
    f'{"*" if place == TEST else " "} {terminal.short(model.entities.labels[i], LONGEST)}'
    for i, place in zip(found.ids, splits)
  ]


def _words(model: Model, question: Question) -> str:
  anchor = terminal.short(model.entities.labels[question.anchor], LONGEST)
  relation = terminal.short(model.relations.labels[question.relation])
  if len(relation) > LONGEST:  # of paths the end tells most
    relation = f'...{relation[3 - LONGEST :]}'
  return f'{anchor} {relation} ?' if question.side == 'tail' else f'? {relation} {anchor}'
