"""From devices that hold some components of all rows to devices that hold all components of some rows, and back.

Each device differentiates the one loss that all of them compute, see `core.prefix.psum_once`. Shape letters: G sets of
S rows, P devices of a mesh axis, C components of all of them.
"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from medjax.core.widths import Widths


def own_rows(x: PyTree, widths: Widths) -> PyTree:
  """Leaves [G, S, C / P] of components -> [G, S', C]: a device's share of the rows, S' = S / P rounded up."""
  exchange = lambda x: jax.lax.all_to_all(_padded(x, widths.parts), widths.axis, 1, 2, tiled=True)
  return jax.tree.map(exchange, x)


def own_part(x: Array, widths: Widths) -> Array:
  """[G, S, ...], which all devices have -> [G, S', ...]: what belongs to `own_rows`."""
  x = _padded(x, widths.parts)
  size = x.shape[1] // widths.parts
  return jax.lax.dynamic_slice_in_dim(x, jax.lax.axis_index(widths.axis) * size, size, 1)


def all_components(x: PyTree, widths: Widths) -> PyTree:
  """Leaves [G, K, C / P] of components -> [G, K, C]."""
  return jax.tree.map(lambda x: jax.lax.all_gather(x, widths.axis, axis=2, tiled=True), x)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def all_rows(x: Array, rows: int, widths: Widths) -> Array:
  """[G, S', ...] of `own_rows` -> [G, S, ...] with S = `rows`, of which every device then makes the same loss.

  The gradient with respect to a device's own rows is therefore its part of that with respect to all of them.
  """
  return jax.lax.all_gather(x, widths.axis, axis=1, tiled=True)[:, :rows]


all_rows.defvjp(
  lambda x, rows, widths: (all_rows(x, rows, widths), None), lambda rows, widths, _, grad: (own_part(grad, widths),)
)


def _padded(x, parts):
  """Rows added to [G, S, ...] until they can be shared evenly."""
  return jnp.pad(x, [(0, -x.shape[1] % parts if i == 1 else 0) for i in range(x.ndim)])
