"""Figures of rankings and labels, equal to those of scikit-learn and to counts by hand.

The numbers of scikit-learn 1.9.1 are of the draws below:
  python -c "import numpy as np; from sklearn.metrics import ndcg_score; r = np.random.RandomState(3)
  s = r.randint(0, 12, size=(6, 15)).astype(float); t = r.randint(15, size=6); y = np.eye(15)[t]
  print([ndcg_score(y, s, k=k) for k in (5, 10)])"
and, of the draw that follows, of ndcg_score(y, s) and top_k_accuracy_score(t, s, labels=range(15)).
"""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from medjax.applications import metrics

NOTHING = np.zeros((6, 15), bool)


@pytest.fixture(scope='module')
def drawn():
  draw = np.random.RandomState(3)
  tied, asked = draw.randint(0, 12, size=(6, 15)).astype(float), draw.randint(15, size=6)
  return tied, draw.random_sample((6, 15)), asked


def test_ndcg_and_hits_are_those_of_scikit_learn(drawn):
  tied, apart, asked = drawn
  where = metrics.standing(tied, asked, NOTHING)
  assert [metrics.ndcg(where, k).mean() for k in (5, 10)] == pytest.approx([0.09327124896970668, 0.2943864788165744])
  where = metrics.standing(apart, asked, NOTHING)
  assert [metrics.ndcg(where, k).mean() for k in (5, 10)] == pytest.approx([0.23410589467342344, 0.2842775606174202])
  assert [metrics.hits(where, k).mean() for k in (5, 10)] == pytest.approx([0.5, 0.6666666666666666])


def test_f1_is_that_of_scikit_learn():
  true, said = np.array([0, 1, 2, 2, 1, 0, 3]), np.array([0, 2, 2, 1, 1, 4, 0])
  assert metrics.macro_f1(true, said) == pytest.approx(0.3)  # f1_score(true, said, average='macro')
  assert metrics.accuracy(true, said) == pytest.approx(3 / 7)


def test_what_is_left_out_does_not_compete(drawn):
  _, scores, asked = drawn
  left_out = np.ones((6, 15), bool)
  where = metrics.standing(scores, asked, left_out)
  assert where.better.tolist() == [0] * 6 and where.equal.tolist() == [1] * 6
  scores = np.full((1, 4), -np.inf)  # nothing is known of the item: it stands among all of which nothing is
  where = metrics.standing(scores, np.array([2]), np.array([[True, False, False, False]]))
  assert (where.better, where.equal) == (0, 3)
  assert metrics.standing(np.array([[np.nan, 0.0]]), np.array([0]), np.zeros((1, 2), bool)).better == [1]


@given(st.integers(1, 20), st.integers(1, 30), st.integers(1, 25))
def test_scores_that_are_all_alike_give_what_chance_gives(items, k, seed):
  asked = np.random.RandomState(seed).randint(items, size=1)
  where = metrics.standing(np.zeros((1, items)), asked, np.zeros((1, items), bool))
  assert metrics.hits(where, k)[0] == pytest.approx(min(k / items, 1))
  gains = 1 / np.log2(np.arange(2, min(items, k) + 2))
  assert metrics.ndcg(where, k)[0] == pytest.approx(gains.sum() / items)


def test_the_deviation_of_a_share_is_that_of_the_binomial():
  values = np.repeat([0.0, 1.0], [300, 100])
  assert metrics.bootstrap(lambda x: float(x.mean()), values) == pytest.approx((0.25 * 0.75 / 400) ** 0.5, rel=0.1)
