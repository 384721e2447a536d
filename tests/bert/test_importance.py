"""Permutations change no value, and what matters most comes first."""

import functools

import hypothesis
from hypothesis import strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import bert
from medjax.bert import importance, leaves
from medjax.bert.tokens import Batch
from tests.bert import recorded

BATCHES = [Batch(*recorded.given()), Batch(*recorded.given('pairs'))]


@pytest.fixture(scope='module')
def tiny():
  return bert.load(recorded.TINY)


@pytest.fixture(scope='module')
def measured(tiny):
  return importance.measure(tiny.params, tiny.config, BATCHES)


def outputs(encoder, params):
  module = bert.Bert(encoder.config)
  return jax.jit(lambda params: module.apply({'params': params}, *BATCHES[0]))(params)


@hypothesis.given(st.randoms(use_true_random=False))
@hypothesis.settings(max_examples=5, deadline=None)
def test_a_permutation_permutes_what_the_encoder_gives(tiny, random):
  draw = lambda size: np.array(random.sample(range(size), size))
  order = importance.ByAxis(draw(32), np.stack([draw(4), draw(4)]), np.stack([draw(64), draw(64)]))
  plain, found = outputs(tiny, tiny.params), outputs(tiny, importance.permute(tiny.params, tiny.config, order))
  np.testing.assert_allclose(found.hidden, plain.hidden[..., order.hidden], **recorded.EXACT)
  np.testing.assert_allclose(found.pooled, plain.pooled[..., order.hidden], **recorded.EXACT)


def test_importance_is_the_slope_of_a_gate(tiny, measured):
  """Each leaf's entries are multiplied by gates, and the loss is differentiated by these."""
  config, loss = tiny.config, importance.size_of_vectors()
  expected = importance.ByAxis(np.zeros(32), np.zeros((2, 4)), np.zeros((2, 64)))
  for leaf in leaves.leaves(config):
    for place, axis in enumerate(leaf.axes):
      if axis not in expected._fields:
        continue

      def gated(gates, batch, leaf=leaf, place=place):
        shape = [-1 if each == place else 1 for each in range(len(leaf.axes))]
        params = jax.tree.map_with_path(
          lambda path, value: value * gates.reshape(shape) if tuple(key.key for key in path) == leaf.path else value,
          tiny.params,
        )
        return loss(bert.Bert(config).apply({'params': params}, *batch), batch)

      for batch in BATCHES:
        slopes = np.abs(jax.grad(gated)(jnp.ones(leaf.shape(config)[place]), batch))
        total = getattr(expected, axis)
        (total if axis == 'hidden' else total[leaf.layer])[...] += slopes
  close = functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-3)
  jax.tree.map(close, measured, expected)


def test_what_matters_most_comes_first(tiny, measured):
  params = importance.reorder(tiny.params, tiny.config, measured)
  again = importance.measure(params, tiny.config, BATCHES)
  close = functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-3)
  jax.tree.map(lambda found, before: close(found, -np.sort(-before, axis=-1)), again, measured)
  vectors = tiny.reorder(recorded.SENTENCES).encode(recorded.SENTENCES)
  plain = tiny.encode(recorded.SENTENCES)
  close(vectors @ vectors.T, plain @ plain.T)
  assert np.abs(vectors - plain).max() > 0.1


def test_a_loss_of_the_caller_is_heard(tiny):
  first = importance.measure(tiny.params, tiny.config, BATCHES, lambda output, _: output.pooled[:, 0].sum())
  assert first.hidden.shape == (32,) and first.heads.shape == (2, 4) and first.neurons.shape == (2, 64)
  assert np.isfinite(first.hidden).all() and first.hidden[0] > 0
  with pytest.raises(ValueError, match='at least one batch'):
    importance.measure(tiny.params, tiny.config, [])
