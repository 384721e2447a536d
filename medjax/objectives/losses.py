"""The binary (log-sigmoid) form of the objective: the paper's three mechanisms, all sub-models in one pass.

The functions of the other modules are written for one sub-model, or one pair of neighbours: positive scores [B],
negative scores [B, K], `valid` bool [B, K] (False leaves a negative out). Scores may carry a further axis [..., N] for
the sub-models, which rides along everywhere. It is what `jax.vmap` over that axis gives, except that vmap would move
the axis to the front and transpose every score on the way.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from medjax.objectives import candidates, mutual_learning, weights
from medjax.objectives.evolution import evolutionary, predecessors
from medjax.objectives.options import Options, Strengths


def log_sigmoid_losses(
  positive: Float[Array, 'B N'],
  negative: Float[Array, 'B K N'],
  valid: Bool[Array, 'B K'],
  fractions: Float[Array, ' N'],
  strengths: Strengths,
  options: Options,
) -> tuple[Float[Array, ''], Float[Array, ' N']]:
  """Returns (loss [], losses of the widths [N]) of all sub-models.

  >>> options = Options(difficulty=None, adversarial_temperature=0.0)
  >>> positive, negative, valid = jnp.zeros((2, 1)), jnp.zeros((2, 3, 1)), jnp.ones((2, 3), bool)
  >>> loss, width_losses = log_sigmoid_losses(positive, negative, valid, jnp.ones(1), Strengths(), options)
  >>> f'{loss:.4f}'  # -log sigmoid(0)
  '0.6931'

  Args:
    positive, negative: scores [B, N], [B, K, N].
    valid: bool [B, K]; False leaves a negative out.
    fractions: d_i/d_n of the sub-models, [N].
    strengths: `Strengths`.
    options: `Options`.
  """
  scores = (positive, negative)
  narrow, wide = weights.neighbours(scores)
  width_losses = evolutionary(scores, predecessors(scores), valid, strengths.w1, strengths.w2, options)
  loss = jnp.sum(width_losses * weights.width_weights(fractions, strengths.w3, options))
  mutual = options.mutual
  if mutual and len(fractions) > 1:
    if mutual.form == 'divergence':
      said = candidates.log_softmax(*scores, valid)
      pairs = mutual_learning.divergence(*weights.neighbours(said), valid, mutual.detach)
    else:
      pairs = mutual_learning.mutual(narrow, wide, valid, mutual.reduction, mutual.detach)
    loss += jnp.sum(weights.pair_weights(fractions[1:], mutual) * pairs)
  return loss, width_losses
