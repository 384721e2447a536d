"""Ranks among candidates: against numpy by hand, and equal to the full ranking where all entities are candidates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import errors, scores
from medjax.core import widths as widths_lib
from medjax.data import filters
from medjax.data.graph import Graph
from medjax.evaluation import candidates, evaluator, ranking

ENTITIES, RELATIONS = 37, 3
NAMES = sorted(scores.REGISTRY)


def build(name, values=(4, 8, 16)):
  score = scores.make(name, {'init_range': 0.3, 'init_scale': 0.3, 'phase_scale': 16.0})
  widths = widths_lib.Widths(values, score.components)
  return score, widths, score.init(jax.random.key(1), ENTITIES, RELATIONS, widths.full)


def random_triples(seed=0, size=60):
  random = np.random.default_rng(seed)
  return np.stack([random.integers(0, n, size) for n in (ENTITIES, RELATIONS, ENTITIES)], 1).astype(np.int32)


def every(triples, places, side):
  del places, side
  return np.tile(np.arange(ENTITIES, dtype=np.int32), (len(triples), 1))


@pytest.mark.parametrize('name, side', [*zip(NAMES, ['tail', 'head'] * len(NAMES)), ('rotate', 'head')])
def test_all_entities_for_candidates_give_the_full_ranking(name, side):
  score, widths, model = build(name)
  asked = random_triples()
  asked = asked[np.unique(asked[:, [0, 1] if side == 'tail' else [1, 2]], axis=0, return_index=True)[1]]
  known = filters.known_answers(asked, asked, side)
  whole = ranking.ranks(score, model, widths, asked, side, known)
  ours, number = candidates.ranks(score, model, widths, asked, side, every, asked, batch=16)
  np.testing.assert_array_equal(ours, whole)
  np.testing.assert_array_equal(number, ENTITIES - np.diff(known[0]) + 1)


@pytest.mark.parametrize('name, side', [('transe', 'tail'), ('complex', 'head'), ('complex_reciprocal', 'head')])
def test_ranks_among_candidates_equal_brute_force(name, side, monkeypatch):
  monkeypatch.setattr(candidates, 'CHUNK', 4)  # 11 candidates are compared in three chunks
  score, widths, model = build(name)
  asked, facts = random_triples(), random_triples(seed=1, size=400)
  listed = np.random.default_rng(2).integers(0, ENTITIES, (len(asked), 11)).astype(np.int32)
  ours, number = candidates.ranks(
    score, model, widths, asked, side, lambda t, places, side: listed[places], (facts, asked), batch=7
  )
  known = {tuple(row) for row in np.concatenate([facts, asked]).tolist()}
  answer = 2 if side == 'tail' else 0
  for i, triple in enumerate(asked.tolist()):
    rows = np.array([[*triple[:answer], e, *triple[answer + 1 :]] for e in listed[i]], np.int32)
    rivals = [row for row in rows if tuple(row.tolist()) not in known]
    table = np.asarray(scores.score_triples(score, model, jnp.asarray(np.stack([triple, *rivals])), widths, side))
    greater, equal = (table[1:] > table[:1]).sum(0), (table[1:] == table[:1]).sum(0)
    np.testing.assert_array_equal(ours[i], 1 + greater + equal / 2)
    assert number[i] == len(rivals) + 1


def test_ranks_by_hand():
  # DistMult with one number: the score of (0, 0, t) is the value of t
  score = scores.make('distmult', {'init_scale': 1.0})
  values = jnp.array([1.0, 5.0, 3.0, 3.0, 2.0, 4.0])[:, None]
  model = {'entity': {'vector': values}, 'relation': {'vector': jnp.ones((1, 1))}}
  asked = np.array([[0, 0, 2], [0, 0, 4]], np.int32)
  listed = np.array([[1, 3, 4, 0], [2, 5, 0, 4]], np.int32)
  ours, number = candidates.ranks(
    score, model, widths_lib.Widths((1,)), asked, 'tail', lambda t, places, side: listed[places], asked
  )
  # 2 (3.0): above it 1, tied with 3, 4 is known. 4 (2.0): above it 5; 2 is known, and 4 is the answer itself
  np.testing.assert_array_equal(ours[:, 0], [2.5, 2])
  np.testing.assert_array_equal(number, [4, 3])


def test_model_that_scores_all_alike_ranks_in_the_middle():
  score, widths, model = build('distmult')
  model = jax.tree.map(lambda x: jnp.broadcast_to(x[:1], x.shape), model)
  asked = random_triples()
  choose = candidates.chooser(9, toy_graph(), 'test')
  ours, number = candidates.ranks(score, model, widths, asked, 'tail', choose, asked)
  np.testing.assert_array_equal(ours, np.repeat((number[:, None] + 1) / 2, 3, 1))


def test_drawn_candidates_are_distinct_and_depend_on_the_query_alone():
  asked = random_triples()
  drawn = candidates.draw(asked, None, 'tail', 1000, 50)
  assert drawn.shape == (60, 50) and drawn.min() >= 0 and drawn.max() < 1000
  assert all(len(set(row)) == 50 for row in drawn.tolist())
  np.testing.assert_array_equal(candidates.draw(asked[7:9], None, 'tail', 1000, 50), drawn[7:9])
  assert (candidates.draw(asked, None, 'head', 1000, 50) != drawn).any(1).all()
  np.testing.assert_array_equal(np.sort(candidates.draw(asked[:2], None, 'tail', 37, 37)), every(asked[:2], None, ''))


def test_drawn_candidates_are_uniform():
  asked = np.stack([np.arange(2000), np.zeros(2000), np.ones(2000)], 1).astype(np.int32)
  counts = np.bincount(candidates.draw(asked, None, 'head', 20, 5).ravel(), minlength=20)
  expected = 2000 * 5 / 20
  assert (np.square(counts - expected) / expected).sum() < 43.8  # chi-squared of 19 degrees: one in a thousand


def toy_graph():
  names = tuple(map(str, range(ENTITIES)))
  return Graph(
    'toy',
    names,
    names[:RELATIONS],
    random_triples(size=90),
    random_triples(3, 5),
    random_triples(4, 20),
    names,
    names[:RELATIONS],
  )


def test_an_evaluation_says_what_it_ranked_among():
  score, widths, model = build('transe')
  graph = toy_graph()
  whole, _ = evaluator.evaluate(score, model, widths, graph)
  every_one, _ = evaluator.evaluate(score, model, widths, graph, candidates=ENTITIES + 5)
  few, _ = evaluator.evaluate(score, model, widths, graph, candidates=5)
  assert set(whole['candidates']) == {'all'} and set(few['candidates']) == {'5 drawn'}
  np.testing.assert_array_equal(whole['mrr'], every_one['mrr'])
  assert (few['mr'] < whole['mr'])[whole['category'] == 'all'].all()


def test_validation_ranks_among_the_same_candidates():
  score, widths, model = build('transe')
  graph = toy_graph()
  mean, _ = evaluator.validator(score, widths, graph, 0, (0, 1, 2), candidates=5)(model)
  rows, _ = evaluator.evaluate(score, model, widths, graph, 'valid', candidates=5)
  assert mean == pytest.approx(rows[(rows['side'] == 'both') & (rows['category'] == 'all')]['mrr'].mean())


def test_a_graph_without_published_candidates_says_so():
  with pytest.raises(errors.DataError, match='toy brings no candidates for test'):
    candidates.chooser(candidates.GIVEN, toy_graph(), 'test')
