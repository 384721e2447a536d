"""The funnel's answers, against the scores of all entities sorted: to the bit, ties to the smaller id."""

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from medjax import errors
from medjax.core import sides
from medjax.serve import funnel, spaces, vectors
from tests.serve.models import make_graph, make_model, RELATIONS

SCORES = [name for name in vectors.METRICS if name != 'pairre']
SEEDS = st.integers(0, 2**32 - 1)


def draw_model(name, seed, entities=60, values='normal', decay=0.5):
  """A model of drawn tables: of few whole numbers, with many equal rows, or of numbers that get smaller."""
  draw, model = np.random.default_rng(seed), make_model(name, make_graph(entities))

  def table(leaf):
    if values == 'whole':
      return draw.integers(-1, 2, (5, leaf.shape[1]))[draw.integers(0, 5, len(leaf))].astype(np.float32)
    return (draw.normal(size=leaf.shape) * decay ** np.arange(leaf.shape[1])).astype(np.float32)

  params = {kind: {name: table(leaf) for name, leaf in leaves.items()} for kind, leaves in model.params.items()}
  return dataclasses.replace(model, params=params)


def all_queries(model, side, count=8):
  draw = np.random.default_rng(5)
  size = len(model.entities.labels)
  return vectors.query_rows(model, side, draw.integers(0, size, count), draw.integers(0, RELATIONS, count))


def brute_force(model, queries, k):
  """The best by every entity's own score, as pairs; of distances, whose scores have one order of adding, by all."""
  size, raw = len(model.entities.labels), None
  if model.metric == 'ip':
    leaves = vectors.rows_of(model, 'entity', slice(None))
    repeat = lambda i: {name: leaf[i].repeat(size, 0) for name, leaf in queries.items()}
    count = len(next(iter(queries.values())))
    raw = np.stack([spaces.raw_pairs(model.description.score, repeat([i]), leaves) for i in range(count)])
  else:
    raw = spaces.raw_scores(model.space, queries)
  ids = np.argsort(-raw, 1, kind='stable')[:, :k]
  return ids, np.take_along_axis(raw, ids, 1)


def check(model, found, queries, k):
  for got, expected in zip(found, brute_force(model, queries, k)):
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize('values', ['whole', 'normal'])
@pytest.mark.parametrize('name', SCORES)
def test_answers_are_those_of_all_scores(name, values):
  @settings(deadline=None, max_examples=25)
  @given(SEEDS, st.sampled_from(sides.SIDES), st.sampled_from([(), (4,), (8,), (4, 8)]), st.integers(1, 60))
  def law(seed, side, stages, k):
    model = draw_model(name, seed, values=values)
    queries = all_queries(model, side)
    check(model, funnel.top_k(funnel.make(model, stages), queries, k), queries, k)

  law()


@pytest.mark.parametrize('dense', [0.0, 1.0])
@pytest.mark.parametrize('name', SCORES)
def test_what_is_read_in_pieces_is_the_same(name, dense, monkeypatch):
  monkeypatch.setattr(funnel, 'CHUNK', 40)
  monkeypatch.setattr(funnel, 'DENSE', dense)
  monkeypatch.setattr(spaces, 'BLOCK', 44)
  model = draw_model(name, 0, entities=61, decay=0.9)
  queries = all_queries(model, 'tail')
  check(model, funnel.top_k(funnel.make(model, (4, 8)), queries, 7), queries, 7)


@pytest.mark.parametrize('name', [name for name in SCORES if name not in ('rotate', 'transe_l2')])  # no roots
def test_whole_numbers_give_the_order_of_exact_arithmetic(name):
  model = draw_model(name, 3, values='whole')
  queries = all_queries(model, 'head')
  exact = lambda rows: vectors.side_by_side(rows, vectors.LEAVES[name][0]).astype(np.float64)
  query, table = exact(queries)[:, None], vectors.entity_vectors(model).astype(np.float64)
  raw = (query * table).sum(-1) if model.metric == 'ip' else -np.abs(query - table).sum(-1)
  ids, best = funnel.top_k(funnel.make(model), queries, 20)
  np.testing.assert_array_equal(ids, np.argsort(-raw, 1, kind='stable')[:, :20])
  np.testing.assert_array_equal(best, np.take_along_axis(raw, ids, 1))


@pytest.mark.parametrize('scale', [1e-30, 1e-18, 1e-3, 1e12])
@pytest.mark.parametrize('name', SCORES)
def test_near_ties_of_any_size_are_not_lost(name, scale):
  """Entities that differ in the last bit only: no bound may round one away."""
  model = draw_model(name, 1, decay=0.8)
  draw = np.random.default_rng(2)

  def near(leaf):
    rows = np.float32(scale) * leaf[draw.integers(0, 3, len(leaf))]
    return np.where(draw.random(rows.shape) < 0.2, np.nextafter(rows, np.float32(np.inf)), rows)

  entity = {leaf_name: near(leaf) for leaf_name, leaf in model.params['entity'].items()}
  relation = {
    leaf_name: leaf * np.float32(scale if model.metric != 'ip' and leaf_name != 'phase' else 1)
    for leaf_name, leaf in model.params['relation'].items()
  }
  model = dataclasses.replace(model, params={'entity': entity, 'relation': relation})
  queries = all_queries(model, 'tail')
  check(model, funnel.top_k(funnel.make(model, (4, 8)), queries, 5), queries, 5)


