"""Cropping by declared axes."""

from fractions import Fraction

import hypothesis
from hypothesis import strategies as st
import jax
import numpy as np
import pytest

from medjax import errors
from medjax.core import axes as axes_lib

COLUMNS = axes_lib.columns()


@hypothesis.given(st.integers(1, 8), st.integers(1, 8))
def test_crop_of_a_crop_is_the_crop(a, b):
  params = {'entity': {'re': np.arange(24.0).reshape(3, 8)}}
  small, large = min(a, b), max(a, b)
  twice = axes_lib.crop(axes_lib.crop(params, COLUMNS, large), COLUMNS, small)
  np.testing.assert_array_equal(twice['entity']['re'], params['entity']['re'][:, :small])


def test_crop_wider_than_the_model_is_refused():
  with pytest.raises(errors.WidthError, match='width 16 to 18'):
    axes_lib.crop({'re': np.zeros((2, 8))}, axes_lib.columns(2), 18)


ENCODER = {  # the axes of a small transformer layer: 8 hidden numbers, 2 heads of 4, 32 neurons
  'attention': {'query': axes_lib.Axes(((0, 1), (1, 4))), 'bias': axes_lib.Axes(((0, 4),))},
  'feed_forward': axes_lib.Axes(((0, 1), (1, Fraction(1, 4)))),
  'temperature': axes_lib.FIXED,
}
WEIGHTS = {
  'attention': {'query': np.arange(8 * 2 * 4.0).reshape(8, 2, 4), 'bias': np.arange(8.0).reshape(2, 4)},
  'feed_forward': {'up': np.arange(8 * 32.0).reshape(8, 32), 'other': {'up': np.ones((8, 32))}},
  'temperature': np.float32(2.0),
}


def test_every_leaf_is_cropped_along_the_axes_that_it_declares():
  half = axes_lib.crop(WEIGHTS, ENCODER, 4)
  np.testing.assert_array_equal(half['attention']['query'], WEIGHTS['attention']['query'][:4, :1])
  np.testing.assert_array_equal(half['attention']['bias'], WEIGHTS['attention']['bias'][:1])
  np.testing.assert_array_equal(half['feed_forward']['up'], WEIGHTS['feed_forward']['up'][:4, :16])
  assert half['feed_forward']['other']['up'].shape == (4, 16)
  assert half['temperature'] == 2.0
  assert axes_lib.num_numbers(half) == 16 + 4 + 64 + 64 + 1


def test_shapes_are_cropped_as_arrays_are():
  shapes = axes_lib.crop_shapes(jax.eval_shape(lambda: jax.tree.map(jax.numpy.asarray, WEIGHTS)), ENCODER, 4)
  jax.tree.map(
    lambda shape, leaf: np.testing.assert_equal(shape.shape, np.shape(leaf)), shapes, axes_lib.crop(WEIGHTS, ENCODER, 4)
  )


def test_a_width_that_cuts_an_entry_is_refused():
  with pytest.raises(errors.WidthError, match='width 6 is impossible with 4 numbers'):
    axes_lib.crop(WEIGHTS, ENCODER, 6)
