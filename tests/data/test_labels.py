"""Label files and unique labels."""

import hypothesis
from hypothesis import strategies as st
import pytest

from medjax.data import contents, labels
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
  'name, content',
  [
    ('entities.tsv', 'Ash\t0\nElm\t1\nFir\t2\n'),
    ('entities.tsv', 'name\tid\nAsh\t1\nElm\t2\nFir\t3\n'),
    ('entities.tsv', 'entity\tnumber\tkind\nAsh\t0\ttree\nElm\t1\ttree\nFir\t2\ttree\n'),
    ('entities.tsv', 'Ash\t70\nElm\t12\nFir\t33\n'),
    ('entities.tsv', '0\tAsh\n1\tElm\n2\tFir\n'),
    ('entities.dict', '0\tAsh\n1\tElm\n2\tFir\n'),
    ('entity2id.txt', '3\nAsh\t0\nElm\t1\nFir\t2\n'),
    ('entity2id.txt', 'Ash 0\nElm 1\nFir 2\n'),
  ],
)
def test_a_file_that_numbers_names_labels_only_the_numbers(tmp_path, name, content):
  (tmp_path / name).write_text(content)
  found, notes = labels.read_labels(tmp_path, 'entities', ('Ash', 'Elm', 'Fir'))
  assert found == ('Ash', 'Elm', 'Fir')
  said = 'entities.tsv: numbers the names of entities, which are no labels; the names in the triples are kept'
  assert notes == ((said,) if name == 'entities.tsv' else ())
  numbers = {'0': 'Ash', '1': 'Elm', '2': 'Fir'}
  numbers |= {'70': 'Ash', '12': 'Elm', '33': 'Fir'} if '70' in content else {}
  numbers = {'1': 'Ash', '2': 'Elm', '3': 'Fir'} if '3\n' in content[-3:] and 'name' in content else numbers
  given = [number for number in numbers if number in content.replace('\n', '\t').replace(' ', '\t').split('\t')]
  found, notes = labels.read_labels(tmp_path, 'entities', given)
  assert found == tuple(numbers[number] for number in given)
  assert notes == (f'{name}: labels for {len(given)} of {len(given)} entities',)


def test_labels_that_are_numbers_stay_where_a_header_says_so(tmp_path):
  (tmp_path / 'entities.tsv').write_text('id\tlabel\na\t1984\nb\t2001\n')
  assert labels.read_labels(tmp_path, 'entities', ('a', 'b'))[0] == ('1984', '2001')


def test_the_first_line_may_be_a_label(tmp_path):
  (tmp_path / 'entities.tsv').write_text('a\tAlpha\nb\tBeta\n')
  assert labels.read_labels(tmp_path, 'entities', ('a', 'b'))[0] == ('Alpha', 'Beta')


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


def test_a_line_of_aliases_without_end_is_refused(tmp_path, monkeypatch):
  monkeypatch.setattr(contents, 'LINE', 10)
  (tmp_path / 'entities.txt').write_text('a\tb\n' + 'x' * 30)
  with pytest.raises(DataError, match='line 2: it has more than 10 bytes'):
    labels.read_file(tmp_path / 'entities.txt')
  (tmp_path / 'entities.txt').write_text('a\tb\tc\nd\te')
  assert labels.read_file(tmp_path / 'entities.txt').labels == {'a': 'b', 'd': 'e'}
