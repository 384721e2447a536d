"""Raw scores of queries against all entities, in NumPy: what a process without JAX asks a model with.

The entities are laid out once so that a question reads them in order: as columns, for distances in blocks of entities
that stay in a core's cache.

Shape letters: E entities, Q queries, D width, C components.
"""

from typing import Any, NamedTuple, TYPE_CHECKING

from jaxtyping import Float32, Int
import numpy as np

from medjax.core.sides import Side
from medjax.serve import search, vectors
from medjax.serve.vectors import Rows

if TYPE_CHECKING:
  from medjax.serve.model import Model

BLOCK = 1 << 18  # numbers of a leaf that are compared at once
SMALL = 1 << 20  # numbers of a table for which waking the threads of a matrix product takes longer than the product


class Space(NamedTuple):
  """The entities of a model, laid out for questions.

  Attributes:
    score: name of the score.
    columns: vectors [D, E] of a score that is an inner product, else None.
    blocks: leaves [C, e] of one block of entities after another, of a distance, else none.
    model: the `Model` itself, of a score that has no form here, else None.
  """

  score: str
  columns: Float32[np.ndarray, 'D E'] | None
  blocks: tuple[dict[str, Float32[np.ndarray, 'C e']], ...]
  model: Any = None


def make(model: 'Model') -> Space:
  """Returns the `Space` of a model's entities."""
  if model.description.score not in vectors.LEAVES:
    return Space(model.description.score, None, (), model)
  return of_rows(model.description.score, vectors.rows_of(model, 'entity', slice(None)))


def of_rows(score: str, leaves: Rows) -> Space:
  """Returns the `Space` of entities, leaves [E, C], under a score, by its name."""
  if vectors.metric(score) == 'ip':
    columns = vectors.side_by_side(leaves, vectors.LEAVES[score][0]).T
    return Space(score, np.ascontiguousarray(columns), ())
  if score == 'pairre':
    leaves = {name: vectors.of_length_one(leaf) for name, leaf in leaves.items()}
  size, length = next(iter(leaves.values())).shape
  step = max(1, BLOCK // length)
  cut = lambda first: {name: np.ascontiguousarray(leaf[first : first + step].T) for name, leaf in leaves.items()}
  return Space(score, None, tuple(map(cut, range(0, size, step))))


def raw_scores(space: Space, queries: Rows) -> Float32[np.ndarray, 'Q E']:
  """Returns the raw scores [Q, E] of queries, leaves [Q, C] as `vectors.query_rows` makes them, with all entities."""
  if space.model is not None:
    from medjax.serve import by_jax  # loads JAX

    return by_jax.raw_scores(space.model, queries)
  if space.columns is not None:
    query = vectors.side_by_side(queries, vectors.LEAVES[space.score][0])
    if len(query) == 1 and space.columns.size <= SMALL:
      return np.einsum('qd,de->qe', query, space.columns)
    return query @ space.columns
  count = len(next(iter(queries.values())))
  columns = [{name: leaf[i, :, None] for name, leaf in queries.items()} for i in range(count)]
  distances = lambda block: np.stack([_distances(space.score, query, block) for query in columns])
  size = sum(len(next(iter(block.values()))[0]) for block in space.blocks)
  found = search.workers().map(distances, space.blocks) if count * size > search.SHARE else map(distances, space.blocks)
  result = np.concatenate([*found], 1)
  return np.negative(result, out=result)


def raw_chosen(score: str, query: Rows, candidates: Rows) -> Float32[np.ndarray, ' e']:
  """Returns the raw scores [e] of one query, leaves [1, C], with candidates, leaves [e, C].

  A candidate's score does not depend on the others. To the bit, it is that of `raw_scores` for distances and that of
  `raw_pairs` for inner products, whose matrix products add in an order that depends on where a row stands.
  """
  if vectors.metric(score) == 'ip':
    return raw_pairs(
      score, {name: np.broadcast_to(query[name], leaf.shape) for name, leaf in candidates.items()}, candidates
    )
  if score == 'pairre':
    candidates = {name: vectors.of_length_one(leaf) for name, leaf in candidates.items()}
  turn = lambda rows: {name: np.ascontiguousarray(leaf.T) for name, leaf in rows.items()}
  return -_distances(score, turn(query), turn(candidates))


def raw_pairs(score: str, queries: Rows, candidates: Rows) -> Float32[np.ndarray, ' Q']:
  """Returns the raw scores [Q] of queries and one candidate each; leaves [Q, C] both."""
  if vectors.metric(score) == 'ip':
    return sum(np.einsum('qc,qc->q', queries[name], candidates[name]) for name in candidates)
  if score == 'pairre':
    candidates = {name: vectors.of_length_one(leaf) for name, leaf in candidates.items()}
  turn = lambda rows: {name: leaf.T for name, leaf in rows.items()}
  return -_distances(score, turn(queries), turn(candidates))


def pairs(
  model: 'Model', side: Side, anchors: Int[np.ndarray, ' Q'], relations: Int[np.ndarray, ' Q'], asked: Any
) -> Float32[np.ndarray, ' Q']:
  """Returns the raw scores [Q] of triples by ids, int [Q] each, as the answers of the queries for that side."""
  queries = vectors.query_rows(model, side, anchors, relations)
  if model.description.score not in vectors.LEAVES:
    from medjax.serve import by_jax  # loads JAX

    return by_jax.raw_pairs(model, queries, asked)
  return raw_pairs(model.description.score, queries, vectors.rows_of(model, 'entity', asked))


def _distances(score, query, candidate):
  """The distances [e] of leaves [C, e] from a query's [C, 1] or [C, e]."""
  if score == 'rotate':
    real, imaginary = (candidate[name] - query[name] for name in vectors.COMPLEX)
    np.multiply(real, real, out=real)
    np.multiply(imaginary, imaginary, out=imaginary)
    return _sum(np.sqrt(np.add(real, imaginary, out=real), out=real))
  if score == 'pairre':
    gap = candidate['vector'] * query['stretch']
    gap -= query['vector']
  else:
    gap = candidate['vector'] - query['vector']
  if score == 'transe_l2':
    return np.sqrt(_sum(np.multiply(gap, gap, out=gap)))
  return _sum(np.abs(gap, out=gap))


def _sum(terms):
  """The sums [e] of terms [C, e]: added in one order, which NumPy would leave for a single column."""
  return np.repeat(terms, 2, 1).sum(0)[:1] if terms.shape[1] == 1 else terms.sum(0)
