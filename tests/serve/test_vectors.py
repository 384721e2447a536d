"""Vectors rank as the scores do, whatever the score, and need no JAX."""

import subprocess
import sys

import numpy as np
import pytest

from medjax import errors, scores
from medjax.serve import vectors
from tests.serve.models import ENTITIES, make_model, RELATIONS, WIDTHS

SEARCHABLE = sorted(name for name in scores.REGISTRY if vectors.metric(name))


def test_every_score_has_its_leaves_and_a_metric_or_none():
  assert set(vectors.METRICS) == set(vectors.LEAVES) == set(scores.REGISTRY)
  for name in scores.REGISTRY:
    params = make_model(name).params
    assert tuple(map(set, vectors.LEAVES[name])) == (set(params['entity']), set(params['relation'])), name
  assert {name for name in scores.REGISTRY if vectors.metric(name) == 'ip'} == {
    name for name in scores.REGISTRY if scores.make(name, scores.default_constants(1.0, 2)).inner_product
  }


@pytest.mark.parametrize('name', scores.REGISTRY)
def test_the_first_numbers_are_the_narrower_vectors(name):
  model = make_model(name)
  whole, relations = vectors.entity_vectors(model), vectors.relation_vectors(model)
  assert whole.dtype == relations.dtype == np.float32 and whole.shape == (ENTITIES, 12)
  for width in WIDTHS:
    crop = model.crop(width)
    np.testing.assert_array_equal(vectors.entity_vectors(crop), whole[:, :width])
    np.testing.assert_array_equal(vectors.relation_vectors(crop), relations[:, : relations.shape[1] * width // 12])
  apart = vectors.apart(whole, vectors.LEAVES[name][0])
  assert all(np.array_equal(apart[leaf], model.params['entity'][leaf]) for leaf in apart)


@pytest.mark.parametrize('side', ['tail', 'head'])
@pytest.mark.parametrize('name', SEARCHABLE)
def test_closeness_is_the_score(name, side):
  anchors, relations = np.arange(ENTITIES).repeat(RELATIONS), np.tile(np.arange(RELATIONS), ENTITIES)
  for width in WIDTHS:
    model = make_model(name).crop(width)
    queries = vectors.query_vectors(model, side, anchors, relations)
    assert queries.dtype == np.float32 and queries.shape == (len(anchors), width)
    entities = vectors.entity_vectors(model)
    gaps = queries[:, None] - entities
    raw = {
      'ip': lambda: queries @ entities.T,
      'l1': lambda: -np.abs(gaps).sum(-1),
      'l2': lambda: -np.sqrt(np.square(gaps).sum(-1)),
    }[vectors.metric(name)]()
    found = model.description.offset[-1] + model.description.scale[-1] * raw
    expected = np.stack([model.score_all(side, a, r) for a, r in zip(anchors.tolist(), relations.tolist())])
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)
    ranks = lambda values: np.argsort(np.argsort(-values, -1, kind='stable'), -1)
    assert (ranks(found) == ranks(expected)).mean() > 0.999  # equal but for ties of rounding


@pytest.mark.parametrize('name', ['rotate', 'pairre'])
def test_a_score_without_a_metric_says_so(name):
  with pytest.raises(errors.FormatError, match=f'{name} scores have no metric .* complex'):
    vectors.query_vectors(make_model(name), 'tail', np.array([0]), np.array([0]))


def test_angles_are_in_radians():
  model = make_model('rotate')
  angles = vectors.relation_vectors(model)
  assert angles.shape == (RELATIONS, 6) and np.abs(angles).max() <= np.pi
  head, tail = (vectors.entity_vectors(model)[i].view(np.complex64) for i in (2, 5))
  raw = -np.abs(head * np.exp(1j * angles[1]) - tail).sum()
  expected = model.score_all('tail', 2, 1)[5] - 4.0
  assert raw == pytest.approx(float(expected), rel=1e-5)


def test_no_jax_is_loaded():
  loaded = 'import sys, medjax.serve.vectors; sys.exit("jax" in sys.modules)'
  assert subprocess.run([sys.executable, '-c', loaded], check=False).returncode == 0
