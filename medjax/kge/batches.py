"""Batches and negatives, drawn on the device as a function of (key, step)."""

import dataclasses
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int, Int32, UInt32
import numpy as np

from medjax import errors
from medjax.config.fields import TrainConfig
from medjax.core.shuffle import shuffled
from medjax.training.parallel import Layout


class Triples(Protocol):
  """What a training reads of a graph; `data.Graph` is one."""

  @property
  def train(self) -> Int32[Any, 'M 3']: ...
  @property
  def num_entities(self) -> int: ...
  @property
  def num_relations(self) -> int: ...


class Batch(NamedTuple):
  """A batch of queries with their answer and wrong answers.

  The first half asks for tails (anchor = head), the second for heads (anchor = tail).

  Attributes:
    anchor, relation, answer: int32 [B].
    negatives: int32 [B / S, K] entities; each set is shared by S positives that follow one another.
    valid: bool [B, K]; False where a negative is to be left out: a known answer, or among all entities the answer.
    teacher: the `teaching.Teacher` of a distilled run, or None.
    offset: float32 [B / S, K], added to the negatives' scores: -log of how often each was to be expected; or None.
  """

  anchor: jax.Array
  relation: jax.Array
  answer: jax.Array
  negatives: jax.Array
  valid: jax.Array
  teacher: Any = None
  offset: jax.Array | None = None


class Frequency(NamedTuple):
  """How often each entity is drawn as a negative.

  Attributes:
    starts: uint32 [E], ascending from 0: an entity is drawn by the numbers from its own on, below the next one's.
    log_share: float32 [E], the logarithms of their shares of all 2^32.
  """

  starts: UInt32[Array | np.ndarray, ' E']
  log_share: Float32[Array | np.ndarray, ' E']


class Known(NamedTuple):
  """Known answers of every training triple's two queries: `answers[start : start + count]`, sorted.

  Attributes:
    start, count: int32 [2, M], for the tail and the head query.
    answers: int32 [2, M].
  """

  start: Int32[Array | np.ndarray, '2 M']
  count: Int32[Array | np.ndarray, '2 M']  # type: ignore[assignment]  # hides tuple.count
  answers: Int32[Array | np.ndarray, '2 M']


def known(triples: Int32[np.ndarray, 'M 3']) -> Known:
  """Returns `Known` of training triples int32 [M, 3]."""
  sides = []
  for anchor, answer in ((0, 2), (2, 0)):
    order = np.lexsort((triples[:, answer], triples[:, anchor], triples[:, 1]))
    keys = triples[order][:, [1, anchor]]
    first = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]).any(1)])
    count = np.diff(np.r_[first, len(triples)])
    start = np.empty(len(triples), np.int32)
    size = np.empty(len(triples), np.int32)
    start[order], size[order] = np.repeat(first, count), np.repeat(count, count)
    sides.append((start, size, triples[order, answer].astype(np.int32)))
  return Known(*(np.stack(part) for part in zip(*sides)))


def frequency(triples: Int32[np.ndarray, 'M 3'], num_entities: int, power: float) -> Frequency:
  """Returns the `Frequency` of entities, as (1 + the number of training queries that they answer)^power.

  >>> import numpy as np
  >>> found = frequency(np.array([[0, 0, 1], [0, 0, 2], [0, 0, 3]], np.int32), 4, 1.0)  # 3, 1, 1 and 1 answers
  >>> print(np.exp(found.log_share).round(2))
  [0.4 0.2 0.2 0.2]
  """
  answers = np.bincount(triples[:, [0, 2]].ravel(), minlength=num_entities)
  shares = (1.0 + answers) ** power
  starts = np.floor(2.0**32 * np.r_[0, np.cumsum(shares)[:-1]] / shares.sum())
  share = np.diff(np.r_[starts, 2.0**32]) / 2.0**32
  with np.errstate(divide='ignore'):  # one that is never drawn
    return Frequency(starts.astype(np.uint32), np.log(share).astype(np.float32))


def draw(key: jax.Array, shape: tuple[int, ...], among: Frequency) -> Int32[Array, '...']:
  """Returns entities, as often as `among` says."""
  numbers = jax.random.bits(key, shape, jnp.uint32)
  return (jnp.searchsorted(jnp.asarray(among.starts), numbers, side='right') - 1).astype(jnp.int32)


def contains(known_side: Known, rows: Int[Array, ' B'], values: Int[Array, 'B K']) -> Bool[Array, 'B K']:
  """Whether values [B, K] are among the known answers of training triples `rows` [B]: binary search."""
  start, count, answers = known_side
  low = jnp.broadcast_to(start[rows][:, None], values.shape)
  end = low + count[rows][:, None]
  high = end
  for _ in range(int(answers.shape[0]).bit_length()):
    middle = low + (high - low) // 2
    right = (low < high) & (answers[jnp.minimum(middle, answers.shape[0] - 1)] < values)
    low, high = jnp.where(right, middle + 1, low), jnp.where(right, high, middle)
  return (low < end) & (answers[jnp.minimum(low, answers.shape[0] - 1)] == values)


