"""Sums of the last axis up to every width, on one device or on the devices that share the components.

Shape letters: C components, N widths.
"""

from collections.abc import Callable
import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from medjax.core.widths import Widths


def split_blocks(x: Float[Array, '... C'], block: int) -> Float[Array, '... blocks block']:
  """[..., C] -> [..., C / block, block]."""
  return x.reshape(*x.shape[:-1], -1, block)


def repeat_in_block(x: Float[Array, '... blocks'], block: int) -> Float[Array, '... C']:
  """[..., C / block] -> [..., C], each number `block` times; the transpose of `block_sums`."""
  return jnp.broadcast_to(x[..., None], (*x.shape, block)).reshape(*x.shape[:-1], -1)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def block_sums(x: Float[Array, '... C'], block: int) -> Float[Array, '... blocks']:
  """Sums the last axis in blocks: [..., C] -> [..., C / block]."""
  parts = split_blocks(x, block)
  total = parts[..., 0]
  for j in range(1, block):  # slice by slice: XLA's CPU backend does not vectorise a short reduction
    total += parts[..., j]
  return total


def _block_sums_fwd(x, block):
  return block_sums(x, block), None


def _block_sums_bwd(block, _, grad):
  return (repeat_in_block(grad, block),)


block_sums.defvjp(_block_sums_fwd, _block_sums_bwd)


def first_block(widths: Widths) -> jax.Array | int:
  """The first block that this device holds."""
  return jax.lax.axis_index(widths.axis) * (widths.num_blocks // widths.parts) if widths.axis else 0


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def psum_once(x: Array, axis: str) -> Array:
  """Sum over the devices of a mesh axis, of which every device then makes the same loss.

  Each device differentiates the one loss that all of them compute. The gradient with respect to the sum is therefore
  the gradient with respect to this device's own term, and must not be added up over the devices once more.
  """
  return jax.lax.psum(x, axis)


psum_once.defvjp(lambda x, axis: (jax.lax.psum(x, axis), None), lambda axis, _, grad: (grad,))


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def psum_shared(x: Array, axis: str) -> Array:
  """Sum over the devices of a mesh axis, which every device then applies to components of its own.

  Each device uses the sum in another part of the loss, so the gradient with respect to it is the sum of all devices'.
  """
  return jax.lax.psum(x, axis)


psum_shared.defvjp(lambda x, axis: (jax.lax.psum(x, axis), None), lambda axis, _, grad: (jax.lax.psum(grad, axis),))


def prefix_sums(
  x: Float[Array, '... C'], widths: Widths, reduce_devices: Callable[[Array, str], Array] = psum_once
) -> Float[Array, '... N']:
  """Sums the last axis up to every width: [..., C] -> [..., N]; `reduce_devices` adds up those that split it.

  >>> prefix_sums(jnp.arange(1.0, 7.0), Widths((2, 4, 6))).tolist()
  [3.0, 10.0, 21.0]
  """
  return sums_up_to_widths(block_sums(x, widths.fine.block), widths, reduce_devices)


def sums_up_to_widths(
  blocks: Float[Array, '... blocks'], widths: Widths, reduce_devices: Callable[[Array, str], Array] = psum_once
) -> Float[Array, '... N']:
  """`prefix_sums` of what is summed in the blocks of the fine widths already."""
  widths = widths.fine
  # a triangular 0/1 matrix: faster than a cumulative sum, and it reads off the widths on the way
  within = first_block(widths) + jnp.arange(blocks.shape[-1])[:, None] <= jnp.asarray(widths.ends)[None]
  total = jnp.matmul(blocks, within.astype(blocks.dtype), precision='highest')
  return reduce_devices(total, widths.axis) if widths.axis else total
