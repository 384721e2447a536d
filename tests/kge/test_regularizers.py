"""Regularisers against numpy, written from the equations."""

import jax.numpy as jnp
import numpy as np

from medjax.kge import regularizers


def test_regularizers_sum_squares_and_cubes():
  random = np.random.default_rng(1)
  h, r, t = (random.normal(size=(2, 5)) + 1j * random.normal(size=(2, 5)) for _ in range(3))
  parts = lambda x: {'re': jnp.asarray(x.real), 'im': jnp.asarray(x.imag)}
  np.testing.assert_allclose(regularizers.dura(parts(h * r), parts(t)), np.abs(h * r) ** 2 + np.abs(t) ** 2, rtol=1e-5)
  magnitudes = [{'modulus': jnp.asarray(np.abs(x))} for x in (h, r, t)]
  np.testing.assert_allclose(regularizers.n3(*magnitudes), sum(np.abs(x) ** 3 for x in (h, r, t)), rtol=1e-5)
