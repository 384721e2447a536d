import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from medjax import errors
from medjax.core import axes as axes_lib
from medjax.core import widths as widths_lib


@pytest.mark.parametrize('text, widths', [('10:40:10', (10, 20, 30, 40)), ('10,40,160', (10, 40, 160)), ('7', (7,))])
def test_widths_are_ranges_or_lists(text, widths):
  assert widths_lib.parse_widths(text) == widths


@pytest.mark.parametrize('text, says', [
    ('0,10', 'start at 1'), ('20,10', 'must increase'), ('10,10', 'must increase'), ('abc', 'first:last:step'),
    ('', 'first:last:step'), ('10:65:10', 'such as 60'), ('10:20', 'first:last:step'), ('20:10:10', 'must increase')])
def test_bad_widths_say_what_to_write(text, says):
  with pytest.raises(errors.WidthError, match=says):
    widths_lib.parse_widths(text)


def test_odd_width_is_impossible_for_a_complex_score():
  with pytest.raises(errors.WidthError, match='width 7 is impossible.*multiples of 2'):
    widths_lib.Widths((6, 7), 2)


def test_block_divides_every_width():
  widths = widths_lib.Widths((10, 40, 160), 2)
  assert (widths.block, widths.num_blocks, widths.ends) == (5, 16, (0, 3, 15))


def test_untrained_width_names_the_nearest():
  with pytest.raises(errors.WidthError, match='width 45 was not trained.*30, 40, 50'):
    widths_lib.Widths((10, 20, 30, 40, 50, 60)).index(45)


def test_crop_keeps_its_models_block():
  assert widths_lib.Widths((10, 25, 40), 1).up_to(10).block == 5


@hypothesis.given(st.integers(1, 8), st.integers(1, 8))
def test_crop_of_a_crop_is_the_crop(a, b):
  params = {'entity': {'re': np.arange(24.).reshape(3, 8)}}
  small, large = min(a, b), max(a, b)
  twice = axes_lib.crop(axes_lib.crop(params, large), small)
  np.testing.assert_array_equal(twice['entity']['re'], params['entity']['re'][:, :small])


def test_crop_wider_than_the_model_is_refused():
  with pytest.raises(errors.WidthError, match='width 16 to 18'):
    axes_lib.crop({'re': np.zeros((2, 8))}, 18, components=2)
