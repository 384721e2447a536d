"""PairRE (Chao et al., ACL 2021, eq. 1): s = gamma - ||h^ * r_H - t^ * r_T||_1, with h^ = h / ||h||_2.

The norms are taken over the crop, so a width's terms are not those of the full model and every width
needs a pass of its own over its components.
"""

from collections.abc import Iterator, Mapping
import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from medjax.core import prefix
from medjax.core.widths import Widths
from medjax.scores.contract import OnBlock, Score, Table

FEW = 4  # widths that are faster one by one
GROUPS = 4  # of blocks: a group leaves out the widths that end before it
TINY = 1e-12  # keeps the norm of a zero row and its gradient finite


def make(constants: Mapping[str, float]) -> Score:
  """Returns the score; `constants['init_range']` bounds the uniform initial values."""
  bound = constants['init_range']

  def init(key, num_entities, num_relations, width):
    keys = jax.random.split(key, 3)
    draw = lambda key, rows: jax.random.uniform(key, (rows, width), minval=-bound, maxval=bound)
    return {
      'entity': {'vector': draw(keys[0], num_entities)},
      'relation': {'head': draw(keys[1], num_relations), 'tail': draw(keys[2], num_relations)},
    }

  def tail_query(head, relation):
    return {'vector': head['vector'], 'own': relation['head'], 'other': relation['tail']}

  def head_query(tail, relation):
    return {'vector': tail['vector'], 'own': relation['tail'], 'other': relation['head']}

  return Score(
    'pairre',
    1,
    True,
    init,
    tail_query,
    head_query,
    scores_by_width,
    scan_blocks,
  )


def inverse_norms(squares: Float[Array, '...']) -> Float[Array, '...']:
  """1 / ||x|| of sums of squares."""
  return jax.lax.rsqrt(squares + TINY)


def scores_by_width(query: Table, candidate: Table, widths: Widths) -> Float[Array, '... N']:
  """See `contract.ScoresByWidth`."""
  fixed, moving = query['vector'] * query['own'], candidate['vector'] * query['other']
  if len(widths.values) <= FEW and not widths.axis:
    norm = lambda rows, width: inverse_norms(jnp.square(rows['vector'][..., :width]).sum(-1, keepdims=True))
    return -jnp.stack(
      [
        jnp.abs(fixed[..., :width] * norm(query, width) - moving[..., :width] * norm(candidate, width)).sum(-1)
        for width in widths.values
      ],
      -1,
    )
  query_norm, candidate_norm = (
    inverse_norms(prefix.prefix_sums(jnp.square(rows['vector']), widths, prefix.psum_shared))
    for rows in (query, candidate)
  )
  each = lambda x: jnp.broadcast_to(x, (*moving.shape[:-1], x.shape[-1]))
  fixed, query_norm, candidate_norm = map(each, (fixed, query_norm, candidate_norm))
  total = distances(fixed, moving, query_norm, candidate_norm, widths.fine)
  return -prefix.psum_once(total, widths.axis) if widths.axis else -total


@functools.partial(jax.custom_vjp, nondiff_argnums=(4,))
def distances(
  fixed: Float[Array, '... C'],
  moving: Float[Array, '... C'],
  query_norm: Float[Array, '... N'],
  candidate_norm: Float[Array, '... N'],
  widths: Widths,
) -> Float[Array, '... N']:
  """Distances of every width: D_i = sum over c <= d_i of |g_ci|, with the gap g_ci = f_c q_i - m_c r_i.

  f and m are `fixed` and `moving` [..., C], q and r the inverse norms `query_norm` and `candidate_norm` [..., N] of the
  crops. With s_ci = sign(g_ci) and G_i the gradient with respect to D_i, over the components c <= d_i of each width:

    dD/df_c =  sum_i G_i s_ci q_i            dD/dm_c = -sum_i G_i s_ci r_i
    dD/dq_i =  G_i sum_c s_ci f_c            dD/dr_i = -G_i sum_c s_ci m_c

  The sums run over pairs of a component and a width, 32 times those of one model for 64 widths, so what counts is that
  no array [..., C, N] goes to memory. Forward, the widths are the vector and the components follow one another, which
  also gives sum_c s_ci m_c (`slopes`), and with it sum_c s_ci f_c = (D_i + r_i slopes_i) / q_i. Backward, the
  components are the vector and the widths follow one another.

  Args:
    fixed, moving: [..., C].
    query_norm, candidate_norm: inverse norms [..., N].
    widths: `Widths`.

  Returns:
    [..., N].
  """
  return _distances_fwd(fixed, moving, query_norm, candidate_norm, widths)[0]


