"""RotatE (Sun et al., ICLR 2019, eq. 2): s = gamma - sum_j |h_j r_j - t_j|, with r_j = e^(i theta_j)."""
import jax
import jax.numpy as jnp

from medjax.scores import base


def make(constants):
  """Returns the score.

  Args:
    constants: `init_range` bounds the uniform initial values; the stored phase is theta * init_range / pi,
      as in the authors' code, so that phases move at the entities' pace under one learning rate.
  """
  bound = constants['init_range']

  def init(key, num_entities, num_relations, width):
    keys = jax.random.split(key, 3)
    draw = lambda key, rows: jax.random.uniform(key, (rows, width // 2), minval=-bound, maxval=bound)
    return {'entity': {'re': draw(keys[0], num_entities), 'im': draw(keys[1], num_entities)},
            'relation': {'phase': draw(keys[2], num_relations)}}

  def rotate(entity, theta):
    cos, sin = jnp.cos(theta), jnp.sin(theta)
    return {'re': entity['re'] * cos - entity['im'] * sin, 'im': entity['re'] * sin + entity['im'] * cos}

  def tail_query(head, relation):
    return rotate(head, relation['phase'] * (jnp.pi / bound))

  def head_query(tail, relation):
    # |h r - t| = |h - t conj(r)|, since |r| = 1
    return rotate(tail, relation['phase'] * (-jnp.pi / bound))

  def terms(query, candidate):
    square = jnp.square(query['re'] - candidate['re']) + jnp.square(query['im'] - candidate['im'])
    return -jnp.sqrt(jnp.maximum(square, 1e-30))  # the bound gives the gradient 0 at distance 0

  sums, walk = base.additive(terms)
  return base.Score('rotate', 2, True, init, tail_query, head_query, sums, walk)
