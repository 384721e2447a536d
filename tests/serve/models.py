"""Small models of every score, with drawn tables, that tests of formats share."""

import dataclasses

import jax
import numpy as np

from medjax import scores
from medjax.data.graph import Graph
from medjax.saved.artifact import Description
from medjax.serve.model import Model

ENTITIES, RELATIONS, WIDTHS = 23, 4, (4, 8, 12)
LABELS = ('New York', 'New_York', 'São Paulo', 'tab\there', '')


def make_graph(entities=ENTITIES, relations=RELATIONS):
  draw = np.random.default_rng(1)
  triples = np.unique(draw.integers(0, (entities, relations, entities), (90, 3)), axis=0).astype(np.int32)
  draw.shuffle(triples)
  ids = tuple(f'e{i:02}' for i in range(entities))
  names = tuple(f'r{i}' for i in range(relations))
  labels = (*LABELS, *(f'entity {i}' for i in range(len(LABELS), entities)))
  return Graph('tiny', ids, names, triples[:60], triples[60:70], triples[70:], labels, names, ('licence: CC0',))


def make_model(name, graph=None):
  """A model of three widths, whose tables are drawn."""
  graph = graph or make_graph()
  constants = scores.default_constants(6.0, WIDTHS[-1])
  params = scores.make(name, constants).init(jax.random.key(3), graph.num_entities, graph.num_relations, WIDTHS[-1])
  description = Description(name, constants, WIDTHS, 0, (6.0, 5.0, 4.0), (3.0, 1.5, 1.0), source='tiny')
  description = dataclasses.replace(description, block=description.make_widths().block)
  return Model(description, jax.tree.map(np.asarray, params), graph)
