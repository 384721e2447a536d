"""The k-core of a graph: the largest part of it in which every entity has k triples, with the splits kept."""

import types

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from benchmarks import core

TRIPLES = st.lists(st.tuples(st.integers(0, 6), st.just(0), st.integers(0, 6)), min_size=1, max_size=30)


def degrees(triples):
  return np.bincount(triples[:, [0, 2]].ravel(), minlength=7)


@given(TRIPLES, st.integers(1, 5))
def test_it_is_what_is_left_after_taking_the_poorest_away_one_by_one(triples, k):
  triples = np.array(triples)
  left = triples
  while len(left) and (poor := np.flatnonzero((degrees(left) > 0) & (degrees(left) < k))).size:
    left = left[(left[:, [0, 2]] != poor[0]).all(1)]
  np.testing.assert_array_equal(triples[core.core(triples, k)], left)


def test_triples_keep_their_split_and_a_core_that_is_empty_is_told(tmp_path):
  triangle = np.array([[0, 0, 1], [1, 0, 2], [2, 0, 0]], np.int32)
  graph = types.SimpleNamespace(name='g', entities='abcd', relations='r', train=triangle[:2], valid=triangle[2:])
  graph.test = np.array([[3, 0, 0]], np.int32)  # the only triple of d
  kept = core.write(graph, 2, tmp_path)
  assert {split: len(rows) for split, rows in kept.items()} == {'train': 2, 'valid': 1, 'test': 0}
  assert (tmp_path / 'train.txt').read_text() == 'a\tr\tb\nb\tr\tc\n'
  assert (tmp_path / 'valid.txt').read_text() == 'c\tr\ta\n'
  with pytest.raises(ValueError, match='g has no 3-core; lower --k'):
    core.write(graph, 3, tmp_path)
