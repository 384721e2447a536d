"""Which sub-models a step trains when it does not train all of them: the narrowest, the widest and some between.

The "sandwich rule" (Yu and Huang, "Universally Slimmable Networks", ICCV 2019), with what is between evenly spaced from
a random place on: every sub-model comes as often as any other, and two that follow each other are never far apart.
"""

import itertools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32, PyTree


def draw(key: jax.Array, count: int, size: int) -> Int32[Array, ' K']:
  """Returns the places of `count` of `size` sub-models, increasing; the first and the last are among them."""
  middle, between = size - 2, count - 2
  if not between:
    return jnp.array([0, size - 1])
  places = 1 + (jnp.arange(between) * middle + jax.random.randint(key, (), 0, middle)) // between
  return jnp.concatenate([jnp.array([0]), places, jnp.array([size - 1])])


def most_apart(count: int, size: int) -> int:
  """The most by which the places of two that follow each other in a `draw` can differ.

  >>> most_apart(8, 64), most_apart(2, 64)
  (11, 63)
  """
  return -(-(size - 2) // (count - 2)) if count > 2 else size - 1


def spread(values: Float[Array, ' K'], drawn: Int32[Array, ' K'] | None, size: int) -> Float[Array, ' N']:
  """Values of drawn sub-models among all `size`: NaN for the others."""
  return values if drawn is None else jnp.full(size, jnp.nan).at[drawn].set(values)


def segment_ends(ends: tuple[int, ...], count: int) -> tuple[int, ...]:
  """Returns where the `segments` of `count` drawn sub-models end, of all sub-models that end at these components.

  >>> segment_ends((10, 20, 30, 40, 50), 3)  # 30 at most from one to the next
  (10, 40, 70)
  """
  apart = most_apart(count, len(ends))
  longest = max(wide - narrow for narrow, wide in zip(ends, [*ends[apart:], *[ends[-1]] * apart]))
  return tuple(ends[0] + i * longest for i in range(count))


def segments(
  tree: PyTree[Float[Array, '... C']], ends: tuple[int, ...], drawn: Int32[Array, ' K']
) -> PyTree[Float[Array, '... D']]:
  """Returns the components from one drawn sub-model to the next, filled up with zeros to one length.

  So shapes do not depend on what is drawn. Inner products up to the end of a segment, see `segment_ends`, are those up
  to the end of its sub-model.

  Args:
    tree: leaves [..., C].
    ends: the components at which all N sub-models end.
    drawn: places of K of them, as `draw` gives them.
  """
  first, second, *_ = segment_ends(ends, len(drawn))
  longest, at = second - first, jnp.asarray(ends)[drawn]

  def cut(x):
    padded = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, longest)])
    parts = [x[..., :first]]
    for start, end in itertools.pairwise(at):
      part = jax.lax.dynamic_slice_in_dim(padded, start, longest, -1)
      parts.append(jnp.where(jnp.expand_dims(jnp.arange(longest) < end - start, range(x.ndim - 1)), part, 0))
    return jnp.concatenate(parts, -1)

  return jax.tree.map(cut, tree)
