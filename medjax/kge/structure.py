"""The structure of triples that DualDE compares between a teacher and a student: angles and lengths of entities."""

from typing import cast

import jax.numpy as jnp
from jaxtyping import Array, Float

from medjax.objectives.mutual_learning import huber
from medjax.scores.contract import Table

SMALL = 1e-12  # under a squared length


def structure(heads: Table, tails: Table) -> tuple[Float[Array, ' B'], Float[Array, ' B']]:
  """Returns (cosine of the angle between head and tail, ratio of their lengths), each [B] (DualDE, eq. 5).

  Args:
    heads, tails: entity rows, leaves [B, C].
  """
  dot = lambda a, b: sum((a[name] * b[name]).sum(-1) for name in a)
  head, tail = (jnp.sqrt(jnp.maximum(dot(x, x), SMALL)) for x in (heads, tails))
  return dot(heads, tails) / (head * tail), head / tail


def structure_distance(
  own: tuple[Float[Array, ' B'], Float[Array, ' B']], other: tuple[Float[Array, ' B'], Float[Array, ' B']]
) -> Float[Array, ' B']:
  """Huber distances of the angles and of the ratios of lengths (DualDE, eq. 5), [B]."""
  return cast(Array, sum(huber(a - b) for a, b in zip(own, other)))
