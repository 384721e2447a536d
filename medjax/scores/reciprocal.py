"""Reciprocal relations (Lacroix et al., ICML 2018, section 4): every relation also has an embedding of its inverse.

(?, r, t) is asked as (t, r inverse, ?): a query for heads is the query for tails of another relation. A triple then has
two scores; the one that is called its score is that of the query for its tail.
"""

from collections.abc import Callable, Mapping
from typing import cast

import jax

from medjax.scores.contract import ComponentMagnitudes, Score

INVERSE = 'inverse_'  # marks the leaves of the inverse relation


def make(constants: Mapping[str, float], plain: Callable[[Mapping[str, float]], Score]) -> Score:
  """Returns the score that `plain`, a maker of a bilinear score, makes, with reciprocal relations."""
  score = plain(constants)

  def init(key, num_entities, num_relations, width):
    params = score.init(key, num_entities, 2 * num_relations, width)
    forward, inverse = (
      {name: leaf[half] for name, leaf in params['relation'].items()}
      for half in (slice(num_relations), slice(num_relations, None))
    )
    return params | {'relation': forward | {INVERSE + name: leaf for name, leaf in inverse.items()}}

  def forward(relation):
    return {name: leaf for name, leaf in relation.items() if not name.startswith(INVERSE)}

  def inverse(relation):
    return {name.removeprefix(INVERSE): leaf for name, leaf in relation.items() if name.startswith(INVERSE)}

  def component_magnitudes(rows):
    magnitudes = cast(ComponentMagnitudes, score.component_magnitudes)  # a bilinear score has them
    if not inverse(rows):
      return magnitudes(rows)
    # A query reads the relation's embedding or its inverse's, and half of a batch reads either. Both are gathered for
    # every triple, so each has to count half in the cubes that N3 adds up: (x / 2^(1/3))^3 = x^3 / 2.
    return [jax.tree.map(lambda x: x / 2 ** (1 / 3), magnitudes(part(rows))) for part in (forward, inverse)]

  return score._replace(
    name=f'{score.name}_reciprocal',
    init=init,
    component_magnitudes=component_magnitudes,
    tail_query=lambda head, relation: score.tail_query(head, forward(relation)),
    head_query=lambda tail, relation: score.tail_query(tail, inverse(relation)),
  )
