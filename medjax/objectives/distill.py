"""Distillation losses as pure functions on scores: BKD, TA, DualDE and IterDE, the baselines beside MED.

A model's scores are a pair (positive [B], negative [B, K]); `valid` is bool [B, K] (False leaves a negative out).
The hard loss is that of direct training (`med.evolutionary` without its weights), the soft one compares the student
with its teacher. docs/method.md says what was taken from the papers and what from their authors' code.
"""
from typing import NamedTuple

import jax
import jax.numpy as jnp

from medjax.objectives import candidates
from medjax.objectives import med

SMALL = 1e-12  # under a length or a product of losses


class Reliability(NamedTuple):
  """Slopes and shifts by which a learner judges the other's soft labels, for positives and for negatives."""
  positive_slope: jax.Array | float = 1.0
  positive_shift: jax.Array | float = 0.0
  negative_slope: jax.Array | float = 1.0
  negative_shift: jax.Array | float = 0.0


def hinton(hard, student, teacher, valid, weight, temperature):
  """BKD and TA: (1 - weight) hard + weight temperature^2 KL(teacher || student), mean per triple.

  The distributions are softmaxes of scores / temperature over the answer and its negatives, the classes of a query
  (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015; weighed as in Mirzadeh et al., AAAI 2020).
  """
  soften = lambda scores: candidates.log_softmax(*(score / temperature for score in scores), valid)
  return (1 - weight) * hard + weight * temperature**2 * candidates.divergence(soften(student), soften(teacher), valid)


def huber(student, teacher, valid):
  """IterDE's soft loss: Huber distance of the scores, mean over positives and negatives."""
  return med.mutual(student, teacher, valid)


def leading(x):
  """The factor in [1, 10) of a positive number written as a power of ten."""
  return x / 10 ** jnp.floor(jnp.log10(x))


def soft_weight(hard, soft, weight, done, schedule):
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


def reliability(scores, params):
  """DualDE's evaluation of soft labels (eqs. 8 and 9; 14 and 15 for the teacher): weights in (0, 1) of positives,
  the higher the score the higher, and of negatives, the lower the higher."""
  positive, negative = scores
  return (jax.nn.sigmoid(params.positive_slope * (positive + params.positive_shift)),
          1 - jax.nn.sigmoid(params.negative_slope * (negative + params.negative_shift)))


def structure(heads, tails):
  """Returns (cosine of the angle between head and tail, ratio of their lengths), each [B] (DualDE, eq. 5).

  Args:
    heads, tails: entity rows, leaves [B, C].
  """
  dot = lambda a, b: sum((a[name] * b[name]).sum(-1) for name in a)
  head, tail = (jnp.sqrt(jnp.maximum(dot(x, x), SMALL)) for x in (heads, tails))
  return dot(heads, tails) / (head * tail), head / tail


def structure_distance(own, other):
  """Huber distances of the angles and of the ratios of lengths (DualDE, eq. 5), [B]."""
  return sum(med.huber(a - b) for a, b in zip(own, other))


def dual(own, other, valid, params, shape, temperature):
  """DualDE's loss of one learner (eq. 10): soft and hard loss of every triple, weighed by p and 1 - p.

  Args:
    own, other: scores of the learner and of the one whose soft labels it judges.
    valid: bool [B, K].
    params: the learner's `Reliability`.
    shape: `structure_distance` of the positives [B], or 0.
    temperature: of the self-adversarial weights of negatives.

  Returns:
    The mean of the losses of positives and of negatives, [].
  """
  positive, negative = own
  soft = [med.huber(jax.nn.sigmoid(a) - jax.nn.sigmoid(b)) for a, b in zip(own, other)]  # eq. 4
  trust = reliability(other, params)
  weight = jax.lax.stop_gradient(med.softmax(temperature * negative, 1, valid))
  at_positives = trust[0] * (soft[0] + shape) + (1 - trust[0]) * med.softplus(-positive)
  at_negatives = trust[1] * soft[1] + (1 - trust[1]) * med.softplus(negative)
  return (at_positives.mean() + (weight * at_negatives).sum(1).mean()) / 2
