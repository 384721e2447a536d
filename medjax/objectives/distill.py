"""Distillation losses as pure functions on scores: BKD, TA, DualDE and IterDE, the baselines beside MED.

A model's scores are a pair (positive [B], negative [B, K]); `valid` is bool [B, K] (False leaves a negative out).
The hard loss is that of direct training (`evolutionary` without its weights), the soft one compares the student
with its teacher. docs/method.md says what was taken from the papers and what from their authors' code.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from medjax.objectives import candidates, mutual_learning
from medjax.objectives.evolution import softplus
from medjax.objectives.mutual_learning import Scores

SMALL = 1e-12  # under a product of losses


class Reliability(NamedTuple):
  """Slopes and shifts by which a learner judges the other's soft labels, for positives and for negatives."""

  positive_slope: jax.Array | float = 1.0
  positive_shift: jax.Array | float = 0.0
  negative_slope: jax.Array | float = 1.0
  negative_shift: jax.Array | float = 0.0


def hinton(
  hard: Float[Array, ''], student: Scores, teacher: Scores, valid: Bool[Array, 'B K'], weight: float, temperature: float
) -> Float[Array, '']:
  """BKD and TA: (1 - weight) hard + weight temperature^2 KL(teacher || student), mean per triple.

  The distributions are softmaxes of scores / temperature over the answer and its negatives, the classes of a query
  (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015; weighed as in Mirzadeh et al., AAAI 2020).
  """
  log_softmax: Any = candidates.log_softmax
  soften = lambda scores: log_softmax(*(score / temperature for score in scores), valid)
  return (1 - weight) * hard + weight * temperature**2 * mutual_learning.divergence(
    soften(student), soften(teacher), valid
  )


def huber(student: Scores, teacher: Scores, valid: Bool[Array, 'B K']) -> Float[Array, '']:
  """IterDE's soft loss: Huber distance of the scores, mean over positives and negatives."""
  return mutual_learning.mutual(student, teacher, valid)


def leading(x: Float[Array, '']) -> Float[Array, '']:
  """The factor in [1, 10) of a positive number written as a power of ten."""
  return x / 10 ** jnp.floor(jnp.log10(x))


def soft_weight(
  hard: Float[Array, ''], soft: Float[Array, ''], weight: float, done: Float[Array, ''] | float, schedule: str
) -> Float[Array, ''] | float:
  """IterDE's weight of the soft loss, which grows in the course of a training.

  Args:
    hard, soft: the losses of the step.
    weight: what it grows to.
    done: share of the training that is done, in [0, 1).
    schedule: 'product' divides it by the leading factor of hard * soft in the first half, as the authors' code does,
      'linear' grows it from 0 with every step, 'constant' leaves it.
  """
  if schedule == 'constant':
    return weight
  if schedule == 'linear':
    return weight * done
  held = jax.lax.stop_gradient(hard * soft)  # else the division would take the soft loss out of the gradient
  return weight / jnp.where(done < 0.5, leading(jnp.maximum(held, SMALL)), 1.0)


def reliability(scores: Scores, params: Reliability) -> Scores:
  """DualDE's evaluation of soft labels (eqs. 8 and 9; 14 and 15 for the teacher): weights in (0, 1) of positives,
  the higher the score the higher, and of negatives, the lower the higher."""
  positive, negative = scores
  return (
    jax.nn.sigmoid(params.positive_slope * (positive + params.positive_shift)),
    1 - jax.nn.sigmoid(params.negative_slope * (negative + params.negative_shift)),
  )


def dual(
  own: Scores,
  other: Scores,
  valid: Bool[Array, 'B K'],
  params: Reliability,
  further: Float[Array, ' B'] | float,
  temperature: float,
) -> Float[Array, '']:
  """DualDE's loss of one learner (eq. 10): soft and hard loss of every triple, weighed by p and 1 - p.

  Args:
    own, other: scores of the learner and of the one whose soft labels it judges.
    valid: bool [B, K].
    params: the learner's `Reliability`.
    further: what is added to the soft losses of the positives, [B], or 0; for graphs the distance of structures.
    temperature: of the self-adversarial weights of negatives.

  Returns:
    The mean of the losses of positives and of negatives, [].
  """
  positive, negative = own
  soft = [mutual_learning.huber(jax.nn.sigmoid(a) - jax.nn.sigmoid(b)) for a, b in zip(own, other)]  # eq. 4
  trust = reliability(other, params)
  weight = jax.lax.stop_gradient(candidates.masked_softmax(temperature * negative, 1, valid))
  at_positives = trust[0] * (soft[0] + further) + (1 - trust[0]) * softplus(-positive)
  at_negatives = trust[1] * soft[1] + (1 - trust[1]) * softplus(negative)
  return (at_positives.mean() + (weight * at_negatives).sum(1).mean()) / 2
