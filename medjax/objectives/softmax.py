"""The softmax (cross-entropy) form of the objective: the answer against all its candidates at once.

The form in which the bilinear scores hold their best published results (Lacroix et al., "Canonical Tensor
Decomposition for Knowledge Base Completion", ICML 2018).
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from medjax.objectives import candidates, mutual_learning, weights
from medjax.objectives.options import Options, Strengths


def softmax_losses(
  positive: Float[Array, 'B N'],
  negative: Float[Array, 'B K N'] | Sequence[Float[Array, 'B K']],
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
    positive, negative: scores [B, N], [B, K, N]; the latter also as N arrays [B, K], so that no array holds all.
    valid, fractions, strengths, options: see `log_sigmoid_losses`.
  """
  mutual = options.mutual
  # recomputed in the backward pass: what stays in memory is the scores
  log_softmax: Any = candidates.log_softmax
  pieces = (
    jax.checkpoint(lambda *x: log_softmax(*x, valid))
    if mutual
    else jax.checkpoint(lambda *x: (log_softmax(*x, valid)[0], None))
  )
  loss: Any
  previous: Any
  loss, width_losses, previous = 0.0, [], None
  others = negative if isinstance(negative, Sequence) else jnp.moveaxis(negative, -1, 0)
  for i, (right, wrong) in enumerate(zip(positive.T, others)):
    current = pieces(right, wrong)
    even = jnp.ones_like(right) / len(right)
    if options.difficulty and previous is not None:
      hard = jax.lax.stop_gradient(1 - jnp.exp(previous[0]))
      even = candidates.masked_softmax(strengths.w1 * hard, 0)
    width_losses.append(-(even * current[0]).sum())
    loss += weights.width_weights(fractions[i], strengths.w3, options) * width_losses[-1]
    if mutual and previous is not None:
      pair = mutual_learning.divergence(previous, current, valid, mutual.detach)
      loss += weights.pair_weights(fractions[i], mutual) * pair
    previous = current
  return loss, jnp.stack(width_losses)
