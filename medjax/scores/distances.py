"""Parts of distances whose gradients are written so that they stay cheap and finite."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def difference(query: Float[Array, '...'], candidate: Float[Array, '...']) -> Float[Array, '...']:
  """candidate - query. Its gradient is summed over a query's candidates first and negated then."""
  return candidate + -query


@jax.custom_jvp
def modulus(re: Float[Array, '...'], im: Float[Array, '...']) -> Float[Array, '...']:
  """|re + i im|, with gradient 0 at 0."""
  return jnp.sqrt(squared_modulus(re, im))


@modulus.defjvp
def _modulus_jvp(primals, tangents):
  # one reciprocal for both gradients, instead of a root, its derivative and a division in memory
  reciprocal = jax.lax.rsqrt(squared_modulus(*primals))
  return modulus(*primals), reciprocal * (primals[0] * tangents[0] + primals[1] * tangents[1])


def squared_modulus(re: Float[Array, '...'], im: Float[Array, '...']) -> Float[Array, '...']:
  """|re + i im|^2, at least 1e-30, so that its root has a finite derivative."""
  return jnp.maximum(jnp.square(re) + jnp.square(im), 1e-30)


def negated_root(total: Float[Array, '...']) -> Float[Array, '...']:
  """-sqrt(-total), with gradient 0 at 0."""
  return -jnp.sqrt(jnp.maximum(-total, 1e-30))
