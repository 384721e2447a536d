"""The softmax (cross-entropy) form of the objective: the answer against all its candidates at once.

The form in which the bilinear scores hold their best published results (Lacroix et al., "Canonical Tensor
Decomposition for Knowledge Base Completion", ICML 2018).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from medjax.objectives import candidates, mutual_learning, weights
from medjax.objectives.options import Options, Strengths


def softmax_losses(
  positive: Float[Array, 'B N'],
  negative: Float[Array, 'B K N'],
  valid: Bool[Array, 'B K'],
  fractions: Float[Array, ' N'],
  strengths: Strengths,
  options: Options,
) -> tuple[Float[Array, ''], Float[Array, ' N']]:
  """Returns (loss [], losses of the widths [N]) of all sub-models.

  >>> positive, negative, valid = jnp.zeros((2, 1)), jnp.zeros((2, 3, 1)), jnp.ones((2, 3), bool)
  >>> loss, width_losses = softmax_losses(positive, negative, valid, jnp.ones(1), Strengths(), Options())
  >>> f'{loss:.4f}'  # log 4: the answer is one of four candidates alike
  '1.3863'

  Evolutionary improvement weighs triples by exp(w1 * (1 - the probability that M_{i-1} gives the answer));
  the softmax itself weighs the other candidates by how hard they are.

  Args:
    positive, negative: scores [B, N], [B, K, N].
    valid, fractions, strengths, options: see `log_sigmoid_losses`.
  """
  mutual = options.mutual
  others = jnp.moveaxis(negative, -1, 0)
  of_losses = weights.width_weights(fractions, strengths.w3, options)
  of_pairs = weights.pair_weights(fractions, mutual).at[0].set(0) if mutual else jnp.zeros_like(fractions)

  @jax.checkpoint  # recomputed in the backward pass: what stays in memory is the scores
  def add_width(carry, width):
    loss, previous = carry
    right, wrong, of_loss, of_pair, narrowest = width
    current = candidates.log_softmax(right, wrong, valid)
    even = jnp.ones_like(right) / len(right)
    if options.difficulty:
      hard = jax.lax.stop_gradient(1 - jnp.exp(previous[0]))
      even = jnp.where(narrowest, even, candidates.masked_softmax(strengths.w1 * hard, 0))
    width_loss = -(even * current[0]).sum()
    loss += of_loss * width_loss
    if mutual:
      loss += of_pair * mutual_learning.divergence(previous, current, valid, mutual.detach)
    return (loss, current if mutual else current[:1]), width_loss

  of_widths = positive.T, others, jnp.broadcast_to(of_losses, fractions.shape), of_pairs, jnp.arange(len(others)) == 0
  first = candidates.log_softmax(positive[:, 0], others[0], valid)
  (loss, _), width_losses = jax.lax.scan(add_width, (jnp.zeros(()), first if mutual else first[:1]), of_widths)
  return loss, width_losses