@pytest.mark.parametrize('name', SCORES)
def test_most_entities_are_ruled_out_where_the_first_numbers_tell_the_most(name):
  model = draw_model(name, 0, entities=3000, decay=0.2)
  queries = all_queries(model, 'tail')
  built = funnel.make(model, (4, 8))
  check(model, funnel.top_k(built, queries, 5), queries, 5)
  counts = funnel.left(built, queries, 5)
  assert (counts[:, 0] == 3000).all() and (counts[:, 2] >= 5).all() and (np.diff(counts) <= 0).all()
  assert counts[:, 2].mean() < 300


def test_what_is_not_a_number_is_worse_than_everything():
  model = draw_model('transe', 0)
  model.params['entity']['vector'][::2, 9] = np.nan
  queries = all_queries(model, 'tail')
  ids, best = funnel.top_k(funnel.make(model, (4,)), queries, 20)
  kept = np.isfinite(queries['vector']).all(1)
  assert kept.any() and (ids[kept] % 2 == 1).all() and np.isfinite(best[kept]).all()


def test_no_queries_have_no_answers():
  model = draw_model('complex', 0)
  built, none = funnel.make(model), all_queries(model, 'tail', 0)
  assert funnel.top_k(built, none, 3)[0].shape == (0, 3) and funnel.left(built, none, 3).shape == (0, 3)


@pytest.mark.parametrize('name', SCORES)
def test_the_same_entity_scores_the_same_wherever_it_stands(name, monkeypatch):
  monkeypatch.setattr(spaces, 'BLOCK', 36)  # 3 entities of distances, so that the last of 61 is alone
  model = draw_model(name, 4, entities=61)
  for leaf in model.params['entity'].values():
    leaf[:] = leaf[0]
  queries = all_queries(model, 'tail')
  ids, best = funnel.top_k(funnel.make(model), queries, 61)
  np.testing.assert_array_equal(ids, np.broadcast_to(np.arange(61), ids.shape))
  assert (best == best[:, :1]).all()
  if model.metric != 'ip':
    np.testing.assert_array_equal(spaces.raw_scores(model.space, queries), best)


@pytest.mark.parametrize('asking', [{}, {'filter_known': True}, {'filter_known': ['valid'], 'itself': True}])
@pytest.mark.parametrize('name', ['transe', 'complex_reciprocal'])
def test_a_model_with_a_funnel_predicts_the_same(name, asking):
  model = draw_model(name, 0, entities=23, values='whole')
  through = model.with_funnel(stages=(4, 8))
  names, relations = [f'e{i:02}' for i in range(23)] * RELATIONS, np.repeat(np.arange(RELATIONS), 23).tolist()
  relations = [f'r{i}' for i in relations]
  for k in (1, 4, 23):
    expected = model.predict_tails(names, relations, k=k, **asking)
    assert through.predict_tails(names, relations, k=k, **asking).equals(expected)
    expected = model.predict_heads(relations, names, k=k, **asking)
    assert through.predict_heads(relations, names, k=k, **asking).equals(expected)


def test_scores_of_answers_are_those_of_their_triples():
  model = draw_model('complex', 0).with_funnel()
  found = model.predict_tails('e07', 'r1', k=5)
  scores = [model.score('e07', 'r1', label) for label in found['label']]
  np.testing.assert_array_equal(found['score'], scores)


def test_a_shortlist_of_all_is_exact_and_a_short_one_keeps_the_narrow_best():
  model = draw_model('distmult', 0, decay=1.0)
  queries = all_queries(model, 'tail')
  exact = funnel.top_k(funnel.make(model, (4,)), queries, 5)
  for got, expected in zip(funnel.top_k(funnel.make(model, (4,), keep=60), queries, 5), exact):
    np.testing.assert_array_equal(got, expected)
  ids, _ = funnel.top_k(funnel.make(model, (4,), keep=5), queries, 5)
  narrow = spaces.raw_scores(model.crop(4).space, {'vector': queries['vector'][:, :4]})
  np.testing.assert_array_equal(np.sort(ids), np.sort(np.argsort(-narrow, 1, kind='stable')[:, :5]))
  assert (ids != exact[0]).any()
  assert funnel.left(funnel.make(model, (4, 8), keep=9), queries, 5).tolist() == [[60, 0, 9]] * 8


def test_what_has_no_funnel_is_refused_by_name():
  with pytest.raises(errors.FormatError, match='pairre compares entities at length 1'):
    make_model('pairre').with_funnel()
  for stages in [(8, 4), (4, 4), (12,), (0,), (3,), (-4,)]:
    with pytest.raises(errors.WidthError, match=r'stages \(.*between 0 and 12.* multiple of 2'):
      make_model('complex').with_funnel(stages)
  with pytest.raises(ValueError, match='keep=0'):
    make_model('complex').with_funnel(keep=0)


def test_a_crop_has_no_funnel_and_one_of_its_own_if_asked():
  model = make_model('transe').with_funnel()
  assert model.funnel.stages == (4, 8, 12) and model.crop(8).funnel is None
  assert model.crop(8).with_funnel().funnel.stages == (4, 8)
