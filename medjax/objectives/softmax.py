"""The softmax (cross-entropy) form of the objective: the answer against all its candidates at once.

The form in which the bilinear scores hold their best published results (Lacroix et al., "Canonical Tensor
Decomposition for Knowledge Base Completion", ICML 2018). One sub-model's scores are positive [B] and negative
[B, K]; what sub-models share is written over sequences of N of them, so that no array holds all.
"""
import jax
import jax.numpy as jnp

from medjax.objectives import candidates
from medjax.objectives import med


def losses(positive, negative, valid, share, weights, settings, mask=None):
  """Returns (loss [], own losses [N]) of all sub-models.

  Evolutionary improvement weighs triples by exp(w1 * (1 - the probability that M_{i-1} gives the answer));
  the softmax itself weighs the other candidates by how hard they are.

  Args:
    positive, negative: N scores [B] and N scores [B, K].
    valid: bool [B, K].
    share, weights, settings, mask: see `med.losses`.
  """
  mask = jnp.ones_like(share) if mask is None else mask
  # recomputed in the backward pass: what stays in memory is the scores
  pieces = jax.checkpoint(lambda *x: candidates.log_softmax(*x, valid)) if settings.mutual else jax.checkpoint(
      lambda *x: (candidates.log_softmax(*x, valid)[0], None))
  loss, own, previous = 0.0, [], None
  for i, (right, wrong) in enumerate(zip(positive, negative)):
    current = pieces(right, wrong)
    even = jnp.ones_like(right) / len(right)
    if settings.evolutionary and previous is not None:
      hard = jax.lax.stop_gradient(1 - jnp.exp(previous[0]))
      even = med.softmax(weights.w1 * hard, 0)
    own.append(-(even * current[0]).sum())
    loss += mask[i] * med.width_weights(share[i], weights.w3, settings) * own[-1]
    if settings.mutual and previous is not None:
      pair = candidates.divergence(previous, current, valid, settings.mutual_detach)
      loss += med.pair_weights(share[i], settings) * mask[i] * mask[i - 1] * pair
    previous = current
  return loss, jnp.stack(own)
