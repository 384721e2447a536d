"""Filtered ranks of all widths in one pass over the entities.

Entities are walked in chunks; per chunk only scores [chunk, Q] of one width exist at a time. The true
answers are the first chunk of the same loop as their rivals, so float noise cannot move a rank.
A batch's memory above the parameters is a few tables of chunk * Q floats, a few chunks of embeddings and
the batch's known answers, whatever the number of entities and widths; as many batches run at once as there
are workers.
"""
from concurrent import futures
import functools
import os

import jax
import jax.numpy as jnp
import numpy as np

from medjax import scores as scores_lib

CHUNK = 1024      # entities compared at once: a tile of scores stays in a core's cache

@functools.partial(jax.jit, static_argnames=('score', 'widths', 'side', 'chunk'))
def count_rivals(model, anchors, relations, answers, pairs, *, score, widths, side, chunk):
  """Counts rivals that outscore or tie the answers, for every block of components.

  Args:
    model: the full model's parameters.
    anchors, relations, answers: int32 [Q].
    pairs: int32 [P, 2] (query, entity) that are no rivals: all known answers; query >= Q is padding.
    score, widths, side: `Score`, `Widths`, 'tail' or 'head'.
    chunk: entities per chunk, at least Q.

  Returns:
    int32 [blocks, Q]: twice the rivals that outscore the answer plus those that tie with it. Scores
    that are not numbers count as greater.
  """
  entity = model['entity']
  num_entities, num_queries = jax.tree.leaves(entity)[0].shape[0], anchors.shape[0]
  query = (score.tail_query if side == 'tail' else score.head_query)(
      scores_lib.gather(entity, anchors), scores_lib.gather(model['relation'], relations))
  query = jax.tree.map(jnp.transpose, query)
  truth = jax.tree.map(lambda x: jnp.pad(x, ((0, chunk - num_queries), (0, 0))), scores_lib.gather(entity, answers))

  def compare(total, true_score):
    rivals = jnp.sum((~(total <= true_score)).astype(jnp.int32) + ~(total < true_score), 0)
    return jnp.diagonal(total), rivals

  def add_chunk(carry, index):
    counts, true_scores = carry
    is_truth = index == 0  # the answers are scored by the very code that scores their rivals
    first = jnp.clip((index - 1) * chunk, 0, num_entities - chunk)  # the last chunk overlaps the one before it
    rows = jax.tree.map(lambda x, t: jnp.where(is_truth, t, jax.lax.dynamic_slice_in_dim(x, first, chunk)),
                        entity, truth)
    seen = jnp.arange(chunk) + first < (index - 1) * chunk
    start = jnp.broadcast_to(jnp.where(seen, -jnp.inf, 0.0)[:, None], (chunk, num_queries))
    here = ~is_truth & (pairs[:, 1] >= first) & (pairs[:, 1] < first + chunk)
    start = start.at[jnp.where(here, pairs[:, 1] - first, chunk), pairs[:, 0]].set(-jnp.inf, mode='drop')
    own, rivals = score.walk(query, rows, widths, start, compare, true_scores[:, None])
    return (counts + jnp.where(is_truth, 0, rivals), jnp.where(is_truth, own, true_scores)), None

  shape = (widths.num_blocks, num_queries)
  start = (jnp.zeros(shape, jnp.int32), jnp.zeros(shape, jnp.float32))
  return jax.lax.scan(add_chunk, start, jnp.arange(1 + -(-num_entities // chunk)))[0][0]


def padded_pairs(offsets, answers, first, last, size):
  """Returns pairs int32 [P, 2] (query - first, entity) of queries first..last-1; P is padded to a power of 2."""
  begin, end = offsets[first], offsets[last]
  query = np.repeat(np.arange(last - first), np.diff(offsets[first:last + 1]))
  length = max(1024, 1 << int(end - begin - 1).bit_length()) if end > begin else 1024
  pairs = np.full((length, 2), size, np.int32)
  pairs[:end - begin, 0], pairs[:end - begin, 1] = query, answers[begin:end]
  return pairs


def processors():
  """Returns how many processors this process may use."""
  return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def ranks(score, model, widths, triples, side, known, batch=256, chunk=CHUNK, workers=None):
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
  anchor, answer = (0, 2) if side == 'tail' else (2, 0)
  num_entities = jax.tree.leaves(model['entity'])[0].shape[0]
  chunk = min(chunk, num_entities)
  batch = min(batch, chunk)
  widths = widths.fine
  ends = np.asarray(widths.ends)

  def rank_batch(first):
    last = min(first + batch, len(triples))
    part = np.zeros((batch, 3), np.int32)
    part[:last - first] = triples[first:last]
    pairs = padded_pairs(offsets, answers, first, last, batch)
    rivals = count_rivals(model, part[:, anchor], part[:, 1], part[:, answer], pairs,
                          score=score, widths=widths, side=side, chunk=chunk)
    return np.asarray(1 + np.asarray(rivals) / 2)[ends, :last - first].T

  # one batch runs on one core, so batches run side by side
  with futures.ThreadPoolExecutor(workers) as pool:
    result = list(pool.map(rank_batch, range(0, len(triples), batch)))
  return np.concatenate(result) if result else np.zeros((0, len(ends)))
