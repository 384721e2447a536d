"""Labelled sentences as arrays of tokens, and the batches of a training: drawn on the device, of about one length each.

Examples are sorted by the length that they are filled up to. An epoch shuffles those of every length among themselves,
cuts the whole row of them into batches, and takes the batches in a random order. So each example comes at most once an
epoch, and fewer than a batch of them, at the ends of the row, do not. All of it is a function of (seed, step).
"""

from collections.abc import Sequence
import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Int32, Shaped
import numpy as np

from medjax import errors
from medjax.bert import tokens as tokens_lib
from medjax.bert.tokens import Sentence, Tokens
from medjax.core import shuffle

NARROW = 1 << 16  # token ids below this are kept in two bytes


class Examples(NamedTuple):
  """Sentences or pairs as tokens, and what is to be learned.

  Attributes:
    ids: of tokens, filled up to the longest length, in two or four bytes.
    ends: after how many tokens the first sentence ends, and the last one.
    labels: places of classes, or numbers; None where nothing is known.
    teacher: what a teacher says of them, or None.
  """

  ids: Int[Any, 'S L']
  ends: Int32[Any, 'S 2']
  labels: Shaped[Any, ' S'] | None = None
  teacher: Float[Any, 'S C'] | None = None


class Batch(NamedTuple):
  """Examples of a step.

  Attributes:
    ids: of tokens.
    mask: whether there is one.
    types: 1 for those of the second sentence.
    labels, teacher: see `Examples`.
    length: which of the lengths they fit into.
    key: of what is dropped.
  """

  ids: Int32[Array, 'B L']
  mask: Bool[Array, 'B L']
  types: Int32[Array, 'B L']
  labels: Shaped[Array, ' B'] | None = None
  teacher: Float[Array, 'B C'] | None = None
  length: Int32[Array, ''] | None = None
  key: jax.Array | None = None

  def cut(self, length: int) -> 'Batch':
    """Returns the batch with so many tokens."""
    return self._replace(ids=self.ids[:, :length], mask=self.mask[:, :length], types=self.types[:, :length])


class Plan(NamedTuple):
  """How batches are drawn.

  Attributes:
    lengths: tokens that batches are filled up to, increasing.
    ends: up to which row the examples of each length go.
    batch: examples of a batch.
  """

  lengths: tuple[int, ...]
  ends: tuple[int, ...]
  batch: int

  @property
  def batches(self) -> int:
    """Batches of an epoch."""
    return self.ends[-1] // self.batch

  def draw(self, key: jax.Array, step: Int32[Array, '']) -> tuple[Int32[Array, ' B'], Int32[Array, '']]:
    """Returns (the rows of a step's batch, the place of the length that they fit into)."""
    key = jax.random.fold_in(key, step // self.batches)
    part = lambda number: jax.random.fold_in(key, number)
    chosen = shuffle.shuffled(part(0), (step % self.batches)[None], self.batches)[0]
    first = jax.random.randint(part(1), (), 0, self.ends[-1] - self.batches * self.batch + 1)
    positions = first + chosen * self.batch + jnp.arange(self.batch)
    rows = positions
    for number, (start, end) in enumerate(itertools.pairwise((0, *self.ends))):
      own = start + shuffle.shuffled(part(2 + number), jnp.clip(positions - start, 0, end - start - 1), end - start)
      rows = jnp.where((positions >= start) & (positions < end), own, rows)
    return rows, (positions[-1] >= jnp.asarray(self.ends)).sum()


def encode(
  tokens: Tokens, sentences: Sequence[Sentence], labels: Any, lengths: Sequence[int], max_length: int
) -> tuple[Examples, tuple[int, ...]]:
  """Returns (examples in the order of the sentences, the lengths that are needed for them).

  Args:
    tokens: the tokeniser.
    sentences: texts or pairs of them.
    labels: of each, or None.
    lengths: that sentences may be filled up to, increasing; longer ones are filled up to the most that there may be.
    max_length: the most tokens.

  Raises:
    errors.DataError: what is neither a text nor a pair of them.
  """
  encoded = tokens.encode(sentences, max_length)
  most = min(max_length, tokens.max_length)
  longest = max(len(ids) for ids, _ in encoded)
  kept = [length for length in lengths if length < most] + [most]
  needed = tuple(kept[: 1 + next(place for place, length in enumerate(kept) if length >= longest)])
  filled = tokens_lib.fill(encoded, needed[-1], tokens.pad)
  ends = np.array([[kinds.count(0), len(ids)] for ids, kinds in encoded], np.int32)
  small = filled.ids.max(initial=0) < NARROW
  return Examples(filled.ids.astype(np.uint16 if small else np.int32), ends, labels), needed


def by_length(examples: Examples, lengths: Sequence[int], batch: int) -> tuple[Examples, Plan]:
  """Returns (the examples sorted by the length that they are filled up to, how batches are drawn of them).

  Raises:
    errors.ConfigError: fewer examples than a batch has.
  """
  if len(examples.ids) < batch:
    raise errors.ConfigError(f'config.train.batch={batch}: there are only {len(examples.ids)} training examples')
  place = np.searchsorted(lengths, examples.ends[:, 1])
  order = np.argsort(place, kind='stable')
  counts = np.bincount(place, minlength=len(lengths))
  used = [(length, int(end)) for length, count, end in zip(lengths, counts, np.cumsum(counts)) if count]
  plan = Plan(tuple(length for length, _ in used), tuple(end for _, end in used), batch)
  return jax.tree.map(lambda x: x[order], examples), plan


def batch_of(examples: Examples, rows: Int[Array, ' B']) -> Batch:
  """Returns some examples, filled up to the longest length."""
  ends = jnp.asarray(examples.ends)[rows]
  at = jnp.arange(examples.ids.shape[1])[None]
  take = lambda values: None if values is None else jnp.asarray(values)[rows]
  mask = at < ends[:, 1:]
  return Batch(
    jnp.asarray(examples.ids)[rows].astype(jnp.int32),
    mask,
    (mask & (at >= ends[:, :1])).astype(jnp.int32),
    take(examples.labels),
    take(examples.teacher),
  )
