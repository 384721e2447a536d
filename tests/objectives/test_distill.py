"""Distillation losses against three triples with two negatives each, worked out number by number."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax.objectives import distill

STUDENT = (np.array([1.0, -0.5, 2.0]), np.array([[0.0, -1.0], [0.5, 3.0], [-2.0, 1.0]]))
TEACHER = (np.array([2.0, 0.5, 1.5]), np.array([[-1.0, -1.0], [1.0, 0.0], [-4.0, 0.5]]))
VALID = np.array([[True, True], [True, False], [True, True]])  # the second triple has one negative
sigmoid = lambda x: 1 / (1 + math.exp(-x))
huber = lambda x: x * x / 2 if abs(x) < 1 else abs(x) - 0.5


def candidates(scores):
  """Answer and valid negatives of each triple, as lists."""
  return [[scores[0][i], *scores[1][i][VALID[i]]] for i in range(3)]


@pytest.mark.parametrize('temperature', [1.0, 2.0])
def test_hinton_is_the_divergence_of_softened_distributions(temperature):
  total = 0.0
  for own, taught in zip(candidates(STUDENT), candidates(TEACHER)):
    q, p = (
      [math.exp(s / temperature) / sum(math.exp(t / temperature) for t in scores) for s in scores]
      for scores in (own, taught)
    )
    total += sum(a * math.log(a / b) for a, b in zip(p, q)) / 3
  loss = distill.hinton(0.7, STUDENT, TEACHER, VALID, 0.25, temperature)
  np.testing.assert_allclose(loss, 0.75 * 0.7 + 0.25 * temperature**2 * total, rtol=1e-5)
  assert np.isfinite(jax.grad(lambda s: distill.hinton(0.7, s, TEACHER, VALID, 0.25, temperature))(STUDENT)[1]).all()


def test_hinton_of_a_perfect_student_is_the_hard_loss_alone():
  shifted = tuple(score + 3.0 for score in TEACHER)  # a softmax does not see a shift
  np.testing.assert_allclose(distill.hinton(0.7, shifted, TEACHER, VALID, 0.25, 2.0), 0.75 * 0.7, rtol=1e-5)


def test_iterde_compares_scores_by_huber():
  distances = [
    huber(a - b) for own, taught in zip(candidates(STUDENT), candidates(TEACHER)) for a, b in zip(own, taught)
  ]
  assert len(distances) == 8
  np.testing.assert_allclose(distill.huber(STUDENT, TEACHER, VALID), sum(distances) / 8, rtol=1e-6)


@pytest.mark.parametrize('product, factor', [(0.0373, 3.73), (0.7, 7.0), (1.0, 1.0), (9.99, 9.99), (420.0, 4.2)])
def test_leading_factor(product, factor):
  np.testing.assert_allclose(distill.leading(jnp.float32(product)), factor, rtol=1e-5)


def test_iterde_weight_by_schedule():
  weight = lambda done, schedule: float(distill.soft_weight(0.2, 0.15, 0.5, done, schedule))
  assert weight(0.1, 'product') == pytest.approx(0.5 / 3.0)  # 0.2 * 0.15 = 3.0e-2
  assert weight(0.5, 'product') == 0.5
  assert [weight(done, 'linear') for done in (0.0, 0.5)] == [0.0, 0.25]
  assert weight(0.1, 'constant') == 0.5
  gradient = jax.grad(lambda soft: distill.soft_weight(0.2, soft, 0.5, 0.1, 'product') * soft)(0.15)
  assert gradient == pytest.approx(0.5 / 3.0)


def test_dual_weighs_every_triple_by_how_reliable_its_soft_label_is():
  params = distill.Reliability(0.5, 1.0, 2.0, -0.3)
  shape = np.array([0.1, 0.0, 0.4])
  total = 0.0
  for i in range(3):
    own, other = STUDENT[0][i], TEACHER[0][i]
    trust = sigmoid(0.5 * (other + 1.0))
    total += trust * (huber(sigmoid(own) - sigmoid(other)) + shape[i]) - (1 - trust) * math.log(sigmoid(own))
    negatives = [(STUDENT[1][i][k], TEACHER[1][i][k]) for k in range(2) if VALID[i][k]]
    norm = sum(math.exp(0.8 * own) for own, _ in negatives)
    for own, other in negatives:
      trust = 1 - sigmoid(2.0 * (other - 0.3))
      total += (
        math.exp(0.8 * own)
        / norm
        * (trust * huber(sigmoid(own) - sigmoid(other)) - (1 - trust) * math.log(sigmoid(-own)))
      )
  np.testing.assert_allclose(distill.dual(STUDENT, TEACHER, VALID, params, shape, 0.8), total / 3 / 2, rtol=1e-5)


def test_reliability_trusts_high_positives_and_low_negatives():
  positive, negative = distill.reliability((np.array([-2.0, 3.0]), np.array([-2.0, 3.0])), distill.Reliability())
  np.testing.assert_allclose(positive, [sigmoid(-2), sigmoid(3)], rtol=1e-6)
  np.testing.assert_allclose(negative, [sigmoid(2), sigmoid(-3)], rtol=1e-5)
