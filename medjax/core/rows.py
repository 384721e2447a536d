"""Rows of tables: gathered for a batch, and their gradients scattered back. Shape letters: B batch, C components."""

import jax
from jaxtyping import Array, Float, Int, PyTree


def gather(table: PyTree[Float[Array, 'rows C']], ids: Int[Array, '...']) -> PyTree[Float[Array, '... C']]:
  """Rows of every leaf of a table."""
  return jax.tree.map(lambda leaf: leaf.at[ids].get(mode='promise_in_bounds'), table)


def scatter_add(
  table: PyTree[Float[Array, 'rows C']], ids: Int[Array, '...'], rows: PyTree[Float[Array, '... C']]
) -> PyTree[Float[Array, 'rows C']]:
  """Adds rows, leaves [..., C], to those of a table with these ids [...]; `gather`'s transpose."""
  # XLA brings every scatter of rows to this form; brought there by itself, it copies the rows first
  form = jax.lax.ScatterDimensionNumbers(
    update_window_dims=(1, 2), inserted_window_dims=(), scatter_dims_to_operand_dims=(0,)
  )
  add = lambda leaf, row: jax.lax.scatter_add(
    leaf, ids.reshape(-1, 1), row.reshape(-1, 1, row.shape[-1]), form, mode='promise_in_bounds'
  )
  return jax.tree.map(add, table, rows)


def add_candidate_axis(query: PyTree[Float[Array, '... C']]) -> PyTree[Float[Array, '... 1 C']]:
  """Adds an axis for the candidates: leaves [B, C] -> [B, 1, C]."""
  return jax.tree.map(lambda x: x[..., None, :], query)
