"""Random orders that are never stored."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Int32


def shuffled(key: jax.Array, position: Int[Array, ' B'], size: int) -> Int32[Array, ' B']:
  """Returns the elements at `position` int32 [B] of a random order of 0..size-1 that depends on `key`.

  A Feistel network with six keyed rounds permutes the numbers below a power of four, the next one from `size` on. A
  number that lands at `size` or beyond is permuted again until it lands below, that is, it follows its cycle; so the
  numbers below `size` are permuted among themselves. No order is ever stored: an epoch costs nothing to start, and any
  step can be resumed.
  """
  half = max(1, (max(size - 1, 1).bit_length() + 1) // 2)
  mask = jnp.uint32((1 << half) - 1)
  rounds = jax.random.bits(key, (6,), jnp.uint32)

  def permute(x):
    left, right = x >> half, x & mask
    for i in range(6):
      # shifts, and products with two odd constants of xxHash, let every bit of a half and of the key reach all others
      mixed = (right + rounds[i]) * jnp.uint32(0x9E3779B1)
      mixed = (mixed ^ (mixed >> 15)) * jnp.uint32(0x85EBCA77)
      left, right = right, left ^ ((mixed ^ (mixed >> 13)) & mask)
    return (left << half) | right

  outside = lambda x: jnp.any(x >= size)
  walk = lambda x: jnp.where(x >= size, permute(x), x)
  return jax.lax.while_loop(outside, walk, permute(position.astype(jnp.uint32))).astype(jnp.int32)
