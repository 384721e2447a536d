"""Known answers and relation categories against references that loop."""

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from medjax.data import filters


def arrays(max_size):
  triple = st.tuples(st.integers(0, 6), st.integers(0, 2), st.integers(0, 6))
  return st.lists(triple, max_size=max_size).map(lambda rows: np.array(rows, np.int32).reshape(-1, 3))


@hypothesis.given(triples=arrays(40), queries=arrays(10), side=st.sampled_from(['tail', 'head']))
@hypothesis.settings(deadline=None, derandomize=True)
def test_known_answers_agree_with_a_loop(triples, queries, side):
  offsets, answers = filters.known_answers(triples, queries, side)
  assert offsets.dtype == np.int64 and answers.dtype == np.int32 and len(offsets) == len(queries) + 1
  facts = [tuple(map(int, row)) for row in np.concatenate([triples, queries])]
  for i, (head, relation, tail) in enumerate(queries):
    if side == 'tail':
      expected = {t for h, r, t in facts if (h, r) == (head, relation)}
    else:
      expected = {h for h, r, t in facts if (r, t) == (relation, tail)}
    assert answers[offsets[i] : offsets[i + 1]].tolist() == sorted(expected)
  assert offsets[-1] == len(answers)


def test_known_answers_by_hand():
  triples = np.array([[0, 0, 1], [0, 0, 3], [0, 1, 2], [4, 0, 1]], np.int32)
  offsets, answers = filters.known_answers(triples, triples[[1, 2]], 'tail')
  assert offsets.tolist() == [0, 2, 3] and answers.tolist() == [1, 3, 2]
  offsets, answers = filters.known_answers(triples, triples[[0]], 'head')
  assert offsets.tolist() == [0, 2] and answers.tolist() == [0, 4]
  with pytest.raises(ValueError, match="'tail' or 'head'"):
    filters.known_answers(triples, triples, 'left')


def test_known_answers_with_large_ids():
  big = 2**31 - 1
  triples = np.array([[big, big, big], [big, big, 0], [0, big, big]], np.int32)
  _, answers = filters.known_answers(triples, triples[:1], 'tail')
  assert answers.tolist() == [0, big]


def test_relation_categories_by_hand():
  rows = [(0, 0, 1), (2, 0, 3), (4, 0, 5)]  # 1-1
  rows += [(0, 1, t) for t in range(3)]  # one head, three tails
  rows += [(h, 2, 0) for h in range(3)]  # three heads, one tail
  rows += [(h, 3, t) for h in range(2) for t in range(2)]  # both
  rows += [(0, 4, 1), (0, 4, 2), (3, 4, 4)]  # 3 tails over 2 heads: exactly 1.5 counts as many
  rows += [(0, 0, 1)] * 5  # repetitions count once
  found = filters.relation_categories(np.array(rows, np.int32), 6)
  assert found.tolist() == ['1-1', '1-N', 'N-1', 'N-N', '1-N', '1-1']


@hypothesis.given(train=arrays(40))
@hypothesis.settings(deadline=None, derandomize=True)
def test_relation_categories_agree_with_a_loop(train):
  found = filters.relation_categories(train, 3)
  for relation in range(3):
    pairs = {(int(h), int(t)) for h, r, t in train if r == relation}
    heads, tails = {h for h, _ in pairs}, {t for _, t in pairs}
    many_heads = bool(pairs) and len(pairs) / len(tails) >= 1.5
    many_tails = bool(pairs) and len(pairs) / len(heads) >= 1.5
    assert found[relation] == f'{"N" if many_heads else "1"}-{"N" if many_tails else "1"}'
