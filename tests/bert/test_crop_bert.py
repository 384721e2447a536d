"""Sub-models are what transformers computes of sliced arrays, alone as within the encoder."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import bert, errors
from medjax.bert import leaves
from medjax.core import axes as axes_lib
from medjax.core.widths import Widths
from medjax.training import optimizers
from tests.bert import recorded

IDS, MASK, TYPES = recorded.given()
WIDTHS = (8, 16, 24)


@pytest.fixture(scope='module')
def tiny():
  return bert.load(recorded.TINY)


@pytest.mark.parametrize('width, layers, name', [(8, None, '8'), (16, None, '16'), (24, 2, '24'), (16, 1, 'layer')])
def test_a_crop_is_that_of_transformers(tiny, width, layers, name):
  there = MASK.astype(bool)
  for crop in (tiny.crop(width, layers), bert.load(recorded.TINY, width, layers)):
    found = crop(IDS, MASK, TYPES)
    np.testing.assert_allclose(found.hidden[there], recorded.FOUND[f'hidden_{name}'][there], **recorded.EXACT)
    np.testing.assert_allclose(found.pooled, recorded.FOUND[f'pooled_{name}'], **recorded.EXACT)


def test_sub_models_within_are_those_outside(tiny):
  within = jax.jit(lambda params: bert.by_width(params, tiny.config, (*WIDTHS, 32), IDS, MASK, TYPES))(tiny.params)
  for width, found in within.items():
    alone = tiny.crop(width)(IDS, MASK, TYPES)
    assert found.hidden.shape[-1] == width
    np.testing.assert_allclose(found.hidden, alone.hidden, rtol=0, atol=2e-6)
    np.testing.assert_allclose(found.pooled, alone.pooled, rtol=0, atol=2e-6)


def test_a_crop_of_a_crop_is_the_crop(tiny):
  jax.tree.map(np.testing.assert_array_equal, tiny.crop(24).crop(8, 1).params, tiny.crop(8, 1).params)
  assert tiny.crop(24).crop(8, 1).config == tiny.crop(8, 1).config
  assert axes_lib.num_numbers(tiny.crop(8).params) < axes_lib.num_numbers(tiny.params) / 3


def test_the_gradient_of_all_widths_is_the_sum_of_each(tiny):
  tiny = tiny.crop(32, 1)
  size = lambda found: sum(jnp.sin(each.hidden).sum() + each.pooled.sum() for each in found.values())
  value = lambda params, widths: size(bert.by_width(params, tiny.config, widths, IDS, MASK))
  gradient = jax.jit(jax.grad(value), static_argnums=1)
  narrow, wide, both = (gradient(tiny.params, widths) for widths in ((8,), (32,), (8, 32)))
  close = functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-4)
  jax.tree.map(close, both, jax.tree.map(jnp.add, narrow, wide))
  kernel = narrow['layer_0']['up']['kernel']  # [hidden, neurons]
  assert kernel[:8, :16].all() and not kernel[8:].any() and not kernel[:, 16:].any()


def test_sub_models_drop_by_the_key(tiny):
  run = jax.jit(lambda key: bert.by_width(tiny.params, tiny.config, (8,), IDS, MASK, dropout=key)[8].hidden)
  one, other = (run(jax.random.key(seed)) for seed in (0, 1))
  np.testing.assert_array_equal(one, run(jax.random.key(0)))
  assert np.abs(one - other).max() > 0.1


def test_rates_by_width_read_the_same_axes(tiny):
  axes, ones = leaves.axes(tiny.config), jax.tree.map(jnp.ones_like, tiny.params)
  layer = optimizers.by_width(ones, axes, Widths((8, 16, 32)), 1.0)['layer_1']
  query, down = layer['attention']['query']['kernel'], layer['down']['kernel']
  assert [query[at].tolist() for at in ((0, 0, 7), (15, 1, 0), (0, 3, 0), (31, 0, 0))] == [4, 2, 1, 1]
  assert [down[at].tolist() for at in ((15, 7), (16, 7), (31, 15), (0, 31))] == [4, 2, 2, 1]


def test_widths_that_cut_a_head_are_refused(tiny):
  with pytest.raises(errors.WidthError, match='width 12 is impossible.*8, 16'):
    tiny.crop(12)
  with pytest.raises(errors.WidthError, match='width 40 is impossible'):
    bert.load(recorded.TINY, 40)
  with pytest.raises(errors.WidthError, match='width 0 is impossible'):
    bert.load(recorded.TINY, 0)
  with pytest.raises(errors.WidthError, match='3 layers are impossible: this BERT has 1 to 2'):
    tiny.crop(8, 3)


def test_an_encoder_without_a_pooler_is_cropped(tmp_path):
  arrays = {name: array for name, array in recorded.arrays().items() if 'pooler' not in name}
  encoder = bert.load(recorded.copy(tmp_path / 'copy', arrays))
  found = encoder.crop(16)(IDS, MASK, TYPES)
  assert found.pooled is None and 'without a pooler' in repr(encoder)
  np.testing.assert_allclose(found.hidden[0], recorded.FOUND['hidden_16'][0], **recorded.EXACT)
