"""Parquet: columns by name, types, gaps."""

import sys

import pytest

from medjax.data import reading, triples
from medjax.errors import DataError

pa = pytest.importorskip('pyarrow', reason='Parquet needs pyarrow (the extra "parquet")')
parquet = pytest.importorskip('pyarrow.parquet')
EXPECTED = [('a', 'r', 'b'), ('b', 's', 'c'), ('c', 'r', 'a')]
HEADS, RELATIONS, TAILS = (list(column) for column in zip(*EXPECTED))


def read(path, columns, *options):
  parquet.write_table(pa.table(columns), path)
  table = reading.read(path, *options)
  return table, list(zip(table.heads, table.relations, table.tails))


@pytest.mark.parametrize(
  'columns, options',
  [
    ({'head': HEADS, 'relation': RELATIONS, 'tail': TAILS}, ()),
    ({'target': TAILS, 'source': HEADS, 'weight': [0.1, 0.2, 0.3], 'type': RELATIONS}, ()),
    ({'x': HEADS, 'y': RELATIONS, 'z': TAILS}, ()),
    ({'x': HEADS, 'y': TAILS, 'z': RELATIONS}, ('htr',)),
    ({'x': HEADS, 'y': TAILS, 'z': RELATIONS, 'w': [1, 2, 3]}, ('x,z,y',)),
    ({'w': [1, 2, 3], 'x': HEADS, 'y': TAILS, 'z': RELATIONS}, ('2,4,3',)),
    ({'head': HEADS, 'relation': RELATIONS, 'tail': TAILS, '__index_level_0__': [3, 1, 2]}, ()),
    (
      {'head': pa.array(HEADS).dictionary_encode(), 'relation': pa.array(RELATIONS, pa.large_string()), 'tail': TAILS},
      (),
    ),
  ],
)
def test_columns_are_found(tmp_path, columns, options):
  table, found = read(tmp_path / 'a.parquet', columns, *options)
  assert found == EXPECTED and table.notes[0].startswith('a.parquet: read as Parquet; head ')


def test_numbers_are_names(tmp_path):
  assert read(tmp_path / 'a.parquet', {'h': [10, 2], 'r': [0, 0], 't': [2, 10]})[1] == [
    ('10', '0', '2'),
    ('2', '0', '10'),
  ]


def test_names_of_columns_that_may_be_a_triple_are_told(tmp_path):
  table, _ = read(tmp_path / 'a.parquet', {'c': HEADS, 'r': RELATIONS, 'b': TAILS})
  assert 'the columns are called c, r, b, which may be a triple' in table.notes[1]


@pytest.mark.parametrize(
  'columns, options, words',
  [
    ({'head': HEADS, 'relation': [0.5, 1.0, 2.0], 'tail': TAILS}, (), "'relation' holds double"),
    ({'head': HEADS, 'relation': ['r', None, 's'], 'tail': TAILS}, (), "row 2: 'relation' is empty"),
    ({'head': HEADS, 'relation': ['r', ' ', 's'], 'tail': TAILS}, (), "row 2: 'relation' is empty"),
    ({'a': HEADS, 'b': RELATIONS, 'c': TAILS, 'd': TAILS}, (), '4 columns instead of 3'),
    ({'a': HEADS, 'b': RELATIONS}, (), '2 columns'),
    ({'a': HEADS, 'b': RELATIONS, 'c': TAILS}, ('a,b,d',), "no column of the name 'd'"),
    (
      {'head': pa.array([], pa.string()), 'relation': pa.array([], pa.string()), 'tail': pa.array([], pa.string())},
      (),
      'empty',
    ),
  ],
)
def test_faults_name_the_column(tmp_path, columns, options, words):
  with pytest.raises(DataError, match=words):
    read(tmp_path / 'a.parquet', columns, *options)


def test_what_is_no_parquet_and_a_missing_extra(tmp_path, monkeypatch):
  (tmp_path / 'a.parquet').write_bytes(b'PAR1 and nothing else')
  with pytest.raises(DataError, match='a.parquet: cannot be read as Parquet'):
    reading.read(tmp_path / 'a.parquet')
  monkeypatch.setitem(sys.modules, 'pyarrow', None)
  with pytest.raises(DataError, match=r"pip install 'medjax\[parquet\]'"):
    reading.read(tmp_path / 'a.parquet')


def test_a_folder_of_parquet(tmp_path):
  for split, rows in (('train', slice(None)), ('valid', slice(0, 1)), ('test', slice(1, 2))):
    columns = {'head': HEADS[rows], 'relation': RELATIONS[rows], 'tail': TAILS[rows]}
    parquet.write_table(pa.table(columns), tmp_path / f'{split}.parquet')
  assert [len(part) for part in triples.read_folder(tmp_path).splits] == [3, 1, 1]


def test_text_that_is_no_utf8_is_told(tmp_path):
  broken = pa.array([b'a', b'\xff', b'c']).view(pa.string())
  with pytest.raises(DataError, match=r'a\.parquet: cannot be read as Parquet'):
    read(tmp_path / 'a.parquet', {'head': broken, 'relation': RELATIONS, 'tail': TAILS})
