"""Metrics of labelled sentences against counts by hand and against their definitions."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from medjax.bert import metrics

BOTH = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40)


@given(BOTH)
def test_metrics_of_two_classes_are_those_of_their_table(pairs):
  answers, labels = np.array(pairs).T
  tp, tn = sum(p == (1, 1) for p in pairs), sum(p == (0, 0) for p in pairs)
  fp, fn = sum(p == (1, 0) for p in pairs), sum(p == (0, 1) for p in pairs)
  assert metrics.accuracy(answers, labels) == pytest.approx((tp + tn) / len(pairs))
  assert metrics.f1(answers, labels) == pytest.approx(2 * tp / max(2 * tp + fp + fn, 1))
  product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
  expected = (tp * tn - fp * fn) / product**0.5 if product else 0.0
  assert metrics.matthews(answers, labels) == pytest.approx(expected, abs=1e-9)


def test_correlations_are_those_of_their_definitions():
  answers, labels = np.array([1.0, 2.0, 2.0, 9.0]), np.array([0.0, 1.0, 3.0, 2.0])
  assert metrics.pearson(answers, labels) == pytest.approx(np.corrcoef(answers, labels)[0, 1])
  ranks = np.array([1, 2.5, 2.5, 4]), np.array([1, 2, 4, 3])
  assert metrics.spearman(answers, labels) == pytest.approx(np.corrcoef(*ranks)[0, 1])
  assert metrics.pearson(np.ones(4), labels) == metrics.spearman(answers, np.ones(4)) == 0.0


def test_several_metrics_count_by_their_mean():
  found = metrics.judge(np.array([1, 0, 1]), np.array([1, 1, 1]), ('accuracy', 'f1'))
  assert found == pytest.approx({'score': (2 / 3 + 0.8) / 2, 'accuracy': 2 / 3, 'f1': 0.8})
