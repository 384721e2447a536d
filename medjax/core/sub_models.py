"""Which sub-models a step trains when it does not train all of them: the narrowest, the widest and some between.

The "sandwich rule" (Yu and Huang, "Universally Slimmable Networks", ICCV 2019). What is between is evenly spaced from a
random place on, by its place among the sub-models ('sandwich': any comes as often as any other) or by the logarithm of
its width ('ladder': a step has about as many narrow ones as wide ones). So two that follow each other are never far
apart.
"""

from collections.abc import Sequence
import functools
import itertools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Int32, PyTree
import numpy as np

Drawings = Int[np.ndarray, 'M K']  # the places that a step may train: each row increases, from the first to the last


def drawings(rule: str, widths: Sequence[int]) -> Drawings | None:
  """Returns what a step draws from under a rule, 'sandwich:K' or 'ladder:K', of these widths.

  None stands for all of them: under the rule 'all', and where there are no more than K.

  >>> drawings('sandwich:4', (10, 20, 30, 40, 50, 60)).tolist()
  [[0, 1, 3, 5], [0, 1, 3, 5], [0, 2, 4, 5], [0, 2, 4, 5]]
  """
  kind, _, count = rule.partition(':')
  if kind == 'all' or int(count) >= len(widths):
    return None
  return {'sandwich': sandwich, 'ladder': ladder}[kind](int(count), widths)


def sandwich(count: int, widths: Sequence[int]) -> Drawings:
  """Returns drawings in which every sub-model but the first and last comes equally often."""
  middle, between = len(widths) - 2, count - 2
  starts = np.arange(middle if between else 1)[:, None]
  return with_ends(1 + (np.arange(between) * middle + starts) // max(between, 1), len(widths))


def ladder(count: int, widths: Sequence[int]) -> Drawings:
  """Returns drawings of widths that grow by about the same factor from each to the next."""
  values, between = np.log(np.asarray(widths, float)), count - 2
  starts = np.linspace(0, 1, 4 * len(widths) if between else 1, endpoint=False)[:, None]
  rungs = values[0] + (values[-1] - values[0]) * (np.arange(between) + starts) / max(between, 1)
  nearest = np.abs(rungs[..., None] - values).argmin(-1)
  order = np.arange(between)
  apart = np.maximum.accumulate(np.maximum(nearest, 1) - order, axis=1) + order  # each after the one before
  return with_ends(np.minimum(apart, len(widths) - 1 - between + order), len(widths))


def with_ends(between: Int[np.ndarray, 'M J'], size: int) -> Drawings:
  """Returns places between the first and the last of `size` sub-models with those two."""
  return np.pad(between, ((0, 0), (1, 1)), constant_values=((0, 0), (0, size - 1))).astype(np.int32)


def draw(key: jax.Array, among: Drawings) -> Int32[Array, ' K']:
  """Returns one of the drawings."""
  return jnp.asarray(among)[jax.random.randint(key, (), 0, len(among))]


def spread(values: Float[Array, ' K'], drawn: Int32[Array, ' K'] | None, size: int) -> Float[Array, ' N']:
  """Values of drawn sub-models among all `size`: NaN for the others."""
  return values if drawn is None else jnp.full(size, jnp.nan).at[drawn].set(values)


def segment_ends(ends: Sequence[int], among: Drawings) -> tuple[int, ...]:
  """Returns where the `segments` of drawn sub-models end: each is as long as the longest that may be drawn there.

  Args:
    ends: the components at which all N sub-models end.
    among: what is drawn from.
  """
  lengths = np.diff(np.asarray(ends)[among], axis=1, prepend=0).max(0)
  return tuple(np.cumsum(lengths).tolist())


def segments(
  tree: PyTree[Float[Array, '... C']], ends: Sequence[int], among: Drawings, drawn: Int32[Array, ' K']
) -> PyTree[Float[Array, '... D']]:
  """Returns the components from one drawn sub-model to the next, filled up with zeros to lengths that are always alike.

  So shapes do not depend on what is drawn. Inner products up to the end of a segment, see `segment_ends`, are those up
  to the end of its sub-model.

  Args:
    tree: leaves [..., C].
    ends: the components at which all N sub-models end.
    among: what is drawn from.
    drawn: places of K of them, as `draw` gives them.
  """
  first, *later = segment_ends(ends, among)
  longest = [end - start for start, end in itertools.pairwise([first, *later])]
  at = jnp.asarray(ends)[drawn]
  return jax.tree.map(lambda x: _cut(x, at, (first, *longest)), tree)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _cut(x, at, lengths):
  """Returns the segments [..., D], each filled up to its length, of [..., C] that is cut at the components `at`."""
  padded = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, max(lengths))])
  parts = [x[..., : lengths[0]]]
  for length, start, end in zip(lengths[1:], at, at[1:]):
    part = jax.lax.dynamic_slice_in_dim(padded, start, length, -1)
    parts.append(jnp.where(jnp.expand_dims(jnp.arange(length) < end - start, range(x.ndim - 1)), part, 0))
  return jnp.concatenate(parts, -1)


def _cut_fwd(x, at, lengths):
  return _cut(x, at, lengths), (at, x.shape[-1])


def _cut_bwd(lengths, kept, grad):
  """Writes segment after segment: what one is filled up with lies where later ones are written over it."""
  at, size = kept
  first, *parts = jnp.split(grad, np.cumsum(lengths)[:-1], -1)
  whole = jnp.pad(first, [(0, 0)] * (grad.ndim - 1) + [(0, size + max(lengths) - lengths[0])])
  for part, start in zip(parts, at):
    whole = jax.lax.dynamic_update_slice_in_dim(whole, part, start, -1)
  return whole[..., :size], None


_cut.defvjp(_cut_fwd, _cut_bwd)
