"""Evolutionary improvement ("Croppable Knowledge Graph Embedding", section 3.2), with self-adversarial sampling."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from medjax.objectives import candidates
from medjax.objectives.mutual_learning import Scores
from medjax.objectives.options import Options


@jax.custom_jvp
def softplus(x: Float[Array, '...']) -> Float[Array, '...']:
  """log(1 + exp(x)), that is -log sigmoid(-x), elementwise; value and derivative need one exponential."""
  return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


@softplus.defjvp
def _softplus_jvp(primals, tangents):
  small = jnp.exp(-jnp.abs(primals[0]))
  return softplus(*primals), jnp.where(primals[0] > 0, 1, small) / (1 + small) * tangents[0]


def difficulty(scores: Scores, kind: str) -> Scores:
  """Returns how hard triples with these scores are as (positives, negatives).

  'sigmoid' and 'score' order every score: the lower a positive, the higher a negative, the harder.
  'inverse' is the paper's 1/s for positives, which does so only while scores are positive. The weights are
  taken as given: no gradient flows through them into the scores.
  """
  positive, negative = jax.lax.stop_gradient(scores)
  if kind == 'sigmoid':
    return jax.nn.sigmoid(-positive), jax.nn.sigmoid(negative)
  if kind == 'score':
    return -positive, negative
  if kind == 'inverse':
    return 1 / positive, negative
  raise ValueError(f"difficulty is {kind!r}, but has to be 'sigmoid', 'score' or 'inverse'")


def predecessors(scores: Scores) -> Scores:
  """Of scores [..., N] those of each sub-model's next narrower one.

  The narrowest has none and gets 1 for every triple: what is equally hard everywhere gives equal weights.
  """
  return jax.tree.map(lambda x: jnp.concatenate([jnp.ones_like(x[..., :1]), x[..., :-1]], -1), scores)


def triple_weights(
  scores: Scores,
  previous: Scores,
  valid: Bool[Array, 'B K'],
  w1: Float[Array, ''] | float,
  w2: Float[Array, ''] | float,
  options: Options,
) -> Scores:
  """Returns the weights of positives [B] and negatives [B, K]; each of the two sums to one.

  >>> scores = jnp.array([1.0, 1.0]), jnp.array([[0.0, 2.0], [0.0, 0.0]])
  >>> of_positives, of_negatives = triple_weights(scores, scores, jnp.ones((2, 2), bool), 0.0, 0.0, Options())
  >>> of_positives.tolist(), [f'{weight:.3f}' for weight in of_negatives.ravel()]
  ([0.5, 0.5], ['0.060', '0.440', '0.250', '0.250'])

  Positives weigh exp(w1 * difficulty) over the batch; negatives exp(w2 * difficulty + temperature * own score) over the
  negatives of their positive, all positives alike, or over those of the batch. With w1 = w2 = 0 this is
  self-adversarial sampling (Sun et al., 2019, eq. 5).

  Args:
    scores, previous: (positive [B], negative [B, K]) scores of M_i and M_{i-1}.
    valid: bool [B, K].
    w1, w2: strengths.
    options: `Options`.
  """
  positive, negative = scores
  valid = candidates.along(valid, negative)
  hard_positive, hard_negative = difficulty(previous, options.difficulty) if options.difficulty else (0.0, 0.0)
  positive_weight = candidates.masked_softmax(w1 * hard_positive + jnp.zeros_like(positive), 0)
  logits = w2 * hard_negative + options.adversarial_temperature * jax.lax.stop_gradient(negative)
  if options.weigh_over == 'positive':
    return positive_weight, candidates.masked_softmax(logits, 1, valid) / len(positive)
  return positive_weight, candidates.masked_softmax(logits, (0, 1), valid)


def evolutionary(
  scores: Scores,
  previous: Scores,
  valid: Bool[Array, 'B K'],
  w1: Float[Array, ''] | float,
  w2: Float[Array, ''] | float,
  options: Options,
) -> Float[Array, '...']:
  """Evolutionary improvement: the log-sigmoid loss of M_i, weighted by what M_{i-1} gets wrong.

  Weights sum to one, so the result is a mean per triple; the arguments are those of `triple_weights`.
  """
  positive, negative = scores
  positive_weight, negative_weight = triple_weights(scores, previous, valid, w1, w2, options)
  return ((positive_weight * softplus(-positive)).sum(0) + (negative_weight * softplus(negative)).sum((0, 1))) / 2
