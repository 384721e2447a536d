"""ComplEx (Trouillon et al., ICML 2016, eq. 9): s = Re <h, r, conj(t)>."""

from collections.abc import Mapping

import jax

from medjax.scores import bilinear, distances
from medjax.scores.contract import Score


def make(constants: Mapping[str, float]) -> Score:
  """Returns the score; `constants['init_scale']` is the standard deviation of the initial values."""
  scale = constants['init_scale']

  def init(key, num_entities, num_relations, width):
    keys = jax.random.split(key, 4)
    draw = lambda key, rows: scale * jax.random.normal(key, (rows, width // 2))
    return {
      'entity': {'re': draw(keys[0], num_entities), 'im': draw(keys[1], num_entities)},
      'relation': {'re': draw(keys[2], num_relations), 'im': draw(keys[3], num_relations)},
    }

  def tail_query(head, relation):
    return {
      're': head['re'] * relation['re'] - head['im'] * relation['im'],
      'im': head['re'] * relation['im'] + head['im'] * relation['re'],
    }

  def head_query(tail, relation):
    # Re(h r conj(t)) = Re(h conj(conj(r) t))
    return {
      're': tail['re'] * relation['re'] + tail['im'] * relation['im'],
      'im': tail['im'] * relation['re'] - tail['re'] * relation['im'],
    }

  def component_magnitudes(rows):
    return {'modulus': distances.modulus(rows['re'], rows['im'])}

  return Score('complex', 2, False, init, tail_query, head_query, *bilinear.make_ways(), component_magnitudes)
