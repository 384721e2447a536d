"""Small untrained models of any score."""

import jax
import numpy as np

from medjax import scores
from medjax.data.graph import Graph
from medjax.saved.artifact import Description
from medjax.serve.model import Model

ENTITIES, RELATIONS, WIDTHS = 23, 4, (4, 8, 12)


def make_model(name):
  constants = scores.default_constants(6.0, WIDTHS[-1])
  params = scores.make(name, constants).init(jax.random.key(3), ENTITIES, RELATIONS, WIDTHS[-1])
  entities, relations = (tuple(f'{kind}{i:02}' for i in range(n)) for kind, n in (('e', ENTITIES), ('r', RELATIONS)))
  none = np.zeros((0, 3), np.int32)
  graph = Graph('tiny', entities, relations, none, none, none, entities, relations)
  description = Description(name, constants, WIDTHS, 0, (6.0, 5.0, 4.0), (3.0, 1.5, 1.0))
  block = description.make_widths().block
  description = Description(name, constants, WIDTHS, block, (6.0, 5.0, 4.0), (3.0, 1.5, 1.0))
  return Model(description, jax.tree.map(np.asarray, params), graph)
