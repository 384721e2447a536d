"""Distributions over the candidates of a query: its answer and the negatives."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def along(valid: Bool[Array, 'B K'], negative: Float[Array, 'B K ...']) -> Bool[Array, 'B K ...']:
  """Gives `valid` [B, K] the further axes of negative scores [B, K, ...]."""
  return jnp.expand_dims(valid, tuple(range(2, negative.ndim)))


def log_softmax(
  positive: Float[Array, 'B ...'], negative: Float[Array, 'B K ...'], valid: Bool[Array, 'B K']
) -> tuple[Float[Array, 'B ...'], Float[Array, 'B K ...']]:
  """Returns the log-probabilities of the answers [B] and of the other candidates [B, K]; -inf where not valid."""
  negative = jnp.where(along(valid, negative), negative, -jnp.inf)
  top = jax.lax.stop_gradient(jnp.maximum(positive, negative.max(1)))
  total = jnp.exp(positive - top) + jnp.exp(negative - top[:, None]).sum(1)
  log_total = top + jnp.log(total)
  return positive - log_total, negative - log_total[:, None]


def masked_softmax(
  logits: Float[Array, '...'], axis: int | tuple[int, ...], where: Bool[Array, '...'] | bool = True
) -> Float[Array, '...']:
  """Softmax over some axes of what `where` leaves in; zeros where it leaves nothing."""
  there = jnp.broadcast_to(where, logits.shape)
  logits = jnp.where(there, logits, -jnp.inf)  # first: what is left out has no gradient, however large it is
  top = jax.lax.stop_gradient(jnp.max(logits, axis, keepdims=True))
  top = jnp.where(there.any(axis, keepdims=True), top, 0.0)  # -inf minus -inf is no number
  weight = jnp.exp(logits - top)
  return weight / jnp.maximum(weight.sum(axis, keepdims=True), 1)  # the sum is 1 or more, or there is nothing
