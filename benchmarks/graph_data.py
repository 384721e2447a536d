"""The graphs that benchmarks run on: registered ones, or random triples of any size."""

import re
from typing import NamedTuple

import numpy as np

from medjax import config as config_lib
from medjax.data import datasets


class Data(NamedTuple):
  """Triples as ids, int32 [M, 3] each; a graph without names, so that millions of entities cost nothing."""

  name: str
  train: np.ndarray
  valid: np.ndarray
  test: np.ndarray
  num_entities: int
  num_relations: int

  @property
  def triples(self):
    return np.concatenate([self.train, self.valid, self.test])


def load_data(name):
  """Returns the `Data` of a registered graph, or of synthetic:ENTITIES:RELATIONS:TRIPLES."""
  if name.startswith('synthetic'):
    counts = re.fullmatch(r'synthetic:(\d+):(\d+):(\d+)', name)
    if not counts:
      raise ValueError(f'--dataset={name}: write synthetic:ENTITIES:RELATIONS:TRIPLES, such as synthetic:200:5:2000')
    return synthetic(*map(int, counts.groups()))
  graph = datasets.load(config_lib.DataConfig(name=name))
  return Data(graph.name, graph.train, graph.valid, graph.test, graph.num_entities, graph.num_relations)


def synthetic(num_entities, num_relations, num_triples):
  """Returns `Data` of uniform random triples: as many for training, and a tenth each for valid and test."""
  draw = np.random.default_rng(0)
  part = lambda size: draw.integers(0, [num_entities, num_relations, num_entities], (size, 3)).astype(np.int32)
  held_out = max(num_triples // 10, 1)
  return Data(
    f'synthetic:{num_entities}:{num_relations}:{num_triples}',
    part(num_triples),
    part(held_out),
    part(held_out),
    num_entities,
    num_relations,
  )


def sample(triples, count):
  """Returns `count` evenly spaced triples; 0 is all of them."""
  if not count or count >= len(triples):
    return triples
  return triples[np.linspace(0, len(triples) - 1, count).astype(int)]
