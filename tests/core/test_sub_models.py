"""Drawn sub-models, and inner products up to their ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax.core import sub_models

RULES = ('sandwich', 'ladder')
SIZES = [(2, 2), (2, 7), (3, 5), (8, 64), (6, 9), (63, 64), (8, 7)]


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize('count, size', SIZES)
def test_drawings_have_the_ends_and_all_between(rule, count, size):
  widths = range(10, 10 * size + 1, 10)
  if count >= size:
    assert sub_models.drawings(f'{rule}:{count}', widths) is None
    return
  among = sub_models.drawings(f'{rule}:{count}', widths)
  assert among.shape[1] == count and (among[:, 0] == 0).all() and (among[:, -1] == size - 1).all()
  assert np.diff(among, axis=1).min() >= 1
  assert set(among.ravel()) == (set(range(size)) if count > 2 else {0, size - 1})
  assert sub_models.drawings('all', range(size)) is None


@pytest.mark.parametrize('count, size', SIZES[1:-1])
def test_of_a_sandwich_all_come_alike_often_and_in_even_steps(count, size):
  among = sub_models.sandwich(count, range(size))
  often = np.bincount(among[:, 1:-1].ravel(), minlength=size)[1:-1]
  assert count == 2 or len(set(often)) == 1
  gaps = np.diff(among[:, 1:-1], axis=1)
  assert not gaps.size or gaps.max() - gaps.min() <= 1


def test_rungs_of_a_ladder_are_as_far_apart_as_their_widths_are_large():
  widths = np.arange(10, 650, 10)
  among = sub_models.ladder(8, widths)
  factors = np.diff(np.log(widths[among]), axis=1)
  wide = (widths[among[:, :-1]] >= 40) & (np.arange(7) < 6)  # narrower ones are no finer than tens; the last is cut
  assert np.abs(factors[wide] - np.log(2)).max() < np.log(1.2)
  assert factors[:, -1].max() <= np.log(2) + 1e-9
  often = np.bincount(among.ravel(), minlength=64) / len(among)
  octaves = [often[(widths > 640 / 2**i) & (widths <= 640 / 2 ** (i - 1)) & (widths < 640)].sum() for i in (1, 2, 3)]
  np.testing.assert_allclose(octaves, 1, atol=0.06)


def test_a_draw_is_each_of_its_drawings():
  among = sub_models.sandwich(3, range(6))
  drawn = {tuple(np.asarray(sub_models.draw(jax.random.key(seed), among)).tolist()) for seed in range(60)}
  assert drawn == {tuple(row) for row in among.tolist()}


@pytest.mark.parametrize('ends', [tuple(range(2, 25, 2)), (1, 2, 5, 6, 11, 20, 24)])
@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize('count', [2, 3, 5])
def test_products_up_to_the_end_of_a_segment_are_those_of_its_sub_model(ends, rule, count):
  random = np.random.default_rng(0)
  query, candidate = ({'x': random.normal(size=(3, ends[-1]))} for _ in range(2))
  among = sub_models.drawings(f'{rule}:{count}', ends)
  cut = sub_models.segment_ends(ends, among)
  for drawn in among[:: max(len(among) // 6, 1)]:
    left, right = (np.asarray(sub_models.segments(x, ends, among, jnp.asarray(drawn))['x']) for x in (query, candidate))
    assert left.shape == (3, cut[-1])
    for place, end in zip(drawn, cut):
      whole = (query['x'] * candidate['x'])[:, : ends[place]].sum(1)
      np.testing.assert_allclose((left * right)[:, :end].sum(1), whole, rtol=1e-5)


@pytest.mark.parametrize('rule', RULES)
@pytest.mark.parametrize('count', [2, 3, 5])
def test_the_gradient_of_segments_is_put_back_where_they_were_cut(rule, count):
  ends, random = (1, 2, 5, 6, 11, 20, 24), np.random.default_rng(0)
  among = sub_models.drawings(f'{rule}:{count}', ends)
  cut = (0, *sub_models.segment_ends(ends, among))
  strength, x = random.normal(size=(3, cut[-1])).astype(np.float32), random.normal(size=(3, ends[-1]))
  for drawn in among:
    weighed = lambda x, drawn=drawn: jnp.sum(strength * sub_models.segments(x, ends, among, jnp.asarray(drawn)))
    starts = (0, *(ends[place] for place in drawn))
    expected = np.concatenate([strength[:, at : at + b - a] for at, a, b in zip(cut, starts, starts[1:])], 1)
    np.testing.assert_array_equal(jax.grad(weighed)(jnp.asarray(x, jnp.float32)), expected)


def test_values_of_drawn_sub_models_are_spread():
  spread = sub_models.spread(jnp.array([1.0, 2.0]), jnp.array([0, 2]), 3)
  np.testing.assert_array_equal(spread, [1, np.nan, 2])
