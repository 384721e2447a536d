"""Regularisers of the bilinear scores: sizes of a batch's embeddings, component by component.

They are sums over components, so those of all sub-models are prefix sums, like the scores.
"""
import jax
import jax.numpy as jnp


def n3(anchor, relation, answer):
  """Cubes of the moduli of all three parts (Lacroix et al., ICML 2018, eq. 9), [B, C]; arguments are moduli."""
  return sum(jnp.power(leaf, 3) for leaf in jax.tree.leaves((anchor, relation, answer)))


def dura(query, answer):
  """Squares of the query and of the answer (Zhang et al., "Duality-Induced Regularizer", NeurIPS 2020), [B, C].

  Over a batch that asks for tails and for heads these are |h r|^2 + |t|^2 + |t conj(r)|^2 + |h|^2; with reciprocal
  relations the inverse's own embedding stands for conj(r).
  """
  return sum(jnp.square(leaf) for leaf in jax.tree.leaves((query, answer)))
