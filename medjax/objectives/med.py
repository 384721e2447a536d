"""MED's three mechanisms as pure functions on scores ("Croppable Knowledge Graph Embedding", arXiv 2407.02779).

Each function is written for one sub-model, or one pair of neighbours: positive scores [B], negative scores
[B, K], `valid` bool [B, K] (False leaves a negative out). Scores may carry a further axis [..., N] for the
sub-models, which rides along everywhere: `losses` computes all sub-models so. It is what `jax.vmap` over that
axis gives, except that vmap would move the axis to the front and transpose every score on the way.
"""
from typing import NamedTuple

import jax
import jax.numpy as jnp

from medjax.objectives import candidates


class Weights(NamedTuple):
  """Strengths w1 (positives), w2 (negatives) and w3 (widths) of the paper's equations 3 to 5."""
  w1: jax.Array
  w2: jax.Array
  w3: jax.Array


class Settings(NamedTuple):
  """Which mechanisms act, and how; the fields are those of `config.ObjectiveConfig`."""
  mutual: bool
  mutual_weight: float
  mutual_power: float
  mutual_form: str
  mutual_reduction: str
  mutual_detach: str
  evolutionary: bool
  difficulty: str
  weigh_over: str
  adversarial_temperature: float
  dynamic: bool
  narrow_weight: float


@jax.custom_jvp
def huber(difference):
  """Huber's loss with delta 1, elementwise."""
  size = jnp.abs(difference)
  return jnp.where(size < 1, 0.5 * size * size, size - 0.5)


@huber.defjvp
def _huber_jvp(primals, tangents):
  return huber(*primals), jnp.clip(primals[0], -1, 1) * tangents[0]


@jax.custom_jvp
def softplus(x):
  """log(1 + exp(x)), that is -log sigmoid(-x), elementwise; value and derivative need one exponential."""
  return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


@softplus.defjvp
def _softplus_jvp(primals, tangents):
  small = jnp.exp(-jnp.abs(primals[0]))
  return softplus(*primals), jnp.where(primals[0] > 0, 1, small) / (1 + small) * tangents[0]


def softmax(logits, axis, where=True):
  """Softmax over some axes of what `where` leaves in; zeros where it leaves nothing."""
  top = jax.lax.stop_gradient(jnp.max(logits, axis, keepdims=True, where=where, initial=-jnp.inf))
  weight = jnp.where(where, jnp.exp(logits - top), 0)
  return weight / jnp.maximum(weight.sum(axis, keepdims=True), 1)  # the sum is 1 or more, or there is nothing


def mutual(narrow, wide, valid, reduction='mean', detach='none'):
  """Mutual learning between neighbours (section 3.1): Huber distance of their scores on the same triples.

  Args:
    narrow, wide: (positive [B], negative [B, K]) scores of M_{i-1} and M_i.
    valid: bool [B, K].
    reduction: 'mean' per triple, or the paper's 'sum'.
    detach: 'none' (both learn from each other), or the side that is not to move: 'narrow' or 'wide'.
  """
  if detach == 'narrow':
    narrow = jax.lax.stop_gradient(narrow)
  if detach == 'wide':
    wide = jax.lax.stop_gradient(wide)
  positive, negative = (huber(a - b) for a, b in zip(narrow, wide))
  total = positive.sum(0) + jnp.where(candidates.along(valid, negative), negative, 0).sum((0, 1))
  return total if reduction == 'sum' else total / (len(positive) + valid.sum())


def difficulty(scores, kind):
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
  return 1 / positive, negative


def evolutionary(scores, previous, valid, w1, w2, settings):
  """Evolutionary improvement (section 3.2): the log-sigmoid loss of M_i, weighted by what M_{i-1} gets wrong.

  Positives weigh exp(w1 * difficulty) over the batch; negatives exp(w2 * difficulty + temperature *
  own score) over the negatives of their positive or of the batch. Weights sum to one, so the result
  is a mean per triple. With w1 = w2 = 0 this is self-adversarial sampling (Sun et al., 2019, eq. 5).

  Args:
    scores, previous: (positive [B], negative [B, K]) scores of M_i and M_{i-1}.
    valid: bool [B, K].
    w1, w2: strengths.
  """
  positive, negative = scores
  valid = candidates.along(valid, negative)
  hard_positive, hard_negative = difficulty(previous, settings.difficulty) if settings.evolutionary else (0.0, 0.0)
  positive_weight = softmax(w1 * hard_positive + jnp.zeros_like(positive), 0)
  logits = w2 * hard_negative + settings.adversarial_temperature * jax.lax.stop_gradient(negative)
  if settings.weigh_over == 'positive':
    negative_weight = softmax(logits, 1, valid) / len(positive)
  else:
    negative_weight = softmax(logits, (0, 1), valid)
  return ((positive_weight * softplus(-positive)).sum(0) + (negative_weight * softplus(negative)).sum((0, 1))) / 2


def dynamic(share, w3):
  """Dynamic loss weight (section 3.3) of the sub-models with these shares d_i/d_n, [N]."""
  return jnp.exp(w3 * share)


def width_weights(share, w3, settings):
  """Weights of the own losses of the sub-models with these shares d_i/d_n: dynamic, and rising to the narrow ones."""
  return (dynamic(share, w3) if settings.dynamic else 1.0) * share ** -settings.narrow_weight


def pair_weights(share, settings):
  """Weights of mutual learning between M_{i-1} and M_i for the wider ones with these shares d_i/d_n."""
  return settings.mutual_weight * share ** -settings.mutual_power


def neighbours(tree):
  """Of arrays [..., N] what belongs to M_1 to M_{N-1} and to their next wider ones, M_2 to M_N."""
  return jax.tree.map(lambda x: x[..., :-1], tree), jax.tree.map(lambda x: x[..., 1:], tree)


def losses(positive, negative, valid, share, weights, settings, mask=None):
  """Returns (loss [], own losses [N]) of all sub-models in one pass.

  Args:
    positive, negative: scores [B, N], [B, K, N].
    valid: bool [B, K].
    share: d_i/d_n of the sub-models, [N].
    weights: `Weights`.
    settings: `Settings`.
    mask: 0/1 [N], the sub-models that are trained now; None is all of them.
  """
  mask = jnp.ones_like(share) if mask is None else mask
  scores = (positive, negative)
  narrow, wide = neighbours(scores)
  # the narrowest sub-model has no predecessor: what is equally hard for all weighs evenly
  previous = jax.tree.map(lambda x, all: jnp.concatenate([jnp.ones_like(all[..., :1]), x], -1), narrow, scores)
  own = evolutionary(scores, previous, valid, weights.w1, weights.w2, settings)
  loss = jnp.sum(mask * own * width_weights(share, weights.w3, settings))
  if settings.mutual and len(share) > 1:
    if settings.mutual_form == 'divergence':
      said = candidates.log_softmax(*scores, valid)
      pairs = candidates.divergence(*neighbours(said), valid, settings.mutual_detach)
    else:
      pairs = mutual(narrow, wide, valid, settings.mutual_reduction, settings.mutual_detach)
    loss += jnp.sum(mask[1:] * mask[:-1] * pair_weights(share[1:], settings) * pairs)
  return loss, own
