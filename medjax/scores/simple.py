"""SimplE (Kazemi and Poole, NeurIPS 2018, eq. 3): s = (<h_head, r, t_tail> + <t_head, r_inv, h_tail>) / 2.

An entity's width counts both of its roles, so width d has d/2 numbers for each.
"""

from collections.abc import Mapping

import jax

from medjax.scores import bilinear
from medjax.scores.contract import Score


def make(constants: Mapping[str, float]) -> Score:
  """Returns the score; `constants['init_scale']` is the standard deviation of the initial values."""
  scale = constants['init_scale']

  def init(key, num_entities, num_relations, width):
    keys = jax.random.split(key, 4)
    draw = lambda key, rows: scale * jax.random.normal(key, (rows, width // 2))
    return {
      'entity': {'head': draw(keys[0], num_entities), 'tail': draw(keys[1], num_entities)},
      'relation': {'forward': draw(keys[2], num_relations), 'inverse': draw(keys[3], num_relations)},
    }

  def tail_query(head, relation):
    return {'tail': 0.5 * head['head'] * relation['forward'], 'head': 0.5 * head['tail'] * relation['inverse']}

  def head_query(tail, relation):
    return {'head': 0.5 * tail['tail'] * relation['forward'], 'tail': 0.5 * tail['head'] * relation['inverse']}

  return Score('simple', 2, False, init, tail_query, head_query, *bilinear.make_ways(), bilinear.magnitudes)
