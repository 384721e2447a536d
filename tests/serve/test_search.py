"""The best of many scores, against sorting all of them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
import numpy as np

from medjax.serve import search

VALUES = st.sampled_from([-np.inf, -2.5, 0.0, -0.0, 1.0, 3.0, np.inf, np.nan])


@settings(deadline=None, max_examples=200)
@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=VALUES), st.data())
def test_the_best_are_those_of_a_stable_sort(scores, data):
  k = data.draw(st.integers(0, scores.shape[1]))
  ids, best = search.top_k(scores, k)
  np.testing.assert_array_equal(ids, np.argsort(-scores, 1, kind='stable')[:, :k])
  np.testing.assert_array_equal(best, np.take_along_axis(scores, ids, 1))


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(260, 2000), st.integers(1, 3), st.sampled_from([3, 20, 10**6]))
def test_the_best_of_many_are_those_of_a_stable_sort(seed, size, k, different):
  draw = np.random.default_rng(seed)
  scores = draw.integers(0, different, (draw.integers(1, 4), size)).astype(np.float32)
  scores[0, draw.random(size) < 0.5] = -np.inf
  ids, best = search.top_k(scores, k)
  np.testing.assert_array_equal(ids, np.argsort(-scores, 1, kind='stable')[:, :k])
  np.testing.assert_array_equal(best, np.take_along_axis(scores, ids, 1))
