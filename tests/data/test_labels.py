"""Label files and unique labels."""

import hypothesis
from hypothesis import strategies as st
import pytest

from medjax.data import labels
from medjax.errors import DataError

TEXT = st.text('ab ()', max_size=6)


@hypothesis.given(pairs=st.lists(st.tuples(TEXT, TEXT), max_size=12, unique_by=lambda pair: pair[1]))
@hypothesis.settings(deadline=None, derandomize=True)
def test_unique_labels_are_unique(pairs):
  names, identifiers = [name for name, _ in pairs], [identifier for _, identifier in pairs]
  result = labels.unique_labels(names, identifiers)
  assert len(set(result)) == len(pairs)
  assert all(unique.startswith(name) for unique, name in zip(result, names, strict=True))
  if len(set(names)) == len(names):
    assert result == tuple(names)


def test_unique_labels_append_the_identifier():
  assert labels.unique_labels(['Paris', 'Lyon', 'Paris'], ['Q90', 'Q456', 'Q830149']) == (
    'Paris (Q90)',
    'Lyon',
    'Paris (Q830149)',
  )


@pytest.mark.parametrize(
  'name, content, expected',
  [
    ('entities.tsv', 'id\tdescription\tlabel\na\tx\tAlpha\nb\ty\tBeta "B"\n', ('Alpha', 'Beta "B"', 'c')),
    ('entities.tsv', '\ufeffid\tname\tsynset\r\na\tx\tx.n.01\r\n', ('x.n.01', 'b', 'c')),
    ('entities.en.tsv', 'id\tcalled\na\tAlpha\nb\t\nc\n', ('Alpha', 'b', 'c')),
    ('entities.json', '{"a": {"label": "Alpha"}, "b": "Beta", "c": {"label": ""}}', ('Alpha', 'Beta', 'c')),
  ],
)
def test_label_files(tmp_path, name, content, expected):
  (tmp_path / name).write_text(content, encoding='utf-8')
  found, notes = labels.read_labels(tmp_path, 'entities', ('a', 'b', 'c'))
  known = sum(label != identifier for label, identifier in zip(expected, 'abc', strict=True))
  assert found == expected and notes == (f'{name}: labels for {known} of 3 entities',)
  assert labels.read_labels(tmp_path, 'relations', ('r',)) == (('r',), ())


@pytest.mark.parametrize(
  'name, content, words',
  [
    ('entities.tsv', 'only\na\n', 'line 1.*one column'),
    ('entities.json', '[1]', 'holds a list'),
    ('entities.json', '{\n"a"', 'line 2.*no JSON'),
  ],
)
def test_bad_label_files(tmp_path, name, content, words):
  (tmp_path / name).write_text(content)
  with pytest.raises(DataError, match=words):
    labels.read_labels(tmp_path, 'entities', ('a',))
