"""Mutual learning between neighbouring widths ("Croppable Knowledge Graph Embedding", section 3.1), in two forms."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from medjax.objectives import candidates
from medjax.objectives.options import Held

Scores = tuple[Float[Array, 'B ...'], Float[Array, 'B K ...']]


@jax.custom_jvp
def huber(difference: Float[Array, '...']) -> Float[Array, '...']:
  """Huber's loss with delta 1, elementwise."""
  size = jnp.abs(difference)
  return jnp.where(size < 1, 0.5 * size * size, size - 0.5)


@huber.defjvp
def _huber_jvp(primals, tangents):
  return huber(*primals), jnp.clip(primals[0], -1, 1) * tangents[0]


def hold(narrow: Scores, wide: Scores, detach: Held) -> tuple[Scores, Scores]:
  """Returns both sides; no gradient flows into the one that `detach` names."""
  if detach == 'narrow':
    narrow = jax.lax.stop_gradient(narrow)
  if detach == 'wide':
    wide = jax.lax.stop_gradient(wide)
  return narrow, wide


def mutual(
  narrow: Scores, wide: Scores, valid: Bool[Array, 'B K'], reduction: str = 'mean', detach: Held = 'none'
) -> Float[Array, '...']:
  """The paper's mutual learning: Huber distance of neighbours' scores on the same triples.

  Args:
    narrow, wide: (positive [B], negative [B, K]) scores of M_{i-1} and M_i.
    valid: bool [B, K].
    reduction: 'mean' per triple, or the paper's 'sum'.
    detach: 'none' (both learn from each other), or the side that is not to move: 'narrow' or 'wide'.
  """
  narrow, wide = hold(narrow, wide, detach)
  positive, negative = (huber(a - b) for a, b in zip(narrow, wide))
  total = positive.sum(0) + jnp.where(candidates.along(valid, negative), negative, 0).sum((0, 1))
  return total if reduction == 'sum' else total / (len(positive) + valid.sum())


def divergence(narrow: Scores, wide: Scores, valid: Bool[Array, 'B K'], detach: Held = 'none') -> Float[Array, '...']:
  """Mutual learning by distributions: KL(wide || narrow) over the candidates, mean per triple.

  Args:
    narrow, wide: (answers [B], others [B, K]) log-probabilities of M_{i-1} and M_i, see `candidates.log_softmax`.
    valid: bool [B, K].
    detach: 'none', or the side that is not to move: 'narrow' or 'wide'.
  """
  narrow, wide = hold(narrow, wide, detach)
  positive = jnp.exp(wide[0]) * (wide[0] - narrow[0])
  left_out = lambda x: jnp.where(candidates.along(valid, x), x, 0.0)  # first: -inf minus -inf has no gradient
  negative = left_out(jnp.exp(wide[1])) * (left_out(wide[1]) - left_out(narrow[1]))
  return (positive + negative.sum(1)).mean(0)
