"""The softmax objective against numpy, written from the equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import objectives

BATCH, OTHERS, SUBS = 4, 6, 3
VALID = np.random.default_rng(9).random((BATCH, OTHERS)) < 0.8
OPTIONS, MUTUAL = objectives.Options(), objectives.Mutual(weight=0.5)
FRACTIONS, STRENGTHS = jnp.array([0.25, 0.5, 1.0]), objectives.Strengths(0.7, 1.0, 1.5)


def draw(seed=0):
  random = np.random.default_rng(seed)
  return 2 * random.normal(size=(SUBS, BATCH)), 2 * random.normal(size=(SUBS, BATCH, OTHERS))


def probabilities(positive, negative):
  """Of the answer [B] and of the other candidates [B, K], one sub-model."""
  weight = np.where(VALID, np.exp(negative), 0)
  total = np.exp(positive) + weight.sum(1)
  return np.exp(positive) / total, weight / total[:, None]


def ours(positive, negative, **changes):
  arrays = jnp.asarray(positive, jnp.float32).T, jnp.moveaxis(jnp.asarray(negative, jnp.float32), 0, -1)
  return objectives.softmax_losses(*arrays, jnp.asarray(VALID), FRACTIONS, STRENGTHS, OPTIONS._replace(**changes))


def test_cross_entropy_of_the_answer():
  positive, negative = draw()
  loss, own = ours(positive, negative)
  expected = [-np.log(probabilities(p, n)[0]).mean() for p, n in zip(positive, negative)]
  np.testing.assert_allclose(own, expected, rtol=1e-5)
  np.testing.assert_allclose(loss, np.sum(expected), rtol=1e-5)


def test_dynamic_weight_and_evolution():
  positive, negative = draw()
  loss, own = ours(positive, negative, dynamic=True, difficulty='sigmoid')
  expected, before = [], None
  for p, n in zip(positive, negative):
    right = probabilities(p, n)[0]
    weight = np.full(BATCH, 1 / BATCH) if before is None else np.exp(0.7 * (1 - before))
    expected.append(-(weight / weight.sum() * np.log(right)).sum())
    before = right
  np.testing.assert_allclose(own, expected, rtol=1e-5)
  np.testing.assert_allclose(loss, np.sum(np.exp(1.5 * np.asarray(FRACTIONS)) * expected), rtol=1e-5)


@pytest.mark.parametrize('power', [0.0, 0.5])
def test_mutual_learning_is_the_divergence_of_neighbours(power):
  positive, negative = draw()
  total = 0.0
  for i in (1, 2):
    wide, narrow = (
      np.c_[probabilities(positive[j], negative[j])[0], probabilities(positive[j], negative[j])[1]] for j in (i, i - 1)
    )
    logs = np.log(np.maximum(wide, 1e-30)) - np.log(np.maximum(narrow, 1e-30))
    total += float(FRACTIONS[i]) ** -power * np.where(wide > 0, wide * logs, 0).sum(1).mean()
  gain = ours(positive, negative, mutual=MUTUAL._replace(power=power))[0] - ours(positive, negative)[0]
  np.testing.assert_allclose(gain, 0.5 * total, rtol=1e-4)


@pytest.mark.parametrize('detach, still', [('narrow', 0), ('wide', 1)])
def test_a_detached_side_does_not_move(detach, still):
  positive, negative = (jnp.asarray(x, jnp.float32) for x in draw())
  pieces = [objectives.log_softmax(positive[i], negative[i], jnp.asarray(VALID)) for i in (0, 1)]
  grads = jax.grad(lambda pair: objectives.divergence(*pair, jnp.asarray(VALID), detach))(pieces)
  moved = [bool(jnp.abs(grads[i][0]).max() > 0) for i in (0, 1)]
  assert not moved[still] and moved[1 - still]


def test_gradients_are_finite_where_candidates_are_left_out():
  positive, negative = (jnp.asarray(x, jnp.float32) for x in draw())
  valid = jnp.zeros((BATCH, OTHERS), bool).at[0].set(True)
  loss = lambda n: objectives.softmax_losses(
    positive.T, jnp.moveaxis(n, 0, -1), valid, FRACTIONS, STRENGTHS, OPTIONS._replace(mutual=MUTUAL)
  )[0]
  grad = jax.grad(loss)(negative)
  assert np.isfinite(grad).all() and not np.asarray(grad[:, 1:]).any() and np.asarray(grad[:, 0]).any()


@pytest.mark.parametrize('mutual', [None, MUTUAL])
def test_all_that_is_learned_has_finite_gradients_where_no_candidate_is_left(mutual):
  positive, negative = (jnp.asarray(x, jnp.float32) for x in draw())
  options = OPTIONS._replace(mutual=mutual, difficulty='sigmoid', dynamic=True)
  loss = lambda p, n, s: objectives.softmax_losses(
    p.T, jnp.moveaxis(n, 0, -1), jnp.zeros((BATCH, OTHERS), bool), FRACTIONS, s, options
  )[0]
  value, grads = jax.value_and_grad(loss, argnums=(0, 1, 2))(
    positive, negative, objectives.Strengths(*map(jnp.float32, STRENGTHS))
  )
  assert value == 0  # the answer is certain
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(grads))
