"""Permutations change no value, and what matters most comes first."""

import dataclasses
import functools

from flax import traverse_util
import hypothesis
from hypothesis import strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import bert, errors
from medjax.bert import importance, leaves
from medjax.bert.tokens import Batch
from tests.bert import recorded

BATCHES = [Batch(*(part[rows] for part in recorded.given())) for rows in (slice(2), slice(2, 4))]


@pytest.fixture(scope='module')
def tiny():
  return bert.load(recorded.TINY)


@pytest.fixture(scope='module')
def measured(tiny):
  return importance.measure(tiny.params, tiny.config, BATCHES)


def outputs(encoder, params):
  return dataclasses.replace(encoder, params=params)(*BATCHES[0])


@hypothesis.given(st.randoms(use_true_random=False))
@hypothesis.settings(max_examples=5, deadline=None)
def test_a_permutation_permutes_what_the_encoder_gives(tiny, random):
  draw = lambda size: np.array(random.sample(range(size), size))
  order = importance.ByAxis(draw(32), np.stack([draw(4), draw(4)]), np.stack([draw(64), draw(64)]))
  plain, found = outputs(tiny, tiny.params), outputs(tiny, importance.permute(tiny.params, tiny.config, order))
  np.testing.assert_allclose(found.hidden, plain.hidden[..., order.hidden], **recorded.EXACT)
  np.testing.assert_allclose(found.pooled, plain.pooled[..., order.hidden], **recorded.EXACT)


def test_importance_is_the_slope_of_a_gate(tiny, measured):
  """Every axis of every leaf is multiplied by gates, one an entry, and the loss is differentiated by these."""
  config, loss, croppable = tiny.config, importance.size_of_vectors(), importance.ByAxis._fields
  listed = {leaf.path: leaf for leaf in leaves.leaves(config)}
  gates = {
    (path, place): jnp.ones([size if each == place else 1 for each in range(len(leaf.axes))])
    for path, leaf in listed.items()
    for place, size in enumerate(leaf.shape(config))
    if leaf.axes[place] in croppable
  }

  @jax.jit
  @jax.grad
  def slopes(gates, batch):
    flat = traverse_util.flatten_dict(tiny.params)
    for (path, _), gate in gates.items():
      flat[path] = flat[path] * gate
    params = traverse_util.unflatten_dict(flat)
    return loss(bert.Bert(config).apply({'params': params}, *batch), batch)

  expected = importance.ByAxis(np.zeros(32), np.zeros((2, 4)), np.zeros((2, 64)))
  for batch in BATCHES:
    for (path, place), slope in slopes(gates, batch).items():
      leaf = listed[path]
      total = getattr(expected, leaf.axes[place])
      (total if leaf.layer is None or leaf.axes[place] == 'hidden' else total[leaf.layer])[...] += np.abs(slope).ravel()
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
  tiny = tiny.crop(32, 1)
  first = importance.measure(tiny.params, tiny.config, BATCHES[:1], lambda output, _: output.pooled[:, 0].sum())
  assert first.hidden.shape == (32,) and first.heads.shape == (1, 4) and first.neurons.shape == (1, 64)
  assert np.isfinite(first.hidden).all() and first.hidden[0] > 0
  with pytest.raises(errors.DataError, match='at least one batch'):
    importance.measure(tiny.params, tiny.config, [])
