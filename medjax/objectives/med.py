"""MED's three mechanisms as pure functions on scores ("Croppable Knowledge Graph Embedding", arXiv 2407.02779).

Each function is written for one sub-model, or one pair of neighbours, and `losses` vmaps it over the
sub-model axis. Shapes: positive scores [B], negative scores [B, K], `valid` bool [B, K] (False leaves
a negative out).
"""
from typing import NamedTuple

import jax
import jax.numpy as jnp


class Weights(NamedTuple):
  """Strengths w1 (positives), w2 (negatives) and w3 (widths) of the paper's equations 3 to 5."""
  w1: jax.Array
  w2: jax.Array
  w3: jax.Array


class Settings(NamedTuple):
  """Which mechanisms act, and how; the fields are those of `config.ObjectiveConfig`."""
  mutual: bool
  mutual_weight: float
  mutual_reduction: str
  mutual_detach: str
  evolutionary: bool
  difficulty: str
  weigh_over: str
  adversarial_temperature: float
  dynamic: bool


def huber(difference):
  """Huber's loss with delta 1, elementwise."""
  size = jnp.abs(difference)
  return jnp.where(size < 1, 0.5 * size * size, size - 0.5)


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
  total = positive.sum() + jnp.where(valid, negative, 0).sum()
  return total if reduction == 'sum' else total / (positive.size + valid.sum())


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
    w1, w2: strengths; 0 for the narrowest sub-model.
  """
  positive, negative = scores
  hard_positive, hard_negative = jax.tree.map(jnp.zeros_like, previous)
  if settings.evolutionary:
    hard_positive, hard_negative = difficulty(previous, settings.difficulty)
  positive_weight = jax.nn.softmax(w1 * hard_positive)
  logits = w2 * hard_negative + settings.adversarial_temperature * jax.lax.stop_gradient(negative)
  axis = -1 if settings.weigh_over == 'positive' else (0, 1)
  negative_weight = jax.nn.softmax(logits, axis=axis, where=valid)
  if axis == -1:
    negative_weight /= positive.size
  return (-jnp.sum(positive_weight * jax.nn.log_sigmoid(positive))
          - jnp.sum(negative_weight * jax.nn.log_sigmoid(-negative))) / 2


def dynamic(share, w3):
  """Dynamic loss weight (section 3.3) of the sub-models with these shares d_i/d_n, [N]."""
  return jnp.exp(w3 * share)


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
  scores = (jnp.moveaxis(positive, -1, 0), jnp.moveaxis(negative, -1, 0))
  previous = jax.tree.map(lambda x: jnp.concatenate([jnp.zeros_like(x[:1]) + 1, x[:-1]]), scores)
  acts = (jnp.arange(len(share)) > 0) * float(settings.evolutionary)
  own = jax.vmap(lambda s, p, w1, w2: evolutionary(s, p, valid, w1, w2, settings))(
      scores, previous, weights.w1 * acts, weights.w2 * acts)
  loss = jnp.sum(mask * own * (dynamic(share, weights.w3) if settings.dynamic else 1.0))
  if settings.mutual and len(share) > 1:
    narrow, wide = jax.tree.map(lambda x: x[:-1], scores), jax.tree.map(lambda x: x[1:], scores)
    pairs = jax.vmap(lambda a, b: mutual(a, b, valid, settings.mutual_reduction, settings.mutual_detach))(narrow, wide)
    loss += settings.mutual_weight * jnp.sum(mask[1:] * mask[:-1] * pairs)
  return loss, own
