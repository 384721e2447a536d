"""NumPy's scores are those that a model was trained with, for every score."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from medjax import scores
from medjax.core import score_names, sides
from medjax.core.widths import Widths
from medjax.serve import by_jax, search, spaces, vectors
from tests.serve.models import ENTITIES, make_model, RELATIONS, WIDTHS


def test_every_score_has_its_components():
  made = {name: scores.make(name, scores.default_constants(1.0, 4)).components for name in scores.REGISTRY}
  assert made == score_names.COMPONENTS


@pytest.mark.parametrize('name', scores.REGISTRY)
def test_a_score_is_made_of_the_constants_that_are_named_and_no_fewer(name):
  constants = dict.fromkeys(score_names.CONSTANTS[name], 1.0)
  scores.make(name, constants)
  for missing in constants:
    with pytest.raises(KeyError, match=missing):
      scores.make(name, {other: 1.0 for other in constants if other != missing})


@pytest.mark.parametrize('share', [search.SHARE, 10])
@pytest.mark.parametrize('side', sides.SIDES)
@pytest.mark.parametrize('name', scores.REGISTRY)
def test_scores_are_those_of_the_training(name, side, share, monkeypatch):
  monkeypatch.setattr(search, 'SHARE', share)
  monkeypatch.setattr(spaces, 'BLOCK', 32)
  anchors, relations = np.arange(ENTITIES).repeat(RELATIONS), np.tile(np.arange(RELATIONS), ENTITIES)
  known, asked = sides.columns(side)
  triples = np.zeros((len(anchors), ENTITIES, 3), np.int32)
  triples[..., known], triples[..., 1], triples[..., asked] = anchors[:, None], relations[:, None], np.arange(ENTITIES)
  for width in WIDTHS:
    model = make_model(name).crop(width)
    score = model.description.make_score()
    params = jax.tree.map(jnp.asarray, model.params)
    raw = scores.score_triples(score, params, jnp.asarray(triples), Widths((width,), score.components), side)[..., 0]
    found = spaces.raw_scores(model.space, vectors.query_rows(model, side, anchors, relations))
    np.testing.assert_allclose(found, raw, rtol=2e-5, atol=2e-5)
    one = spaces.raw_scores(model.space, vectors.query_rows(model, side, anchors[:1], relations[:1]))
    np.testing.assert_allclose(one, raw[:1], rtol=2e-5, atol=2e-5)
    flat = triples.reshape(-1, 3)
    pairs = spaces.pairs(model, side, flat[:, known], flat[:, 1], flat[:, asked])
    np.testing.assert_allclose(pairs.reshape(raw.shape), raw, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize('name', scores.REGISTRY)
def test_chosen_entities_score_as_all_do(name, monkeypatch):
  monkeypatch.setattr(spaces, 'BLOCK', 32)
  model = make_model(name)
  queries = vectors.query_rows(model, 'tail', np.arange(3), np.arange(3))
  table = vectors.rows_of(model, 'entity', slice(None))
  all_of = spaces.raw_scores(model.space, queries)
  for i in range(3):
    query = {leaf: rows[i : i + 1] for leaf, rows in queries.items()}
    for chosen in ([7], [2, 22], [0, 5, 6, 7, 21]):
      found = spaces.raw_chosen(name, query, {leaf: rows[chosen] for leaf, rows in table.items()})
      if model.metric == 'ip':
        np.testing.assert_allclose(found, all_of[i, chosen], rtol=1e-5, atol=1e-6)
        expected = spaces.pairs(model, 'tail', np.full(len(chosen), i), np.full(len(chosen), i), np.array(chosen))
        np.testing.assert_array_equal(found, expected)
      else:
        np.testing.assert_array_equal(found, all_of[i, chosen])


@pytest.mark.parametrize('name', ['rotate', 'pairre', 'complex_reciprocal'])
def test_a_score_without_a_numpy_form_is_asked_by_the_functions_it_is_trained_with(name, monkeypatch):
  model = make_model(name).crop(8)
  ask = lambda model: (
    model.predict_tails(['e03', 'e04'], 'r1', k=30),
    model.predict_heads('r2', 'e05', k=30),
    model.predict_relations('e01', 'e02'),
    model.score('e01', 'r1', ['e02', 'e03']),
  )
  expected = ask(model)
  monkeypatch.delitem(vectors.LEAVES, name)
  monkeypatch.delitem(vectors.METRICS, name)
  *frames, found = ask(make_model(name).crop(8))
  for frame, other in zip(frames, expected):
    pd.testing.assert_frame_equal(frame, other, rtol=1e-4, atol=1e-5)
  np.testing.assert_allclose(found, expected[-1], rtol=1e-4, atol=1e-5)
  assert model.entity_vectors().shape == (ENTITIES, 8) and model.metric is None
  shapes = by_jax.shapes(model.description, ENTITIES, RELATIONS)
  assert shapes == {f'{table}.{leaf}': x.shape for table, leaves in model.params.items() for leaf, x in leaves.items()}
