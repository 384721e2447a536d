"""The objective of numbers, against sums that are written out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import objectives
from medjax.objectives import squares

NUMBERS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
RIGHT = np.linspace(-1, 1, 5, dtype=np.float32)
STRENGTHS = objectives.Strengths()
FRACTIONS = np.array([0.25, 0.5, 1.0], np.float32)


def found(options, strengths=STRENGTHS, numbers=NUMBERS):
  return squares.squared_losses(jnp.asarray(numbers), jnp.asarray(RIGHT), jnp.asarray(FRACTIONS), strengths, options)


def test_all_mechanisms_together_are_their_sums():
  mutual = objectives.Mutual(weight=0.7, power=1.0)
  options = objectives.Options(mutual, difficulty='sigmoid', dynamic=True)
  loss, each = found(options, objectives.Strengths(2.0, 1.0, 0.5))
  expected, losses = 0.0, []
  for i in range(3):
    weight = np.ones(5) if i == 0 else np.exp(2.0 * (1 - np.exp(-((NUMBERS[:, i - 1] - RIGHT) ** 2) / 2)))
    losses.append((weight / weight.sum() * (NUMBERS[:, i] - RIGHT) ** 2 / 2).sum())
    expected += np.exp(0.5 * FRACTIONS[i]) * losses[-1]
    if i:
      expected += 0.7 / FRACTIONS[i] * ((NUMBERS[:, i] - NUMBERS[:, i - 1]) ** 2 / 2).mean()
  assert float(loss) == pytest.approx(expected, rel=1e-5)
  np.testing.assert_allclose(each, losses, rtol=1e-5)


def test_without_mechanisms_widths_do_not_touch_each_other():
  options = objectives.Options()
  slope = jax.grad(lambda numbers: found(options, numbers=numbers)[0])(jnp.asarray(NUMBERS))
  np.testing.assert_allclose(slope, (NUMBERS - RIGHT[:, None]) / 5, rtol=1e-5)


@pytest.mark.parametrize('side, place', [('narrow', 0), ('wide', -1)])
def test_a_side_that_is_held_does_not_learn(side, place):
  slope = lambda mutual: jax.grad(lambda x: found(objectives.Options(mutual), numbers=x)[0])(jnp.asarray(NUMBERS))
  plain, held = slope(None), slope(objectives.Mutual(detach=side))
  np.testing.assert_allclose(held[:, place], plain[:, place], rtol=1e-5)
  assert np.abs(held - plain).max() > 0.01
