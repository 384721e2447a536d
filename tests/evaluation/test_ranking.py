"""Ranks against brute force, by hand, and their exactness."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import scores
from medjax.core import axes as axes_lib
from medjax.core import widths as widths_lib
from medjax.data import filters
from medjax.data.graph import Graph
from medjax.evaluation import evaluator, metrics, ranking

ENTITIES, RELATIONS = 37, 3
NAMES = sorted(scores.REGISTRY)


def build(name, widths, seed=0):
  score = scores.make(name, {'init_range': 0.3, 'init_scale': 0.3, 'phase_scale': 16.0})
  widths = widths_lib.Widths(widths, score.components)
  return score, widths, score.init(jax.random.key(seed), ENTITIES, RELATIONS, widths.full)


def triples(seed=0, size=60):
  random = np.random.default_rng(seed)
  return np.stack([random.integers(0, n, size) for n in (ENTITIES, RELATIONS, ENTITIES)], 1).astype(np.int32)


def brute_force(score, widths, model, asked, known, side):
  """Filtered mean rank of each asked triple under each width, from a full table of scores."""
  result = []
  # but for reciprocal relations, heads too are ranked by the score as it is written
  asked_for = side if score.name.endswith('_reciprocal') else 'tail'
  for h, r, t in asked.tolist():
    candidates = np.array([[h, r, e] if side == 'tail' else [e, r, t] for e in range(ENTITIES)], np.int32)
    table = np.asarray(scores.score_triples(score, model, jnp.asarray(candidates), widths, asked_for))
    answer = t if side == 'tail' else h
    true = {(a, b, c) for a, b, c in known.tolist()}
    rivals = [e for e in range(ENTITIES) if tuple(candidates[e].tolist()) not in true]
    greater = (table[rivals] > table[answer]).sum(0)
    equal = (table[rivals] == table[answer]).sum(0)
    result.append(1 + greater + equal / 2)
  return np.array(result)


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('side', ['tail', 'head'])
def test_ranks_equal_brute_force(name, side):
  score, widths, model = build(name, (4, 8, 16))
  asked = triples()
  known = filters.known_answers(asked, asked, side)
  ours = ranking.ranks(score, model, widths, asked, side, known, batch=16, chunk=10)
  np.testing.assert_array_equal(ours, brute_force(score, widths, model, asked, asked, side))


@pytest.mark.parametrize('side', ['tail', 'head'])
def test_queries_with_many_answers_rank_each_of_them(side):
  score, widths, model = build('rotate', (4, 8, 16))
  asked = triples(size=90)
  asked[:, [0, 2] if side == 'tail' else [2, 0]] = np.stack([np.arange(90) % 7 % 4, np.arange(90) % ENTITIES], 1)
  asked[:, 1] = 0
  asked = np.unique(asked, axis=0)
  known = filters.known_answers(asked, asked, side)
  for batch, chunk in ((16, 10), (3, 37)):
    ours = ranking.ranks(score, model, widths, asked, side, known, batch, chunk)
    np.testing.assert_array_equal(ours, brute_force(score, widths, model, asked, asked, side))


@pytest.mark.parametrize('name', NAMES)
def test_cropped_models_rank_exactly_as_inside_the_full_one(name):
  score, widths, model = build(name, (4, 8, 16, 24))
  asked = triples()
  known = filters.known_answers(asked, asked, 'tail')
  together = ranking.ranks(score, model, widths, asked, 'tail', known)
  for i, width in enumerate(widths.values):
    cropped, part = axes_lib.crop(model, score.axes, width), widths.up_to(width)
    np.testing.assert_array_equal(ranking.ranks(score, cropped, part, asked, 'tail', known), together[:, : i + 1])


@pytest.mark.parametrize('batch, chunk, workers', [(1, 37, 1), (7, 5, 1), (64, 36, 2), (256, 1, 2)])
def test_ranks_do_not_depend_on_how_the_work_is_cut(batch, chunk, workers):
  score, widths, model = build('rotate', (4, 8, 16))
  asked = triples()
  known = filters.known_answers(asked, asked, 'head')
  whole = ranking.ranks(score, model, widths, asked, 'head', known)
  np.testing.assert_array_equal(ranking.ranks(score, model, widths, asked, 'head', known, batch, chunk, workers), whole)


def test_ranks_by_hand():
  # DistMult with one number: the score of (0, 0, t) is the value of t
  score = scores.make('distmult', {'init_scale': 1.0})
  values = jnp.array([1.0, 5.0, 3.0, 3.0, 2.0, 4.0])[:, None]
  model = {'entity': {'vector': values}, 'relation': {'vector': jnp.ones((1, 1))}}
  asked = np.array([[0, 0, 2], [0, 0, 4], [0, 0, 1]], np.int32)
  known = filters.known_answers(asked, asked, 'tail')
  # 2 (3.0): above it 5 (4.0), tied with 3; 1 is known. 4 (2.0): above it 5 and 3; 1 and 2 are known. 1 (5.0): best
  np.testing.assert_array_equal(
    ranking.ranks(score, model, widths_lib.Widths((1,)), asked, 'tail', known)[:, 0], [2.5, 3, 1]
  )


@pytest.mark.parametrize('name', NAMES)
def test_model_that_scores_all_alike_ranks_in_the_middle(name):
  score, widths, model = build(name, (4, 8))
  model = jax.tree.map(lambda x: jnp.broadcast_to(x[:1], x.shape), model)
  asked = triples()
  known = filters.known_answers(asked, asked, 'tail')
  ours = ranking.ranks(score, model, widths, asked, 'tail', known, chunk=8)
  rivals = ENTITIES - np.diff(known[0])
  np.testing.assert_array_equal(ours, np.repeat(1 + rivals[:, None] / 2, 2, 1))


def test_scores_that_are_not_numbers_rank_last():
  score, widths, model = build('distmult', (4,))
  model = jax.tree.map(lambda x: x * jnp.nan, model)
  asked = triples(size=1)
  known = filters.known_answers(asked, asked, 'tail')
  assert ranking.ranks(score, model, widths, asked, 'tail', known)[0, 0] >= ENTITIES


def test_no_queries_give_no_ranks():
  score, widths, model = build('transe', (4, 8))
  none = np.zeros((0, 3), np.int32)
  nothing = (np.zeros(1, np.int64), np.zeros(0, np.int32))
  assert ranking.ranks(score, model, widths, none, 'tail', nothing).shape == (0, 2)


def test_metrics_by_hand():
  values = metrics.from_ranks(np.array([1, 2, 4, 11]), np.full(4, 21))
  assert values['mrr'] == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 11) / 4)
  assert (values['hits1'], values['hits3'], values['hits10'], values['mr']) == (0.25, 0.5, 0.75, 4.5)
  assert values['amri'] == pytest.approx(1 - 3.5 / 10)


def test_amri_is_zero_for_random_ranks_and_one_for_perfect_ones():
  assert metrics.from_ranks(np.full(5, 10.5), np.full(5, 20))['amri'] == pytest.approx(0)
  assert metrics.from_ranks(np.ones(5), np.full(5, 20))['amri'] == 1


def toy_graph():
  all_triples = triples(size=90)
  names = tuple(map(str, range(ENTITIES)))
  train = all_triples[all_triples[:, [0, 2]].max(1) < ENTITIES - 2]
  test = np.array([[0, 0, 1], [2, 1, 3], [0, 2, ENTITIES - 1], [ENTITIES - 2, 0, 4]], np.int32)
  return Graph('toy', names, names[:RELATIONS], train, test[:1], test, names, names[:RELATIONS])


@pytest.mark.parametrize('unseen, ranked', [('rank', 4), ('skip', 2)])
def test_entities_unseen_in_training_are_counted_and_ranked_or_skipped(unseen, ranked):
  score, widths, model = build('rotate', (4, 8))
  rows, counts = evaluator.evaluate(score, model, widths, toy_graph(), unseen=unseen)
  assert counts == {'triples': 4, 'naming an entity unseen in training': 2, 'skipped': 4 - ranked}
  whole = rows[(rows['category'] == 'all') & (rows['width'] == 8)].set_index('side')
  assert whole['queries'].to_dict() == {'both': 2 * ranked, 'tail': ranked, 'head': ranked}
  assert whole.loc['both', 'mrr'] == pytest.approx((whole.loc['tail', 'mrr'] + whole.loc['head', 'mrr']) / 2)


def test_categories_add_up_to_all_queries():
  score, widths, model = build('rotate', (4, 8))
  rows, _ = evaluator.evaluate(score, model, widths, toy_graph())
  picked = rows[(rows['side'] == 'both') & (rows['width'] == 8)].set_index('category')['queries']
  assert picked.drop('all').sum() == picked['all'] == 8


def test_row_counts_the_numbers_of_the_crop():
  score, widths, model = build('rotate', (4, 8))
  rows, _ = evaluator.evaluate(score, model, widths, toy_graph())
  numbers = rows.drop_duplicates('width')['params'].tolist()
  assert numbers == [ENTITIES * 4 + RELATIONS * 2, ENTITIES * 8 + RELATIONS * 4]


def test_memory_does_not_grow_with_the_number_of_entities():
  score, widths, _ = build('rotate', (4, 8, 16))
  shapes = lambda entities: jax.eval_shape(lambda: score.init(jax.random.key(0), entities, RELATIONS, 16))
  ids, answers, pairs = (jax.ShapeDtypeStruct(shape, jnp.int32) for shape in ((64,), (8, 64), (1024, 2)))

  def scratch(entities):
    lowered = ranking.count_rivals.lower(
      shapes(entities), ids, ids, answers, pairs, score=score, widths=widths, side='tail', chunk=512
    )
    return lowered.compile().memory_analysis().temp_size_in_bytes

  assert scratch(1_000_000) <= scratch(10_000) + 16 * 1024  # the numbers of the chunks
  tile, truth = 512 * 64, 8 * 512 * 16
  assert scratch(1_000_000) < 4 * (12 * tile + truth)
