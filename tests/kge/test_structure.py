"""DualDE's structure of triples, worked out number by number."""

import numpy as np

from medjax.kge import structure

huber = lambda x: x * x / 2 if abs(x) < 1 else abs(x) - 0.5


def test_structure_is_an_angle_and_a_ratio_over_all_leaves():
  heads = {'re': np.array([[3.0, 0.0]]), 'im': np.array([[0.0, 4.0]])}  # length 5
  tails = {'re': np.array([[0.0, 6.0]]), 'im': np.array([[0.0, 8.0]])}  # length 10, product 32
  cosine, ratio = structure.structure(heads, tails)
  np.testing.assert_allclose((cosine[0], ratio[0]), (32 / 50, 0.5), rtol=1e-6)
  distance = structure.structure_distance((cosine, ratio), (cosine - 0.5, ratio + 2.0))
  np.testing.assert_allclose(distance, huber(0.5) + huber(2.0), rtol=1e-6)
