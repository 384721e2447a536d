"""What makes the scores of all widths comparable: an affine map of each, which changes no rank."""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float


def margin_factor(
  width: Float[Array, ' N'] | float, gamma_half: float, gamma_power: float
) -> Float[Array, ' N'] | float:
  """Returns 1 / (1 + (gamma_half/width)^gamma_power), elementwise: the fraction of gamma that is a width's margin.

  >>> margin_factor(15, gamma_half=15.0, gamma_power=2.0)
  0.5
  """
  return 1 / (1 + (gamma_half / width) ** gamma_power)


def affine(
  margin: bool,
  widths: Sequence[int] | Float[Array, ' N'],
  gamma: float | Float[Array, ' N'],
  width_scale: str = 'linear',
  width_gamma: str = 'shared',
  gamma_half: float = 0.0,
  gamma_power: float = 2.0,
) -> tuple[Float[Array, ' N'], Float[Array, ' N']]:
  """Returns (offset [N], scale [N]) of score_i = offset_i + scale_i * raw_i.

  >>> offset, scale = affine(True, (10, 40, 160), 6.0)
  >>> offset.tolist(), scale.tolist()
  ([6.0, 6.0, 6.0], [16.0, 4.0, 1.0])

  Args:
    margin: whether the score is gamma - distance.
    widths: the increasing widths d_1..d_n.
    gamma: margin of a wide model.
    width_scale: 'linear' d_n/d_i, 'sqrt' (d_n/d_i)^(1/2), 'none' 1.
    width_gamma: 'shared' or 'learned' gamma, 'linear' gamma * d_i/d_n.
    gamma_half, gamma_power: of the `margin_factor` by which a score with a margin is multiplied, its margin and its
      distance alike.
  """
  widths = jnp.asarray(widths, jnp.float32)
  fraction = widths / widths[-1]
  scale = {'linear': 1 / fraction, 'sqrt': fraction**-0.5, 'none': jnp.ones_like(fraction)}[width_scale]
  offset = (
    gamma * {'shared': jnp.ones_like(fraction), 'learned': jnp.ones_like(fraction), 'linear': fraction}[width_gamma]
  )
  factor = margin_factor(widths, gamma_half, gamma_power)
  return (factor * offset, factor * scale) if margin else (jnp.zeros_like(offset), scale)
