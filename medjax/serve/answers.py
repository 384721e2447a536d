"""Questions by ids, and their best answers: what tables, DataFrames and the command line are made of."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TYPE_CHECKING

from jaxtyping import Float32, Int, Int8
import numpy as np

from medjax.core.sides import Side
from medjax.serve import funnel, known, search, spaces, vectors

if TYPE_CHECKING:
  from medjax.serve.model import Model

AT_ONCE = 1 << 22  # scores that exist at a time
UNKNOWN = -1  # the place of no split
SORTED = 1 << 23  # triples, at most, that are sorted to look answers up


class Asking(NamedTuple):
  """How questions are asked.

  Attributes:
    k: how many answers.
    leave_out: splits whose triples are no answers.
    itself: whether an entity may answer a question about itself; None: only for relations of which the graph has
      such a triple.
  """

  k: int = 10
  leave_out: tuple[str, ...] = ()
  itself: bool | None = None


class Answers(NamedTuple):
  """The best answers of Q questions, best first.

  Attributes:
    query: the question that each answers, int [A], ascending.
    ids: the entities, or the relations.
    scores: how plausible they are.
    ranks: 1, 2, ... of each question.
    splits: the place among `known.SPLITS` of the first that holds the triple, or `UNKNOWN`; None without triples.
  """

  query: Int[np.ndarray, ' A']
  ids: Int[np.ndarray, ' A']
  scores: Float32[np.ndarray, ' A']
  ranks: Int[np.ndarray, ' A']
  splits: Int8[np.ndarray, ' A'] | None


def answer(model: 'Model', ids: Mapping[str, Int[np.ndarray, ' Q']], asking: Asking) -> Answers:
  """Returns the best answers of Q questions, by two of {'head': ids, 'relation': ids, 'tail': ids}, int [Q] each."""
  if 'relation' not in ids:
    return of_relations(model, ids['head'], ids['tail'], asking)
  if 'tail' not in ids:
    return of_entities(model, 'tail', ids['head'], ids['relation'], asking)
  return of_entities(model, 'head', ids['tail'], ids['relation'], asking)


def of_entities(
  model: 'Model', side: Side, anchors: Int[np.ndarray, ' Q'], relations: Int[np.ndarray, ' Q'], asking: Asking
) -> Answers:
  """Returns the best entities for questions by ids, int [Q] each, whose answer is the 'tail' or the 'head'."""
  size, found = len(model.entities.labels), []
  rows = max(1, AT_ONCE // size)
  for first in range(0, len(anchors), rows):
    part = slice(first, first + rows)
    queries = vectors.query_rows(model, side, anchors[part], relations[part])
    facts = _known(model, side, anchors[part], relations[part])
    out = _left_out(model, anchors[part], relations[part], facts, asking)
    ids, best = _best(model, queries, out, min(asking.k, size))
    places = None if facts is None else _places(ids, facts, size)
    found.append(_listed(ids, model.affine(best), places, first))
  return _join(found, model)


def of_relations(model: 'Model', heads: Int[np.ndarray, ' Q'], tails: Int[np.ndarray, ' Q'], asking: Asking) -> Answers:
  """Returns the best relations from heads to tails, ids int [Q] each, by the scores of the queries for the tails."""
  count, found = len(model.relations.labels), []
  every = np.arange(count)
  for query, (head, tail) in enumerate(zip(heads, tails)):
    raw = spaces.pairs(model, 'tail', np.full(count, head), every, np.full(count, tail))
    scores = model.affine(raw)[None]
    places = None
    if model.has_triples:
      held = np.full((1, count), UNKNOWN, np.int8)
      for place in reversed(range(len(known.SPLITS))):
        part = model.graph.splits[place]
        held[0, part[(part[:, 0] == head) & (part[:, 2] == tail), 1]] = place
      for name in asking.leave_out:
        scores[held == known.SPLITS.index(name)] = -np.inf
      places = held
    ids, best = search.top_k(scores, min(asking.k, count))
    found.append(_listed(ids, best, None if places is None else np.take_along_axis(places, ids, 1), query))
  return _join(found, model)


def _known(model, side, anchors, relations):
  """(rows, ids, places of splits) of the known answers, of what is known in several splits the first one last."""
  if not model.has_triples:
    return None
  if sum(map(len, model.graph.splits)) <= SORTED:
    facts = known.facts(model.graph, side)
    found = [facts.of(int(anchor), int(relation)) for anchor, relation in zip(anchors, relations)]
  else:
    found = [known.once(model.graph, side, anchor, relation) for anchor, relation in zip(anchors, relations)]
  rows = np.repeat(np.arange(len(found)), [len(ids) for ids, _ in found])
  return rows, np.concatenate([ids for ids, _ in found]), np.concatenate([places for _, places in found])


def _left_out(model, anchors, relations, facts, asking):
  """(rows, ids) of what is left out."""
  rows, ids = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
  if asking.leave_out and facts is not None:
    out = np.isin(facts[2], [known.SPLITS.index(name) for name in asking.leave_out])
    rows, ids = [facts[0][out]], [facts[1][out]]
  if asking.itself is not True:
    looped = known.reflexive(model.graph) if asking.itself is None else ()
    rows.append(np.array([i for i, relation in enumerate(relations) if int(relation) not in looped], np.int64))
    ids.append(anchors[rows[-1]])
  return np.concatenate(rows), np.concatenate(ids)


def _best(model, queries, out, k):
  """(ids, raw scores) [Q, k] of the best, in which what is left out has the score of nothing, -inf."""
  rows, ids = out
  if model.funnel is None:
    raw = spaces.raw_scores(model.space, queries)
    raw[rows, ids] = -np.inf
    return search.top_k(raw, k)
  size = len(model.entities.labels)
  count = len(next(iter(queries.values())))
  found, best = funnel.top_k(model.funnel, queries, min(size, k + int(np.bincount(rows, minlength=1).max())))
  best[np.isin(np.arange(count)[:, None] * size + found, rows * size + ids)] = -np.inf
  order = np.argsort(-best, 1, kind='stable')[:, :k]
  return np.take_along_axis(found, order, 1), np.take_along_axis(best, order, 1)


def _places(ids, facts, size):
  """The places of the splits that hold the answers, int8 [Q, k]."""
  rows, answers, places = facts
  result = np.full(ids.shape, UNKNOWN, np.int8)
  if len(answers):
    keys = rows.astype(np.int64) * size + answers
    order = np.argsort(keys, kind='stable')
    asked = np.arange(len(ids))[:, None] * size + ids
    last = np.searchsorted(keys[order], asked, 'right') - 1  # the last of equal ones is of the first split
    hit = keys[order][last] == asked
    result[hit] = places[order][last[hit]]
  return result


def _listed(ids, best, places, first):
  rows, columns = np.nonzero(best > -np.inf)
  taken = lambda x: x[rows, columns]
  return Answers(rows + first, taken(ids), taken(best), columns + 1, None if places is None else taken(places))


def _join(found: Sequence[Answers], model: 'Model') -> Answers:
  if not found:
    none = np.zeros(0, np.int64)
    return Answers(none, none, none.astype(np.float32), none, none.astype(np.int8) if model.has_triples else None)
  query, ids, scores, ranks = (np.concatenate([part[i] for part in found]) for i in range(4))
  splits = [part.splits for part in found if part.splits is not None]
  return Answers(query, ids, scores, ranks, np.concatenate(splits) if splits else None)
