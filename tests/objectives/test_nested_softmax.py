"""The walk over blocks against the softmax objective of whole scores."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import objectives
from medjax.objectives import nested_softmax

COMPONENTS, CANDIDATES = 12, 7


def draw(sets, queries, ends):
  random = np.random.default_rng(0)
  rows = lambda *shape: {
    name: jnp.asarray(random.normal(size=(*shape, COMPONENTS)), jnp.float32) for name in ('re', 'im')
  }
  positive = jnp.asarray(random.normal(size=(sets, queries, len(ends))), jnp.float32)
  valid = random.random((sets, queries, CANDIDATES)) < 0.8
  valid[0, 1, :3] = False  # a query to which the first tile of candidates says nothing
  valid[0, 2] = False
  return rows(sets, queries), rows(sets, CANDIDATES), positive, jnp.asarray(valid)


def by_walk(given, ends, options, offset=None):
  scale, fractions = jnp.asarray([ends[-1] / end for end in ends]), jnp.asarray([end / ends[-1] for end in ends])
  how = nested_softmax.Walk(ends, options.mutual is not None, options.mutual.detach if options.mutual else 'none')

  def loss(queries, candidates, positive):
    found = nested_softmax.totals(queries, candidates, given[3], scale, how, offset)
    flat = lambda x: x.reshape(-1, len(ends))
    return nested_softmax.losses_of_totals(
      flat(positive),
      nested_softmax.Totals(*map(flat, found)),
      fractions,
      objectives.Strengths(0.7, 1.0, 1.5),
      options,
    )

  return jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True))(*given[:3])


def by_scores(given, ends, options, offset=None):
  scale, fractions = [ends[-1] / end for end in ends], jnp.asarray([end / ends[-1] for end in ends])

  def loss(queries, candidates, positive):
    scores = [
      c * sum(jnp.einsum('gsc,gkc->gsk', queries[name][..., :end], candidates[name][..., :end]) for name in queries)
      for c, end in zip(scale, ends)
    ]
    if offset is not None:
      scores = [each + offset[:, None] for each in scores]
    flat = lambda x: x.reshape(-1, x.shape[-1])
    return objectives.softmax_losses(
      flat(positive),
      jnp.stack([flat(each) for each in scores], -1),
      flat(given[3]),
      fractions,
      objectives.Strengths(0.7, 1.0, 1.5),
      options,
    )

  return jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True))(*given[:3])


@functools.cache  # which does not depend on how a walk goes
def drawn_by_scores(sets, queries, ends, options):
  given = draw(sets, queries, ends)
  return given, by_scores(given, ends, options)


MUTUAL = objectives.Mutual(weight=0.8, power=0.5)


@pytest.mark.parametrize('few, kept', [(0, 1000), (0, 0), (8, 1000), (8, 0)])
@pytest.mark.parametrize('ends', [(2, 4, 6, 8, 10, 12), (2, 4, 5, 12), (12,)])
@pytest.mark.parametrize('sets, queries, most', [(1, 6, 7), (3, 4, 7), (1, 8, 3)])
@pytest.mark.parametrize(
  'options',
  [
    objectives.Options(),
    objectives.Options(MUTUAL, 'sigmoid', dynamic=True, narrow_power=1.0),
    objectives.Options(MUTUAL._replace(detach='wide')),
    objectives.Options(MUTUAL._replace(detach='narrow')),
  ],
  ids=['plain', 'all', 'wide held', 'narrow held'],
)
def test_losses_and_gradients_are_those_of_whole_scores(ends, few, kept, sets, queries, most, options, monkeypatch):
  monkeypatch.setattr(nested_softmax, 'FEW', few)
  monkeypatch.setattr(nested_softmax, 'KEPT', kept)
  monkeypatch.setattr(nested_softmax, 'SCORES_OF_FEW', 4 * CANDIDATES)
  monkeypatch.setattr(nested_softmax, 'SCORES', 2 * CANDIDATES)  # 8 queries are walked in four tiles or more
  monkeypatch.setattr(nested_softmax, 'CANDIDATES', most)
  given, theirs = drawn_by_scores(sets, queries, ends, options)
  ours = by_walk(given, ends, options)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5), ours, theirs)


@pytest.mark.parametrize('most', [7, 3])
@pytest.mark.parametrize('ends', [(2, 4, 6, 8, 10, 12), (2, 4, 5, 12)])
def test_offsets_of_candidates_are_added_at_every_width(ends, most, monkeypatch):
  monkeypatch.setattr(nested_softmax, 'FEW', 5)
  monkeypatch.setattr(nested_softmax, 'CANDIDATES', most)
  given, options = draw(3, 4, ends), objectives.Options(MUTUAL, 'sigmoid')
  offset = jnp.asarray(np.random.default_rng(1).normal(size=(3, CANDIDATES)), jnp.float32)
  ours, theirs = (way(given, ends, options, offset) for way in (by_walk, by_scores))
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5), ours, theirs)
