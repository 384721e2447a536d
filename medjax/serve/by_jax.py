"""Queries and raw scores of a score that has no NumPy form in this room, by the functions it is trained with."""

from typing import Any, TYPE_CHECKING

import jax
import jax.numpy as jnp
from jaxtyping import Float32, Int
import numpy as np

from medjax.core.sides import Side
from medjax.core.widths import Widths

if TYPE_CHECKING:
  from medjax.serve.model import Model

CHUNK = 8192  # entities scored at once


def query_rows(
  model: 'Model', side: Side, anchors: Int[np.ndarray, ' Q'], relations: Int[np.ndarray, ' Q']
) -> dict[str, Any]:
  """Returns the queries leaf by leaf, [Q, C] each; see `vectors.query_rows`."""
  rows = lambda table, ids: {name: jnp.asarray(leaf[ids]) for name, leaf in model.params[table].items()}
  query = model.description.make_score().query(side)(rows('entity', anchors), rows('relation', relations))
  return jax.tree.map(np.asarray, query)


def raw_scores(model: 'Model', queries: dict[str, Any]) -> Float32[np.ndarray, 'Q E']:
  """Returns the raw scores [Q, E] of queries, leaves [Q, C], with all entities."""
  entity, size = model.params['entity'], len(model.entities.labels)
  asked = {name: leaf[:, None] for name, leaf in queries.items()}
  part = lambda first: {name: leaf[None, first : first + CHUNK] for name, leaf in entity.items()}
  return np.concatenate([_scores(model, asked, part(first)) for first in range(0, size, CHUNK)], 1)


def raw_pairs(model: 'Model', queries: dict[str, Any], asked: Int[np.ndarray, ' Q']) -> Float32[np.ndarray, ' Q']:
  """Returns the raw scores [Q] of queries, leaves [Q, C], and one entity each, int [Q]."""
  return _scores(model, queries, {name: leaf[asked] for name, leaf in model.params['entity'].items()})


def shapes(description: Any, num_entities: int, num_relations: int) -> dict[str, tuple[int, ...]]:
  """Returns {table.leaf: shape} of a model of this `artifact.Description`."""
  like = jax.eval_shape(
    lambda: description.make_score().init(jax.random.key(0), num_entities, num_relations, description.widths[-1])
  )
  return {f'{table}.{name}': tuple(leaf.shape) for table, leaves in like.items() for name, leaf in leaves.items()}


def _scores(model, queries, candidates):
  widths = Widths((model.width,), model.widths.components, model.widths.block)
  on_device = lambda tree: jax.tree.map(jnp.asarray, tree)
  raw = model.description.make_score().scores_by_width(on_device(queries), on_device(candidates), widths)
  return np.asarray(raw)[..., 0]