def sample(
  key: jax.Array,
  step: Int32[Array, ''] | int,
  triples: Int32[Array, 'M 3'],
  num_entities: int,
  batch: int,
  negatives: int,
  known_answers: Known | None = None,
  share: int = 1,
  among: Frequency | None = None,
  weigh: bool = False,
) -> Batch:
  """Returns the batch of a step.

  An epoch meets every triple once, up to a remainder of less than a batch, in an order of its own. A batch
  larger than the graph meets triples several times.

  Args:
    key: the run's key; the batch is a function of it and `step`.
    step: int32 [].
    triples: int32 [M, 3].
    num_entities: negatives are uniform over 0..num_entities-1.
    batch, negatives: B and K; K = 0 is all entities, one set for the batch.
    known_answers: `Known` of the triples, to leave out negatives that are true; None keeps them.
    share: S, positives that share one set of negatives; it divides B.
    among: the `Frequency` of negatives; None draws all entities alike. With it, the answer is no negative.
    weigh: gives the batch its offsets, with which the sum over the negatives estimates that over all entities but the
      answer; the answer is then no negative.
  """
  size = triples.shape[0]
  steps_per_epoch = max(size // batch, 1)
  order_key, negative_key = jax.random.split(key)
  position = (step % steps_per_epoch) * batch + jnp.arange(batch)
  rows = shuffled(jax.random.fold_in(order_key, step // steps_per_epoch), position % size, size)
  if negatives:
    key, shape = jax.random.fold_in(negative_key, step), (batch // share, negatives)
    wrong = draw(key, shape, among) if among is not None else jax.random.randint(key, shape, 0, num_entities)
  else:
    share, wrong = batch, jnp.arange(num_entities)[None]
  head, relation, tail = triples[rows].T
  for_tail = jnp.arange(batch) < batch // 2
  anchor, answer = jnp.where(for_tail, head, tail), jnp.where(for_tail, tail, head)
  valid = jnp.ones((batch, negatives), bool)
  if not negatives or among is not None or weigh:
    valid = (wrong[:, None] != answer.reshape(-1, share, 1)).reshape(batch, -1)
  if known_answers is not None:  # the answer is one of them
    half = batch // 2
    tails, heads = (Known(*(part[side] for part in known_answers)) for side in (0, 1))
    each = jnp.repeat(wrong, share, 0)
    valid = ~jnp.concatenate([contains(tails, rows[:half], each[:half]), contains(heads, rows[half:], each[half:])])
  offset = None
  if weigh and negatives:
    log_share = jnp.full(wrong.shape, -np.log(num_entities)) if among is None else jnp.asarray(among.log_share)[wrong]
    offset = -(log_share + np.log(negatives))
  return Batch(anchor, relation, answer, wrong, valid, offset=offset)


def first_batch(train: TrainConfig, graph: Triples, share: int = 1) -> Batch:
  """Returns the batch of a run's first step, unfiltered; `share` positives share one set of negatives."""
  key = jax.random.fold_in(jax.random.key(train.seed), 1)
  return sample(key, 0, jnp.asarray(graph.train), graph.num_entities, train.batch, train.negatives, share=share)


def local_batch(batch: Batch, layout: Layout) -> Batch:
  """A device's share of a batch: as many of its tail queries as of its head queries."""
  if layout.data == 1:
    return batch
  index = layout.share_index()

  def cut(x):
    halves = x.reshape(2, layout.data, -1, *x.shape[1:])
    return jax.lax.dynamic_index_in_dim(halves, index, 1, keepdims=False).reshape(-1, *x.shape[1:])

  of_sets = lambda x: x if x is None or len(x) == 1 else cut(x)  # one set is everyone's
  return batch._replace(
    anchor=cut(batch.anchor),
    relation=cut(batch.relation),
    answer=cut(batch.answer),
    negatives=of_sets(batch.negatives),
    offset=of_sets(batch.offset),
    valid=cut(batch.valid),
  )


def settled(train: TrainConfig, num_entities: int) -> TrainConfig:
  """Returns what a graph of so many entities makes of a `TrainConfig`.

  Negatives that count as if they were all entities are all entities where as many are asked for. Every row is then
  touched, so there is nothing to be sparse in, and under Adagrad dense updates are the same training; under Adam they
  are another one, and negatives are drawn.
  """
  same = train.optimizer == 'adagrad' or not train.sparse_updates
  if train.weigh_negatives and train.negatives >= num_entities and same:
    return dataclasses.replace(train, negatives=0, sparse_updates=False)
  return train


def check_shares(train: TrainConfig, shares: int) -> None:
  """Raises ParallelError unless each share of the batch has as many tail as head queries, in whole sets."""
  sets = 1 if not train.negatives else train.batch // train.share_negatives
  unit = 2 * shares * (train.share_negatives if sets > 1 else 1)
  if shares > 1 and train.batch % unit:
    raise errors.ParallelError(
      f'config.train.batch={train.batch}: its {shares} shares need a multiple of {unit}, that is two halves of each'
      + (', in whole sets of config.train.share_negatives' if sets > 1 else '')
    )
