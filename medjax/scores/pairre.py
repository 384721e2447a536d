"""PairRE (Chao et al., ACL 2021, eq. 1): s = gamma - ||h^ * r_H - t^ * r_T||_1, with h^ = h / ||h||_2.

The norms are taken over the crop, so a width's terms are not those of the full model and every width
needs a pass of its own over its components.
"""
import jax
import jax.numpy as jnp

from medjax.scores import base

TINY = 1e-12  # keeps the norm of a zero row and its gradient finite


def make(constants):
  """Returns the score; `constants['init_range']` bounds the uniform initial values."""
  bound = constants['init_range']

  def init(key, num_entities, num_relations, width):
    keys = jax.random.split(key, 3)
    draw = lambda key, rows: jax.random.uniform(key, (rows, width), minval=-bound, maxval=bound)
    return {'entity': {'vector': draw(keys[0], num_entities)},
            'relation': {'head': draw(keys[1], num_relations), 'tail': draw(keys[2], num_relations)}}

  def tail_query(head, relation):
    return {'vector': head['vector'], 'own': relation['head'], 'other': relation['tail']}

  def head_query(tail, relation):
    return {'vector': tail['vector'], 'own': relation['tail'], 'other': relation['head']}

  return base.Score('pairre', 1, True, init, tail_query, head_query, sums, walk)


def inverse_norms(squares):
  return jax.lax.rsqrt(squares + TINY)


def sums(query, candidate, widths):
  query_norm, candidate_norm = (inverse_norms(base.prefix_sums(jnp.square(rows['vector']), widths))
                                for rows in (query, candidate))
  fixed, moving = query['vector'] * query['own'], candidate['vector'] * query['other']

  def one(width, query_norm, candidate_norm):
    total = base.block_sums(jnp.abs(fixed[..., :width] * query_norm[..., None]
                                    - moving[..., :width] * candidate_norm[..., None]), widths.block)
    return -total.sum(-1)

  return jnp.stack([one(width, query_norm[..., i], candidate_norm[..., i])
                    for i, width in enumerate(widths.values)], -1)


def walk(query, rows, widths, start, visit, each):
  block, num_blocks = widths.block, widths.num_blocks
  split = lambda x: x.reshape(num_blocks, block, -1)                    # [blocks, block, Q]
  fixed, other = split(query['vector'] * query['own']), split(query['other'])
  rows = base.split_blocks(rows['vector'], block).transpose(1, 2, 0)    # [blocks, block, E]
  norms = lambda x: inverse_norms(jnp.cumsum(jnp.square(x).sum(1), 0))
  query_norm, row_norm = norms(split(query['vector'])), norms(rows)

  def one(carry, part):
    end, each = part
    scaled = lambda b: (fixed[b] * query_norm[end, None], other[b], rows[b] * row_norm[end, None])

    def add_block(b, carry):
      total, (fixed, other, rows) = carry
      for j in range(block):
        total -= jnp.abs(fixed[None, j] - other[None, j] * rows[j, :, None])
      return total, scaled(b + 1)  # through the carry, see base.additive

    total, _ = jax.lax.fori_loop(0, end + 1, add_block, (start, scaled(0)))
    return carry, visit(total, each)

  return jax.lax.scan(one, (), (jnp.arange(num_blocks), each))[1]
