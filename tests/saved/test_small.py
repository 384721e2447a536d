"""Tables in fewer bytes come back as near as their type allows, and a crop of them is them of the crop."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
import numpy as np
import pytest

from medjax import errors
from medjax.saved import artifact, small, tensors

TABLES = arrays.arrays(
  np.float32, st.tuples(st.integers(0, 5), st.integers(1, 6)), elements=st.floats(-1e4, 1e4, width=32)
)


@given(TABLES)
def test_int8_is_off_by_half_a_step_of_its_column(table):
  stored = small.shrink('x', table, 'int8')
  assert stored['x'].dtype == np.int8
  back = small.restore(stored)['x']
  step = np.abs(table).max(0, initial=0) / 127
  assert back.dtype == np.float32 and (np.abs(back - table) <= step * 0.5001 + 1e-30).all()


@given(TABLES, st.integers(1, 6))
def test_shrinking_and_cropping_commute(table, width):
  whole, crop = (small.shrink('x', part, 'int8') for part in (table, table[:, :width]))
  for name in whole:
    np.testing.assert_array_equal(whole[name][..., :width], crop[name])


@given(TABLES)
def test_float16_is_the_nearest_half(table):
  back = small.restore(small.shrink('x', table, 'float16'))['x']
  np.testing.assert_array_equal(back, table.astype(np.float16).astype(np.float32))
  np.testing.assert_array_equal(small.restore(small.shrink('x', table, 'float32'))['x'], table)


def test_what_a_type_cannot_hold_is_refused(tmp_path):
  with pytest.raises(errors.FormatError, match='float16: entity.v holds numbers beyond 65504'):
    small.shrink('entity.v', np.array([[7e4]], np.float32), 'float16')
  with pytest.raises(errors.FormatError, match='int4: .* float32, float16, int8'):
    small.shrink('entity.v', np.zeros((1, 1), np.float32), 'int4')


def test_int8_without_its_scales_is_damage(tmp_path):
  tensors.write(tmp_path / artifact.WEIGHTS, {'entity.v': np.zeros((2, 2), np.int8)})
  with pytest.raises(errors.ArtifactError, match='entity.v@scale is missing'):
    artifact.read_params(tmp_path)
