"""Scores that are sums over components: one pass over the components gives the scores of all widths.

All sub-model scores are prefix sums of the same terms, so 64 of them cost about one model.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from medjax.core import prefix
from medjax.scores.contract import Table, Ways


def make_ways(
  terms: Callable[[Table, Table], Float[Array, '... C']], finish: Callable[[Array], Array] = lambda total: total
) -> Ways:
  """Returns the `Ways` of a score that is finish(sum over components of terms).

  Args:
    terms: (query, candidate) -> the term of each component, elementwise.
    finish: monotone map from a sum of terms to the raw score.
  """

  def scores_by_width(query, candidate, widths):
    return finish(prefix.prefix_sums(terms(query, candidate), widths))

  def scan_blocks(query, rows, widths, start, on_block, per_block):
    block = widths.block

    def add_block(carry, after):
      total, query, rows = carry
      following, of_block = after
      seen = on_block(finish(total), of_block)
      for j in range(block):
        total += terms(*of_component(query, rows, j))
      return (total, *following), seen

    def of_component(query, rows, j):  # [1, Q] and [E, 1]
      return jax.tree.map(lambda x: x[None, j], query), jax.tree.map(lambda x: x[:, j, None], rows)

    # A block's slices and sums pass through the carry. XLA would fuse what is sliced or summed in the same
    # iteration into the loop over scores, compute it again for every score, and not vectorise that.
    parts = (
      jax.tree.map(lambda x: x.reshape(-1, block, x.shape[-1]), query),
      jax.tree.map(lambda x: prefix.split_blocks(x, block).swapaxes(0, 1), rows),
    )
    roll = lambda tree, shift: jax.tree.map(lambda x: jnp.roll(x, shift, 0), tree)
    at = lambda tree, b: jax.tree.map(lambda x: x[b], tree)
    (total, *_), seen = jax.lax.scan(add_block, (start, *at(parts, 0)), (roll(parts, -1), roll(per_block, 1)))
    last = on_block(finish(total), at(per_block, -1))
    return jax.tree.map(lambda x, y: jnp.concatenate([x[1:], y[None]]), seen, last)

  def left_out(query, candidate):
    each = terms(query, candidate)
    return finish(each.sum(-1, keepdims=True) - each)

  return Ways(scores_by_width, scan_blocks, left_out)
