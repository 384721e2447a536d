"""Drawn sub-models, and inner products up to their ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax.core import sub_models


@pytest.mark.parametrize('count, size', [(2, 2), (2, 7), (3, 5), (8, 64), (6, 9), (64, 64)])
def test_draws_have_the_ends_and_come_alike_often(count, size):
  draws = np.stack([sub_models.draw(jax.random.key(seed), count, size) for seed in range(300 if size < 64 else 60)])
  assert draws.shape[1] == count and (draws[:, 0] == 0).all() and (draws[:, -1] == size - 1).all()
  gaps = np.diff(draws, axis=1)
  assert gaps.min() >= 1 and gaps.max() <= sub_models.most_apart(count, size)
  if count > 2 and size < 64:
    often = np.bincount(draws[:, 1:-1].ravel(), minlength=size)[1:-1] / len(draws)
    np.testing.assert_allclose(often, (count - 2) / (size - 2), atol=0.12)


@pytest.mark.parametrize('ends', [tuple(range(2, 25, 2)), (1, 2, 5, 6, 11, 20, 24)])
@pytest.mark.parametrize('count', [2, 3, 5])
def test_products_up_to_the_end_of_a_segment_are_those_of_its_sub_model(ends, count):
  random = np.random.default_rng(0)
  query, candidate = ({'x': random.normal(size=(3, ends[-1]))} for _ in range(2))
  cut = sub_models.segment_ends(ends, count)
  for seed in range(10):
    drawn = sub_models.draw(jax.random.key(seed), count, len(ends))
    left, right = (np.asarray(sub_models.segments(x, ends, drawn)['x']) for x in (query, candidate))
    assert left.shape == (3, cut[-1])
    for place, end in zip(np.asarray(drawn), cut):
      whole = (query['x'] * candidate['x'])[:, : ends[place]].sum(1)
      np.testing.assert_allclose((left * right)[:, :end].sum(1), whole, rtol=1e-5)


def test_values_of_drawn_sub_models_are_spread():
  spread = sub_models.spread(jnp.array([1.0, 2.0]), jnp.array([0, 2]), 3)
  np.testing.assert_array_equal(spread, [1, np.nan, 2])
