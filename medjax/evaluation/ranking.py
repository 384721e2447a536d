"""Filtered ranks of all widths in one pass over the entities.

Entities are walked in chunks; per chunk only scores [chunk, Q] of one width exist at a time. The true
answers are scored as the first chunks of the loop that scores their rivals, by the same program, so float noise cannot
move a rank. Triples that ask the same query share its scores.

A batch's memory above the parameters is a few tables of chunk * Q floats, a few chunks of embeddings and
the batch's known answers, whatever the number of entities and widths; as many batches run at once as there
are workers.
"""

from collections.abc import Iterator
from concurrent import futures
import functools
import os

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float64, Int, Int32, Int64
import numpy as np

from medjax.core import rows as rows_lib
from medjax.core import sides
from medjax.core.sides import Side
from medjax.core.widths import Widths
from medjax.scores.contract import Params, Score

ANSWERS = (1, 2, 4, 8)  # answers of one query that are ranked at once; a program is compiled for each of these numbers
CHUNK = 256  # entities compared at once: a tile of scores [CHUNK, Q] stays in a core's cache


@functools.partial(jax.jit, static_argnames=('score', 'widths', 'side', 'chunk'))
def count_rivals(
  model: Params,
  anchors: Int[Array, ' Q'],
  relations: Int[Array, ' Q'],
  answers: Int[Array, 'A Q'],
  pairs: Int[Array, 'P 2'],
  *,
  score: Score,
  widths: Widths,
  side: Side,
  chunk: int,
) -> Int32[Array, 'blocks A Q']:
  """Counts rivals that outscore or tie the answers, for every block of components.

  Args:
    model: the full model's parameters.
    anchors, relations: int32 [Q].
    answers: int32 [A, Q], the answers of each query.
    pairs: int32 [P, 2] (query, entity) that are no rivals: all known answers; query >= Q is padding.
    score, widths, side: `Score`, `Widths`, 'tail' or 'head'.
    chunk: entities per chunk, at least Q.

  Returns:
    int32 [blocks, A, Q]: twice the rivals that outscore the answer plus those that tie with it. Scores
    that are not numbers count as greater.
  """
  entity = model['entity']
  num_entities, num_queries = jax.tree.leaves(entity)[0].shape[0], anchors.shape[0]
  query = score.query(side)(rows_lib.gather(entity, anchors), rows_lib.gather(model['relation'], relations))
  query = jax.tree.map(jnp.transpose, query)
  truth = jax.tree.map(
    lambda x: jnp.pad(x, ((0, 0), (0, chunk - num_queries), (0, 0))), rows_lib.gather(entity, answers)
  )
  num_answers = answers.shape[0]

  def compare(total, true_scores):
    # not <= counts the rivals above, not < those above and beside: together twice the former plus the latter. A score
    # that is not a number is neither <= nor <, and counts as above.
    twice = lambda true: jnp.sum((~(total <= true)).astype(jnp.int32) + ~(total < true), 0)
    return jnp.diagonal(total), jnp.stack([twice(true_scores[a, None]) for a in range(num_answers)])

  def add_chunk(carry, index):
    counts, true_scores = carry
    is_truth = index < num_answers  # the first chunks are the answers, one of each query
    first = jnp.clip((index - num_answers) * chunk, 0, num_entities - chunk)  # the last chunk overlaps the one before
    rows = jax.tree.map(
      lambda x, t: jnp.where(
        is_truth, t[jnp.minimum(index, num_answers - 1)], jax.lax.dynamic_slice_in_dim(x, first, chunk)
      ),
      entity,
      truth,
    )
    # Scores start from 0, or from -inf and so below every answer: of entities that the chunk before had, and of known
    # answers.
    seen = jnp.arange(chunk) + first < (index - num_answers) * chunk
    start = jnp.broadcast_to(jnp.where(seen, -jnp.inf, 0.0)[:, None], (chunk, num_queries))
    here = ~is_truth & (pairs[:, 1] >= first) & (pairs[:, 1] < first + chunk)
    start = start.at[jnp.where(here, pairs[:, 1] - first, chunk), pairs[:, 0]].set(-jnp.inf, mode='drop')
    own, rivals = score.scan_blocks(query, rows, widths, start, compare, true_scores)
    return (
      counts + jnp.where(is_truth, 0, rivals),
      jnp.where(is_truth, true_scores.at[:, index].set(own, mode='drop'), true_scores),
    ), None

  shape = (widths.num_blocks, num_answers, num_queries)
  start = (jnp.zeros(shape, jnp.int32), jnp.zeros(shape, jnp.float32))
  return jax.lax.scan(add_chunk, start, jnp.arange(num_answers - (-num_entities // chunk)))[0][0]


def questions(triples: Int[np.ndarray, 'Q 3'], anchor: int) -> Iterator[Int[np.ndarray, 'L A']]:
  """Groups triples that ask the same query, at most ANSWERS[-1] in a group.

  Args:
    triples: int32 [Q, 3].
    anchor: the column of the known entity.

  Yields:
    members int [L, A] for every A of ANSWERS: positions of the triples of L groups; smaller groups repeat
    their last one.
  """
  _, query, counts = np.unique(triples[:, [anchor, 1]], axis=0, return_inverse=True, return_counts=True)
  order = np.argsort(query.reshape(-1), kind='stable')
  place = np.arange(len(triples)) - np.repeat(np.cumsum(counts) - counts, counts)
  begin = np.flatnonzero(place % ANSWERS[-1] == 0)
  size = np.diff(np.r_[begin, len(triples)])
  for least, most in zip((0, *ANSWERS), ANSWERS):
    chosen = (size > least) & (size <= most)
    yield order[begin[chosen, None] + np.minimum(np.arange(most), size[chosen, None] - 1)]


def padded_pairs(
  offsets: Int64[np.ndarray, ' offsets'],
  answers: Int32[np.ndarray, ' answers'],
  asked: Int[np.ndarray, ' L'],
  size: int,
) -> Int32[np.ndarray, 'P 2']:
  """Returns pairs int32 [P, 2] (position in `asked`, entity) of known answers; P is padded to a power of 2."""
  counts = offsets[asked + 1] - offsets[asked]
  total = int(counts.sum())
  within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
  pairs = np.full((max(1024, 1 << max(total - 1, 0).bit_length()), 2), size, np.int32)
  pairs[:total, 0] = np.repeat(np.arange(len(asked)), counts)
  pairs[:total, 1] = answers[np.repeat(offsets[asked], counts) + within]
  return pairs


def processors() -> int:
  """Returns how many processors this process may use."""
  return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def ranks(
  score: Score,
  model: Params,
  widths: Widths,
  triples: Int[np.ndarray, 'Q 3'],
  side: Side,
  known: tuple[Int64[np.ndarray, ' Q+1'], Int32[np.ndarray, ' answers']],
  batch: int = 256,
  chunk: int = CHUNK,
  workers: int | None = None,
) -> Float64[np.ndarray, 'Q N']:
  """Returns the filtered ranks of the triples' answers under every width, float64 [Q, N].

  Ties rank by the mean of the optimistic and the pessimistic rank.

  Args:
    score: `Score`.
    model: full model's parameters.
    widths: `Widths`; every entry of `widths.values` gets a column.
    triples: int32 [Q, 3].
    side: 'tail' or 'head', the entity that is asked for.
    known: (offsets [Q+1], answers) of all known answers of each query, the true one included;
      see `data.filters.known_answers`.
    batch: queries ranked at once, at most.
    chunk: entities compared at once.
    workers: batches ranked side by side; None is one per processor.
  """
  workers = workers or processors()
  model = jax.tree.map(jnp.asarray, model)  # numpy tables would be copied for every batch
  offsets, answers = known
  anchor, answer = sides.columns(side)
  num_entities = jax.tree.leaves(model['entity'])[0].shape[0]
  chunk = min(chunk, num_entities)
  batch = min(batch, chunk)
  widths = widths.fine
  ends = np.asarray(widths.ends)

  def rank_batch(members):
    padded = np.zeros((batch, members.shape[1]), int)
    padded[: len(members)] = members
    asked = padded[:, 0]
    rivals = count_rivals(
      model,
      triples[asked, anchor],
      triples[asked, 1],
      triples[padded.T, answer],
      padded_pairs(offsets, answers, members[:, 0], batch),
      score=score,
      widths=widths,
      side=side,
      chunk=chunk,
    )
    return members, (1 + np.asarray(rivals)[ends] / 2).transpose(2, 1, 0)[: len(members)]

  batches = [
    members[first : first + batch] for members in questions(triples, anchor) for first in range(0, len(members), batch)
  ]
  result = np.zeros((len(triples), len(ends)))
  # a batch keeps one core busy, so there are as many threads as cores
  with futures.ThreadPoolExecutor(workers) as pool:
    for members, values in pool.map(rank_batch, batches):
      result[members] = values
  return result