def _groups(widths: Widths) -> Iterator[tuple[int, int, int]]:
  """Yields (first block, last block + 1, first of the widths that reach beyond the first block)."""
  if widths.axis:  # which widths reach a device's blocks is known only there
    yield 0, widths.num_blocks // widths.parts, 0
    return
  step = -(-widths.num_blocks // GROUPS)
  for first in range(0, widths.num_blocks, step):
    yield first, min(first + step, widths.num_blocks), next(i for i, end in enumerate(widths.ends) if end >= first)


def _distances_fwd(fixed, moving, query_norm, candidate_norm, widths):
  ends = jnp.asarray(widths.ends) - prefix.first_block(widths)
  rows = lambda b: tuple(jax.lax.dynamic_slice_in_dim(x, b * widths.block, widths.block, -1) for x in (fixed, moving))

  def add_group(first, last, low):
    own, other = query_norm[..., low:], candidate_norm[..., low:]

    def add_block(b, carry):
      total, slopes, (fixed, moving) = carry
      reached = (ends[low:] >= b).reshape((1,) * (own.ndim - 1) + (-1,))
      left, right = jnp.where(reached, own, 0), jnp.where(reached, other, 0)
      for j in range(widths.block):
        gap = fixed[..., j, None] * left - moving[..., j, None] * right
        total += jnp.abs(gap)
        slopes += jnp.sign(gap) * moving[..., j, None]
      return total, slopes, rows(b + 1)  # through the carry, see additive.make_ways

    zero = jnp.zeros_like(other)
    *added, _ = jax.lax.fori_loop(first, last, add_block, (zero, zero, rows(first)))
    return [jnp.pad(x, [(0, 0)] * (own.ndim - 1) + [(low, 0)]) for x in added]

  total, slopes = (sum(parts) for parts in zip(*(add_group(*group) for group in _groups(widths))))
  return total, (fixed, moving, query_norm, candidate_norm, total, slopes)


def _distances_bwd(widths, kept, grad):
  fixed, moving, query_norm, candidate_norm, total, slopes = kept
  own, other = grad * query_norm, grad * candidate_norm
  of_width = lambda x, i: x[..., i, None]
  before, parts = prefix.first_block(widths), []
  for first, last, low in _groups(widths):
    where = slice(first * widths.block, last * widths.block)
    left, right = fixed[..., where], moving[..., where]
    block = (before + jnp.arange(where.start, where.stop) // widths.block).reshape((1,) * (left.ndim - 1) + (-1,))
    fixed_grad = moving_grad = jnp.zeros(())
    for i in range(low, len(widths.ends)):
      positive = left * of_width(query_norm, i) > right * of_width(candidate_norm, i)
      up = jnp.where(positive, of_width(own, i), -of_width(own, i))
      down = jnp.where(positive, -of_width(other, i), of_width(other, i))
      if widths.axis or widths.ends[i] < last - 1:
        up, down = jnp.where(block <= widths.ends[i], up, 0), jnp.where(block <= widths.ends[i], down, 0)
      fixed_grad, moving_grad = fixed_grad + up, moving_grad + down
    parts.append((fixed_grad, moving_grad))
  fixed_grad, moving_grad = (jnp.concatenate(x, -1) for x in zip(*parts))
  return fixed_grad, moving_grad, grad * (total + candidate_norm * slopes) / query_norm, -grad * slopes


distances.defvjp(_distances_fwd, _distances_bwd)


def scan_blocks(
  query: Table,
  rows: PyTree[Float[Array, 'E C']],
  widths: Widths,
  start: Float[Array, 'E Q'],
  on_block: OnBlock,
  per_block: PyTree,
) -> PyTree:
  """See `contract.ScanBlocks`: every width walks its own blocks again, since its terms are scaled by its own norms."""
  block, num_blocks = widths.block, widths.num_blocks
  split = lambda x: x.reshape(num_blocks, block, -1)  # [blocks, block, Q]
  fixed, other = split(query['vector'] * query['own']), split(query['other'])
  rows = prefix.split_blocks(rows['vector'], block).transpose(1, 2, 0)  # [blocks, block, E]
  norms = lambda x: inverse_norms(jnp.cumsum(jnp.square(x).sum(1), 0))
  query_norm, row_norm = norms(split(query['vector'])), norms(rows)

  def one(carry, part):
    end, of_block = part
    scaled = lambda b: (fixed[b] * query_norm[end, None], other[b], rows[b] * row_norm[end, None])

    def add_block(b, carry):
      total, (fixed, other, rows) = carry
      for j in range(block):
        total -= jnp.abs(fixed[None, j] - other[None, j] * rows[j, :, None])
      return total, scaled(b + 1)  # through the carry, see additive.make_ways

    total, _ = jax.lax.fori_loop(0, end + 1, add_block, (start, scaled(0)))
    return carry, on_block(total, of_block)

  ends = jnp.asarray(widths.ends)
  seen = jax.lax.scan(one, (), (ends, jax.tree.map(lambda x: x[ends], per_block)))[1]
  return jax.tree.map(lambda x: jnp.zeros((num_blocks, *x.shape[1:]), x.dtype).at[ends].set(x), seen)
