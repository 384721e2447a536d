"""Ranks against chosen candidates instead of all entities: estimates, where ranking all of them costs too much.

A rank among K candidates is far better than one among all entities, so results always say which it is. The answer is
the first row, its rivals follow, and all are scored by the score's `scan_blocks`, as where all entities are ranked:
with every entity for a candidate the ranks are the same numbers.
"""

from concurrent import futures
import functools
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float64, Int, Int32
import numpy as np

from medjax import errors
from medjax.core import rows as rows_lib
from medjax.core import shuffle, sides
from medjax.core.sides import Side
from medjax.core.widths import Widths
from medjax.data import filters
from medjax.data.graph import Graph
from medjax.evaluation import ranking
from medjax.scores.contract import Params, Score

CHUNK = 512  # candidates of a query that are compared at once
ROWS = 1 << 14  # rows of entities gathered at once, over all queries of a batch
GIVEN = -1  # as a number of candidates: those that were published with the graph
SEED = 0  # of the drawn candidates: every model and width meets the same ones


class Choose(Protocol):
  """Returns the candidates of some triples, which are those at `places` of their split."""

  def __call__(
    self, triples: Int[np.ndarray, 'Q 3'], places: Int[np.ndarray, ' Q'], side: Side, /
  ) -> Int32[np.ndarray, 'Q K']: ...


def describe(number: int) -> str:
  """What results say of `eval.candidates`."""
  return {0: 'all', GIVEN: 'given'}.get(number, f'{number} drawn')


def chooser(number: int, graph: Graph, split: str) -> Choose | None:
  """Returns choose(triples [q, 3], places [q], side) -> candidates int32 [q, K] for the triples at places of a split.

  Args:
    number: candidates drawn for each query, or `GIVEN`; None is returned for 0, all entities.
    graph: the `data.Graph`.
    split: 'valid' or 'test'.

  Raises:
    errors.DataError: the graph has no published candidates for the split.
  """
  if number > 0:
    return functools.partial(draw, num_entities=graph.num_entities, count=min(number, graph.num_entities))
  if not number:
    return None
  published = graph.store.candidates(split) if graph.store is not None else None
  if published is None:
    raise errors.DataError(
      f'config.eval.candidates={number}: {graph.name} brings no candidates for {split} '
      '(ogbl-wikikg2 does); write 0 to rank all entities, or how many to draw'
    )
  return lambda triples, places, side: np.asarray(published[sides.SIDES.index(side)][places])


def draw(
  triples: Int[np.ndarray, 'Q 3'], places: Int[np.ndarray, ' Q'], side: Side, num_entities: int, count: int
) -> Int32[np.ndarray, 'Q K']:
  """Draws `count` distinct entities for each query, uniformly: a function of the triple and the side alone."""
  del places
  return np.asarray(_draw(triples, jnp.uint32(side == 'head'), num_entities=num_entities, count=count))


@functools.partial(jax.jit, static_argnames=('num_entities', 'count'))
def _draw(triples: Int[Array, 'Q 3'], side: Array, *, num_entities: int, count: int) -> Int32[Array, 'Q K']:
  def one(triple):
    key = functools.reduce(jax.random.fold_in, (side, *triple), jax.random.key(SEED))
    return shuffle.shuffled(key, jnp.arange(count), num_entities)

  return jax.vmap(one)(triples)


@functools.partial(jax.jit, static_argnames=('score', 'widths', 'side'))
def count_rivals(
  model: Params,
  triples: Int[Array, 'Q 3'],
  rivals: Int[Array, 'Q K'],
  competes: Bool[Array, 'Q K'],
  *,
  score: Score,
  widths: Widths,
  side: Side,
) -> Int32[Array, 'blocks Q']:
  """Counts rivals that outscore or tie the answers: int32 [blocks, Q], twice the former plus the latter.

  Args:
    model: the full model's parameters.
    triples: int32 [Q, 3].
    rivals: int32 [Q, K] entities.
    competes: bool [Q, K], False for known answers.
    score, widths, side: `Score`, `Widths`, 'tail' or 'head'.
  """
  entity = model['entity']
  anchor, answer = sides.columns(side)
  queries = score.query(side)(
    rows_lib.gather(entity, triples[:, anchor]), rows_lib.gather(model['relation'], triples[:, 1])
  )
  rows = rows_lib.gather(entity, jnp.concatenate([triples[:, answer, None], rivals], 1))
  start = jnp.where(jnp.pad(competes, ((0, 0), (1, 0)), constant_values=True), 0.0, -jnp.inf)

  def compare(total, _):
    true, others = total[:1], total[1:]  # [1, 1], [K, 1]; what is counted: see `ranking.count_rivals`
    return jnp.sum((~(others <= true)).astype(jnp.int32) + ~(others < true))

  def one(query, rows, start):
    query = jax.tree.map(lambda x: x[:, None], query)
    return score.scan_blocks(query, rows, widths, start[:, None], compare, jnp.zeros(widths.num_blocks))

  return jax.vmap(one, out_axes=1)(queries, rows, start)


def ranks(
  score: Score,
  model: Params,
  widths: Widths,
  triples: Int[np.ndarray, 'Q 3'],
  side: Side,
  choose: Choose,
  known_triples: filters.Facts,
  batch: int = 256,
  workers: int | None = None,
) -> tuple[Float64[np.ndarray, 'Q N'], Int[np.ndarray, ' Q']]:
  """Returns (ranks float64 [Q, N], candidates [Q]): filtered mean ranks among chosen candidates, and their number.

  Args:
    score, model, widths, triples, side: as in `ranking.ranks`.
    choose: (triples [q, 3], positions in `triples` [q], side) -> int32 [q, K], see `chooser`.
    known_triples: see `filters.known_keys`; known answers do not compete.
    batch: queries ranked at once, at most.
    workers: batches ranked side by side; None is one per processor.
  """
  model = jax.tree.map(jnp.asarray, model)
  questions, keys = filters.known_keys(known_triples, triples, side)
  widths = widths.fine
  ends = np.asarray(widths.ends)

  def rank_batch(first):
    places = np.arange(first, min(first + batch, len(triples)))
    padded = np.resize(places, batch)
    rivals = choose(triples[padded], padded, side)
    competes = ~filters.contains(keys, questions[padded, None] << filters.SHIFT | rivals)
    total: Any = sum(
      np.asarray(
        count_rivals(
          model,
          triples[padded],
          rivals[:, at : at + CHUNK],
          competes[:, at : at + CHUNK],
          score=score,
          widths=widths,
          side=side,
        )
      )
      for at in range(0, rivals.shape[1], CHUNK)
    )
    return places, 1 + total[ends].T[: len(places)] / 2, competes[: len(places)].sum(1) + 1

  batch = max(1, min(batch, ROWS // CHUNK))
  result, candidates = np.zeros((len(triples), len(ends))), np.zeros(len(triples), int)
  with futures.ThreadPoolExecutor(workers or ranking.processors()) as pool:
    for places, values, number in pool.map(rank_batch, range(0, len(triples), batch)):
      result[places], candidates[places] = values, number
  return result, candidates
