"""The encoder gives what transformers gives, drops by a key, and computes in bfloat16."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import bert, errors
from medjax.bert import leaves
from tests.bert import recorded

IDS, MASK, TYPES = recorded.given()


@pytest.fixture(scope='module')
def tiny():
  return bert.load(recorded.TINY)


@pytest.mark.parametrize('activation', ['gelu', 'gelu_new', 'relu'])
def test_outputs_are_those_of_transformers(tiny, activation):
  other = dataclasses.replace(tiny, config=dataclasses.replace(tiny.config, hidden_act=activation))
  found = other(IDS, MASK, TYPES)
  there = MASK.astype(bool)
  expected = recorded.FOUND[f'hidden_{activation}']
  np.testing.assert_allclose(found.hidden[there], expected[there], **recorded.EXACT)
  np.testing.assert_allclose(found.pooled, recorded.FOUND[f'pooled_{activation}'], **recorded.EXACT)


def test_pairs_have_types(tiny):
  ids, mask, types = recorded.given('pairs')
  assert types.any()
  there = mask.astype(bool)
  found = tiny(ids, mask, types)
  np.testing.assert_allclose(found.hidden[there], recorded.FOUND['hidden_pairs'][there], **recorded.EXACT)
  assert np.abs(tiny(ids, mask).hidden - found.hidden)[there].max() > 0.1


def test_filling_changes_nothing(tiny):
  for row in (1, 2):
    length = MASK[row].sum()
    alone = tiny(IDS[row : row + 1, :length], MASK[row : row + 1, :length])
    np.testing.assert_allclose(tiny(IDS, MASK).hidden[row, :length], alone.hidden[0], **recorded.EXACT)


def test_what_is_dropped_is_a_function_of_the_key(tiny):
  apply = lambda key: tiny.module.apply({'params': tiny.params}, IDS, MASK, TYPES, False, rngs={'dropout': key}).hidden
  dropped = jax.jit(apply)
  drop = lambda seed: np.asarray(dropped(jax.random.key(seed)))
  np.testing.assert_array_equal(drop(0), drop(0))
  assert np.abs(drop(0) - drop(1)).max() > 0.1
  mean = np.mean([drop(seed) for seed in range(40)], 0)
  kept = tiny(IDS, MASK, TYPES).hidden
  assert np.abs(mean - kept).mean() < 0.5 * np.abs(drop(0) - kept).mean()


def test_without_dropout_nothing_is_dropped(tiny):
  config = dataclasses.replace(tiny.config, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
  found = jax.jit(lambda params: bert.Bert(config).apply({'params': params}, IDS, MASK, TYPES, False))(tiny.params)
  np.testing.assert_allclose(found.hidden, tiny(IDS, MASK, TYPES).hidden, rtol=0, atol=2e-6)


def test_bfloat16_computes_nearly_the_same(tiny):
  found = dataclasses.replace(tiny, dtype='bfloat16')(IDS, MASK, TYPES)
  exact = tiny(IDS, MASK, TYPES)
  assert found.hidden.dtype == found.pooled.dtype == jnp.bfloat16
  there = MASK.astype(bool)
  gap = np.abs(np.asarray(found.hidden, np.float32) - exact.hidden)[there]
  assert 0 < gap.max() < 0.2 and gap.mean() < 0.02
  with pytest.raises(errors.ConfigError, match="dtype is 'int8', but has to be one of float32, bfloat16"):
    bert.load(recorded.TINY, dtype='int8')


def test_drawn_parameters_are_those_of_the_list(tiny):
  for pooler in (True, False):
    drawn = jax.eval_shape(bert.Bert(tiny.config, pooler).init, jax.random.key(0), IDS, MASK)['params']
    listed = leaves.nested((leaf, leaf.shape(tiny.config)) for leaf in leaves.leaves(tiny.config, pooler))
    assert jax.tree.map(lambda leaf: leaf.shape, drawn) == listed
  draw = jax.jit(bert.Bert(tiny.config.cropped(32, 1), False).init)
  layer = draw(jax.random.key(0), IDS, MASK)['params']['layer_0']
  assert abs(layer['up']['kernel'].std() / tiny.config.initializer_range - 1) < 0.1 and not layer['up']['bias'].any()


def test_more_tokens_than_positions_are_refused(tiny):
  with pytest.raises(errors.DataError, match='41 tokens are more than the 40 positions'):
    tiny(np.zeros((1, 41), np.int32), np.ones((1, 41), np.int32))
