"""Widths as they are written, and the blocks that they end."""

import pytest

from medjax import errors
from medjax.core import widths as widths_lib


@pytest.mark.parametrize('text, widths', [('10:40:10', (10, 20, 30, 40)), ('10,40,160', (10, 40, 160)), ('7', (7,))])
def test_widths_are_ranges_or_lists(text, widths):
  assert widths_lib.parse_widths(text) == widths


@pytest.mark.parametrize(
  'text, says',
  [
    ('0,10', 'start at 1'),
    ('20,10', 'must increase'),
    ('10,10', 'must increase'),
    ('abc', 'first:last:step'),
    ('', 'first:last:step'),
    ('10:65:10', 'such as 60'),
    ('10:20', 'first:last:step'),
    ('20:10:10', 'must increase'),
  ],
)
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
