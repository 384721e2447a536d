"""Row-sparse updates: the optimizer sees the rows that a batch touches as a small table, and no other row.

The cost of a step does not depend on the number of rows. It is another algorithm than dense Adam: moments of
rows that are not touched do not decay, and those rows do not move; the bias correction counts all steps.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Int32
import optax

from medjax.core import axes as axes_lib
from medjax.training.task import Touched


def on_touched_rows(
  update: Callable[..., Any], touched: Callable[[Any, Any], Touched], optimizer: optax.GradientTransformation
) -> Callable[..., Any]:
  """Returns an update(state, batch, drawn) that is `update` on the rows that the whole batch names.

  Args:
    update: (state, batch, drawn) -> (state, losses of the widths, loss), on tables of any number of rows.
    touched: (params, batch) -> `Touched`.
    optimizer: the optax optimizer; its per-parameter leaves are cut like the tables.
  """

  def update_touched(state, batch, drawn):
    rows, tables, small_batch = touched(state.params, batch)

    def take(leaf, name):
      return leaf.at[rows[name]].get(mode='fill', fill_value=0) if name else leaf

    def put(leaf, small, name):
      return leaf.at[rows[name]].set(small, mode='drop', indices_are_sorted=True) if name else small

    names = axes_lib.spread(tables, state.params)
    names = (
      names,
      optax.tree_utils.tree_map_params(
        optimizer, lambda _, name: name, state.opt_state, names, transform_non_params=lambda _: ''
      ),
    )
    whole = state.params, state.opt_state
    params, opt_state = jax.tree.map(take, whole, names)
    after, width_losses, value = update(state.replace(params=params, opt_state=opt_state), small_batch, drawn)
    params, opt_state = jax.tree.map(put, whole, (after.params, after.opt_state), names)
    return after.replace(params=params, opt_state=opt_state), width_losses, value

  return update_touched


def distinct(ids: Int[Array, ' n'], rows: int) -> tuple[Int32[Array, ' m'], Int32[Array, ' n']]:
  """Returns (the distinct ids, sorted and padded with `rows`, and the place of each id among them)."""
  found = jnp.unique(ids, size=min(len(ids), rows), fill_value=rows)
  return found, jnp.searchsorted(found, ids)  # jnp.unique's own inverse sorts pairs, which takes twice as long
