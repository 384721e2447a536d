"""Scores that are the inner product of a query and a candidate: s_i = sum_{c <= d_i} query_c candidate_c.

Queries and candidates are leaves [..., C] of one name each; products are taken in blocks of components, so that a
prefix of blocks is a width.
"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from medjax.core import prefix
from medjax.core import rows as rows_lib
from medjax.core.widths import Widths
from medjax.scores import additive
from medjax.scores.contract import Table, Ways


def terms(query: Table, candidate: Table) -> Float[Array, '... C']:
  """The products of each component, added over the leaves."""
  return sum(query[name] * candidate[name] for name in query)


def make_ways() -> Ways:
  """Returns the `Ways` of a score that is the inner product of query and candidate."""
  plain = additive.make_ways(terms)
  return Ways(scores_by_width, plain.scan_blocks, plain.left_out, inner_product=True)


def magnitudes(rows: Table) -> PyTree[Float[Array, '... C']]:
  """The `component_magnitudes` of real components."""
  return jax.tree.map(jnp.abs, rows)


def scores_by_width(query: Table, candidate: Table, widths: Widths) -> Float[Array, '... N']:
  """See `contract.ScoresByWidth`."""
  if have_own_candidates(query, candidate):
    return prefix.sums_up_to_widths(block_products(query, candidate, widths.fine.block), widths)
  return prefix.prefix_sums(terms(query, candidate), widths)


def have_own_candidates(query: Table, candidate: Table) -> bool:
  """Whether queries [..., 1, C] meet candidates of their own [..., K, C]."""
  asked, given = (jax.tree.leaves(x)[0].shape for x in (query, candidate))
  return len(asked) > 2 and asked == (*given[:-2], 1, given[-1]) and given[-2] > 1


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def block_products(query: Table, candidate: Table, block: int) -> Float[Array, '... K blocks']:
  """Inner products by blocks of components of queries [..., 1, C] with their own candidates [..., K, C].

  p[..., k, b] = sum over the components c of block b of query[..., 0, c] * candidate[..., k, c].

  Its gradient with respect to the query, sum over k of grad[..., k, b] * candidate[..., k, c], is added up candidate by
  candidate: the products [..., K, C], which are as large as the gathered candidates, never exist in memory.

  Args:
    query: leaves [..., 1, C].
    candidate: leaves [..., K, C].
    block: components per block; it divides C.

  Returns:
    [..., K, C / block].
  """
  return prefix.block_sums(terms(query, candidate), block)


def _block_products_fwd(query, candidate, block):
  return block_products(query, candidate, block), (query, candidate)


def _block_products_bwd(block, given, grad):
  query, candidate = given
  at = lambda x, k: jax.lax.dynamic_index_in_dim(x, k, -2, keepdims=False)

  def add_candidate(k, total):
    return jax.tree.map(
      lambda total, rows: total + prefix.repeat_in_block(at(grad, k), block) * at(rows, k), total, candidate
    )

  zeros = jax.tree.map(lambda x: jnp.zeros_like(x[..., 0, :]), query)
  query_grad = jax.lax.fori_loop(0, grad.shape[-2], add_candidate, zeros, unroll=8)
  return (
    rows_lib.add_candidate_axis(query_grad),
    jax.tree.map(lambda x: prefix.repeat_in_block(grad, block) * x, query),
  )


block_products.defvjp(_block_products_fwd, _block_products_bwd)
