"""Recommendations, rankers and baselines, on shops whose answers are known."""

import dataclasses
import sys

import jax
import numpy as np
import pytest
from scipy import sparse

import medjax
from medjax import errors
from medjax.applications import baselines, ecommerce, graph, market, ranker, recommendation, split


@pytest.fixture(scope='module')
def bazaar():
  return ecommerce.make(market.Market(1000))


@pytest.fixture(scope='module')
def parts(bazaar):
  return split.make(bazaar)


@pytest.fixture(scope='module')
def likes(bazaar, parts):
  return graph.matrix(bazaar, parts.likes['train'])


def test_what_is_asked_is_held_out_and_not_seen(bazaar, parts):
  for part in ('valid', 'test'):
    asked = recommendation.asked(bazaar, parts, part, 10**6)
    pairs = set(zip(bazaar.users.index[asked.users], bazaar.items.index[asked.items]))
    assert pairs == set(parts.likes[part].itertuples(index=False, name=None))
    assert not asked.seen[np.arange(len(asked.users)), asked.items].any() and asked.seen.any(1).all()
  assert len(recommendation.asked(bazaar, parts, 'test', 7).users) == 7


def test_scores_that_know_are_right(bazaar, parts):
  asked = recommendation.asked(bazaar, parts, 'test', 50)
  scores = np.zeros(asked.seen.shape)
  scores[np.arange(50), asked.items] = 1
  assert {one.metric: one.value for one in recommendation.judged(scores, asked)} == dict.fromkeys(
    ('NDCG@5', 'NDCG@10', 'Hit@5', 'Hit@10', 'recall@20'), 1.0
  )
  assert all(one.value == 0 for one in recommendation.judged(-scores, asked))
  assert recommendation.judged(np.where(asked.seen, 2, scores), asked)[0].value == 1  # seen items do not compete


def test_popularity_counts_likes_of_training(bazaar, parts, likes):
  scores = baselines.popularity(likes).scores(np.array([0, 1]))
  counts = parts.likes['train']['item'].value_counts().reindex(bazaar.items.index).fillna(0)
  np.testing.assert_array_equal(scores[1], counts)


def test_neighbours_are_the_cosines_of_the_nearest(monkeypatch):
  monkeypatch.setattr(baselines, 'NEAREST', (2,))
  monkeypatch.setattr(baselines, 'SHRINKAGE', (0.5,))
  table = np.random.RandomState(0).random_sample((12, 6)) < 0.5
  (found,) = baselines.neighbours(sparse.csr_array(table))
  expected = np.zeros((12, 6))
  for item in range(6):
    cosine = {
      other: (table[:, item] & table[:, other]).sum() / (np.sqrt(table[:, item].sum() * table[:, other].sum()) + 0.5)
      for other in range(6)
      if other != item
    }
    least = sorted(cosine.values())[-2]
    for other, value in cosine.items():
      expected[:, item] += table[:, other] * value * (value >= least)
  np.testing.assert_allclose(found.scores(np.arange(12)), expected, rtol=1e-5)


@pytest.mark.parametrize('method', ['BPR-MF', 'ALS'])
def test_factorisations_find_two_groups(method):
  table = np.kron(np.eye(2, dtype=bool), np.ones((30, 12), bool))
  table[np.random.RandomState(0).random_sample(table.shape) < 0.3] = False
  point = baselines.grid(method)[-1]
  found, again = (next(baselines.factors(method, sparse.csr_array(table), 4, 1, [point])) for _ in range(2))
  scores = found.scores(np.arange(60))
  assert scores[:30, :12].mean() > scores[:30, 12:].mean() and scores[30:, 12:].mean() > scores[30:, :12].mean()
  np.testing.assert_array_equal(scores, again.scores(np.arange(60)))
  assert found.params == (60 + 24) * (5 if method == 'BPR-MF' else 4)


def test_a_missing_package_is_told(monkeypatch):
  monkeypatch.setitem(sys.modules, 'implicit.als', None)
  with pytest.raises(errors.UsageError, match=r'medjax\[applications\]'):
    baselines.implicit()


def test_the_best_is_chosen_on_validation(bazaar, parts, likes):
  asked = recommendation.asked(bazaar, parts, 'valid', 50)
  right = np.zeros((len(bazaar.users), len(bazaar.items)))
  right[asked.users, asked.items] = 1
  good = baselines.Scorer(lambda users: right[users], 1)
  assert recommendation.best([baselines.popularity(likes), good, baselines.popularity(likes)], asked) is good


def test_a_ranker_learns_who_likes_what(monkeypatch):
  """Users of a group like its items; embeddings tell the group in numbers whose product tells nothing."""
  monkeypatch.setattr(ranker, 'ROUND', 100)
  draw = np.random.RandomState(0)
  group = draw.randint(2, size=80)
  users = np.stack([group, 1 - group, draw.randn(80)], 1).astype(np.float32)
  of_item = draw.randint(2, size=40)
  items = np.stack([1 - of_item, of_item, draw.randn(40)], 1).astype(np.float32)  # the other way round
  likes = (group[:, None] == of_item) & (draw.random_sample((80, 40)) < 0.5)

  def merit(params):
    scores = np.asarray(ranker.scores(params, users, items))
    return float((scores * (2 * (group[:, None] == of_item) - 1)).mean() / scores.std())

  begun = merit(ranker.first(jax.random.key(0), 3))
  params = ranker.fit(users, items, likes, merit)
  assert merit(params) > 0.5 > 0 > begun
  np.testing.assert_allclose(
    np.asarray(ranker.scores(params, users[:2], items))[1, 3],
    np.asarray(ranker.score(params, users[1], items[3])),
    rtol=1e-5,
  )
  assert ranker.num_params(params) == 3 * 3 * ranker.HIDDEN + 2 * ranker.HIDDEN + 9


def test_rows_that_are_not_there_are_zero():
  found = ranker.scaled(np.arange(12.0).reshape(4, 3), np.array([0, -1, 3]))
  assert not found[1].any() and found[[0, 2]].mean() == pytest.approx(0, abs=1e-6)


def test_items_of_which_a_model_knows_nothing_are_last(bazaar, trained):
  model = medjax.load(trained)
  names = dataclasses.replace(model.graph, relations=['likes', *list(model.graph.relations)[1:]])
  known = dataclasses.replace(model, graph=names)
  assert (recommendation.by_relation(known, bazaar)(np.arange(3)) == -np.inf).all()
