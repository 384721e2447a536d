"""DistMult (Yang et al., ICLR 2015): s = <h, r, t>."""

from collections.abc import Mapping

import jax

from medjax.scores import bilinear
from medjax.scores.contract import Score


def make(constants: Mapping[str, float]) -> Score:
  """Returns the score; `constants['init_scale']` is the standard deviation of the initial values."""
  scale = constants['init_scale']

  def init(key, num_entities, num_relations, width):
    entity, relation = jax.random.split(key)
    return {
      'entity': {'vector': scale * jax.random.normal(entity, (num_entities, width))},
      'relation': {'vector': scale * jax.random.normal(relation, (num_relations, width))},
    }

  def query(entity, relation):
    return {'vector': entity['vector'] * relation['vector']}

  return Score('distmult', 1, False, init, query, query, *bilinear.make_ways(), bilinear.magnitudes)
