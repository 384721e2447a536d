"""How much each sub-model's loss and each pair of neighbours weighs."""

from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from medjax.objectives.options import Mutual, Options

T = TypeVar('T')


def dynamic(fractions: Float[Array, '...'], w3: Float[Array, ''] | float) -> Float[Array, '...']:
  """Dynamic loss weight (section 3.3) of the sub-models with these fractions d_i/d_n, [N]."""
  return jnp.exp(w3 * fractions)


def width_weights(
  fractions: Float[Array, '...'], w3: Float[Array, ''] | float, options: Options
) -> Float[Array, '...']:
  """Weights of the losses of the sub-models with fractions d_i/d_n: dynamic, and rising to the narrow ones.

  >>> width_weights(jnp.array([0.25, 0.5, 1.0]), 1.0, Options(narrow_power=2.0)).tolist()
  [16.0, 4.0, 1.0]
  """
  return (dynamic(fractions, w3) if options.dynamic else 1.0) * fractions**-options.narrow_power


def pair_weights(fractions: Float[Array, '...'], mutual: Mutual) -> Float[Array, '...']:
  """Weights of mutual learning between M_{i-1} and M_i for the wider ones with these fractions d_i/d_n."""
  return mutual.weight * fractions**-mutual.power


def neighbours(tree: T) -> tuple[T, T]:
  """Of arrays [..., N] what belongs to M_1 to M_{N-1} and to their next wider ones, M_2 to M_N."""
  return jax.tree.map(lambda x: x[..., :-1], tree), jax.tree.map(lambda x: x[..., 1:], tree)
