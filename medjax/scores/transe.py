"""TransE (Bordes et al., NeurIPS 2013): s = gamma - ||h + r - t||, with the L1 or the L2 norm."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from medjax.scores import additive, distances
from medjax.scores.contract import Score


def make(constants: Mapping[str, float], name: str = 'transe', norm: int = 1) -> Score:
  """Returns the score; `constants['init_range']` bounds the uniform initial values."""
  bound = constants['init_range']

  def init(key, num_entities, num_relations, width):
    entity, relation = jax.random.split(key)
    return {
      'entity': {'vector': jax.random.uniform(entity, (num_entities, width), minval=-bound, maxval=bound)},
      'relation': {'vector': jax.random.uniform(relation, (num_relations, width), minval=-bound, maxval=bound)},
    }

  def tail_query(head, relation):
    return {'vector': head['vector'] + relation['vector']}

  def head_query(tail, relation):
    return {'vector': tail['vector'] - relation['vector']}

  def terms_l1(query, candidate):
    return -jnp.abs(distances.difference(query['vector'], candidate['vector']))

  def terms_l2(query, candidate):
    return -jnp.square(distances.difference(query['vector'], candidate['vector']))

  ways = additive.make_ways(terms_l1) if norm == 1 else additive.make_ways(terms_l2, distances.negated_root)
  return Score(name, 1, True, init, tail_query, head_query, *ways)
