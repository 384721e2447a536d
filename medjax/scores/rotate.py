"""RotatE (Sun et al., ICLR 2019, eq. 2): s = gamma - sum_j |h_j r_j - t_j|, with r_j = e^(i theta_j)."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from medjax.scores import additive, distances
from medjax.scores.contract import Score


def make(constants: Mapping[str, float]) -> Score:
  """Returns the score.

  Args:
    constants: `init_range` bounds the uniform initial values; `phase_scale` is theta per unit of the stored
      phase; it says how many radians a phase turns under a learning rate that suits the entities.
  """
  bound, phase_scale = constants['init_range'], constants['phase_scale']

  def init(key, num_entities, num_relations, width):
    keys = jax.random.split(key, 3)
    draw = lambda key, rows, limit: jax.random.uniform(key, (rows, width // 2), minval=-limit, maxval=limit)
    return {
      'entity': {'re': draw(keys[0], num_entities, bound), 'im': draw(keys[1], num_entities, bound)},
      'relation': {'phase': draw(keys[2], num_relations, jnp.pi / phase_scale)},
    }

  def rotate(entity, theta):
    cos, sin = jnp.cos(theta), jnp.sin(theta)
    return {'re': entity['re'] * cos - entity['im'] * sin, 'im': entity['re'] * sin + entity['im'] * cos}

  def tail_query(head, relation):
    return rotate(head, relation['phase'] * phase_scale)

  def head_query(tail, relation):
    # |h r - t| = |h - t conj(r)|, since |r| = 1
    return rotate(tail, -relation['phase'] * phase_scale)

  def terms(query, candidate):
    return -distances.modulus(
      distances.difference(query['re'], candidate['re']), distances.difference(query['im'], candidate['im'])
    )

  return Score('rotate', 2, True, init, tail_query, head_query, *additive.make_ways(terms))
