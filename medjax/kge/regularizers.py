"""Regularisers of the bilinear scores: sizes of a batch's embeddings, component by component.

They are sums over components, so those of all sub-models are prefix sums, like the scores.
"""

from typing import cast

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from medjax.kge.scoring import Rows
from medjax.scores.contract import ComponentMagnitudes, Score, Table


def n3(anchor: PyTree, relation: PyTree, answer: PyTree) -> Float[Array, 'B C']:
  """Cubes of the magnitudes of all three parts (Lacroix et al., ICML 2018, eq. 9), [B, C]; arguments are magnitudes."""
  return cast(Array, sum(jnp.power(leaf, 3) for leaf in jax.tree.leaves((anchor, relation, answer))))


def dura(query: Table, answer: Table) -> Float[Array, 'B C']:
  """Squares of the query and of the answer (Zhang et al., "Duality-Induced Regularizer", NeurIPS 2020), [B, C].

  Over a batch that asks for tails and for heads these are |h r|^2 + |t|^2 + |t conj(r)|^2 + |h|^2; with reciprocal
  relations the inverse's own embedding stands for conj(r).
  """
  return cast(Array, sum(jnp.square(leaf) for leaf in jax.tree.leaves((query, answer))))


def component_sizes(regularizer: str, score: Score, query: Table, rows: Rows) -> Float[Array, 'B C']:
  """What a regulariser, 'n3' or 'dura', sums of every triple and component, [B, C]."""
  if regularizer == 'dura':
    return dura(query, rows.answers)
  size = cast(ComponentMagnitudes, score.component_magnitudes)  # `settings.check_regularizer` asks for one that has it
  return n3(size(rows.anchors), size(rows.relations), size(rows.answers))
