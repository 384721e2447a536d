"""Distributions over the candidates of a query: its answer and the negatives.

Scores are positive [B] and negative [B, K], `valid` is bool [B, K]. Scores may carry a further axis [..., N] for the
sub-models, which rides along.
"""
import jax
import jax.numpy as jnp


def along(valid, negative):
  """Gives `valid` [B, K] the further axes of negative scores [B, K, ...]."""
  return jnp.expand_dims(valid, tuple(range(2, negative.ndim)))


def log_softmax(positive, negative, valid):
  """Returns the log-probabilities of the answers [B] and of the other candidates [B, K]; -inf where not valid."""
  negative = jnp.where(along(valid, negative), negative, -jnp.inf)
  top = jax.lax.stop_gradient(jnp.maximum(positive, negative.max(1)))
  total = jnp.exp(positive - top) + jnp.exp(negative - top[:, None]).sum(1)
  log_total = top + jnp.log(total)
  return positive - log_total, negative - log_total[:, None]


def divergence(narrow, wide, valid, detach='none'):
  """Mutual learning of neighbours: KL(wide || narrow) of their distributions over the candidates, mean per triple.

  Args:
    narrow, wide: (answers [B], others [B, K]) log-probabilities of M_{i-1} and M_i.
    valid: bool [B, K].
    detach: 'none', or the side that is not to move: 'narrow' or 'wide'.
  """
  if detach == 'narrow':
    narrow = jax.lax.stop_gradient(narrow)
  if detach == 'wide':
    wide = jax.lax.stop_gradient(wide)
  positive = jnp.exp(wide[0]) * (wide[0] - narrow[0])
  left_out = lambda x: jnp.where(along(valid, x), x, 0.0)  # before the difference: -inf minus -inf has no gradient
  negative = left_out(jnp.exp(wide[1])) * (left_out(wide[1]) - left_out(narrow[1]))
  return (positive + negative.sum(1)).mean(0)
