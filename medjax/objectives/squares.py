"""The objective of all sub-models where a number is learned, of squared errors; its weights are those of the others."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from medjax.objectives import candidates, mutual_learning, weights
from medjax.objectives.options import Options, Strengths


def squared_losses(
  numbers: Float[Array, 'B N'],
  right: Float[Array, ' B'],
  fractions: Float[Array, ' N'],
  strengths: Strengths,
  options: Options,
) -> tuple[Float[Array, ''], Float[Array, ' N']]:
  """Returns (loss [], losses of the widths [N]) of all sub-models.

  >>> numbers, right = jnp.array([[1.0, 0.0], [1.0, 2.0]]), jnp.array([0.0, 1.0])
  >>> loss, width_losses = squared_losses(numbers, right, jnp.array([0.5, 1.0]), Strengths(), Options())
  >>> float(loss), width_losses.tolist()  # halves of mean squares
  (0.5, [0.25, 0.25])

  Half the squared error is the negative log-likelihood of a normal distribution, up to a constant, as cross-entropy is
  of classes. So evolutionary improvement weighs examples by exp(w1 * (1 - exp(-loss of M_{i-1}))), which is what
  `softmax_losses` does, and neighbours learn from each other by half their squared difference, which is the divergence
  of two such distributions.

  Args:
    numbers: what the sub-models say.
    right: what is right.
    fractions, strengths, options: see `log_sigmoid_losses`; of `options.mutual` the form and reduction are not read.
  """
  errors = 0.5 * jnp.square(numbers - right[:, None])
  shares = jnp.full_like(errors, 1 / len(errors))
  if options.difficulty:
    hard = jax.lax.stop_gradient(1 - jnp.exp(-errors[:, :-1]))
    shares = shares.at[:, 1:].set(candidates.masked_softmax(strengths.w1 * hard, 0))
  width_losses = (shares * errors).sum(0)
  loss = jnp.sum(width_losses * weights.width_weights(fractions, strengths.w3, options))
  if options.mutual and len(fractions) > 1:
    narrow, wide = weights.neighbours((numbers, numbers[:, None]))
    narrow, wide = mutual_learning.hold(narrow, wide, options.mutual.detach)
    pairs = 0.5 * jnp.square(narrow[0] - wide[0]).mean(0)
    loss += jnp.sum(weights.pair_weights(fractions[1:], options.mutual) * pairs)
  return loss, width_losses
