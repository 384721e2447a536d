"""Which columns are head, relation and tail: headers, names, numbers, and what is doubtful."""

import pytest

from medjax.data import columns, tables, triples
from medjax.errors import DataError

FACTS = [(f'n{i}', f'r{i % 3}', f'n{i * 7 % 20}') for i in range(20)]


def write(path, rows, header=(), separator='\t'):
  path.write_text(''.join(separator.join(row) + '\n' for row in ([header] if header else []) + list(rows)))
  return path


def read(path, *options):
  table = tables.read_table(path, *options)
  return table, list(zip(table.heads, table.relations, table.tails))


@pytest.mark.parametrize(
  'header',
  [
    'node1 label node2',
    'source metaedge target',
    'src rel dst',
    'subject predicate object',
    'start type end',
    ':START_ID :TYPE :END_ID',
    'a:START_ID(A) :TYPE :END_ID(B)',
    'from relation to',
    'x_name display_relation y_name',
    'Head_ID Relation_ID Tail_ID',
    'head_id:token relation_id:token tail_id:token',
    'gene1 interaction gene2',
    'entityA relationship entityB',
  ],
)
def test_known_headers_in_any_order(tmp_path, header):
  names = header.split()
  for order in ((0, 1, 2), (0, 2, 1), (2, 0, 1), (1, 2, 0)):
    rows = [[fact[i] for i in order] for fact in FACTS]
    table, found = read(write(tmp_path / 'a.tsv', rows, [names[i] for i in order]))
    assert found == FACTS and table.header == tuple(names[i] for i in order) and table.lines[0] == 2
    assert any('taken for a header' in note for note in table.notes)
    assert any('column' in note for note in table.notes) == (order != (0, 1, 2))


def test_a_table_saved_without_names_has_a_header_of_numbers(tmp_path):
  assert read(write(tmp_path / 'a.csv', FACTS, '012', ','))[1] == FACTS
  numbers = [('0', '1', '2'), ('1', '1', '0'), ('2', '0', '1')]
  assert read(write(tmp_path / 'b.csv', numbers, separator=','))[1] == numbers


def test_a_triple_that_could_be_a_header_is_kept_and_told(tmp_path):
  for first in (('source', 'r0', 'target'), ('source', 'type', 'target')):
    rows = [first, *FACTS, ('n1', 'type', 'n3')]
    table, found = read(write(tmp_path / 'a.tsv', rows))
    assert found == rows
    assert any('data.header=yes makes it a header' in note for note in table.notes) == (first[1] == 'type')
  rows = [('n1', 'edge', 'n2'), *FACTS]
  assert read(write(tmp_path / 'a.tsv', rows))[1] == rows


def test_an_unknown_header_is_told(tmp_path):
  graph = triples.split_file(write(tmp_path / 'a.tsv', FACTS, ('Kopf', 'Art', 'Ende')))
  assert 'Kopf' in graph.entities
  assert any('line 1, Kopf,Art,Ende, was read as a triple, but may be a header' in note for note in graph.notes)
  graph = triples.split_file(write(tmp_path / 'a.tsv', FACTS, ('Kopf', 'Art', 'Ende')), header='yes')
  assert 'Kopf' not in graph.entities and not any('may be a header' in note for note in graph.notes)
  assert not any('may be a header' in note for note in triples.split_file(write(tmp_path / 'b.tsv', FACTS)).notes)


WIDE = [['7', t, r, 'x', h] for h, r, t in FACTS]


@pytest.mark.parametrize('chosen', ['5,3,2', 'was, how,is', 'WAS,HOW,IS'])
def test_columns_by_name_and_number(tmp_path, chosen):
  table, found = read(write(tmp_path / 'a.tsv', WIDE, ('id', 'is', 'how', 'x', 'was')), chosen, 'yes')
  assert found == FACTS and table.order == '5,3,2'


def test_columns_of_known_names_are_found_among_others(tmp_path):
  table, found = read(write(tmp_path / 'a.csv', WIDE, ('', 'target', 'type', 'weight', 'source'), ','))
  assert found == FACTS
  assert table.notes == (
    'a.csv: line 1 taken for a header: ,target,type,weight,source; head source (column 5), relation type (column 3), '
    'tail target (column 2)',
  )


@pytest.mark.parametrize(
  'header, rows, words',
  [
    ((), WIDE, "line 1: 5 columns instead of 3: 1 '7', 2 'n0'.*data.columns=2,3,5"),
    ((), [[*fact, '0.5'] for fact in FACTS], 'data.columns=1,2,3'),
    ((), [[str(i), *fact] for i, fact in enumerate(FACTS)], 'data.columns=2,3,4'),
    ((), [[f'id{i}', r, h, t] for i, (h, r, t) in enumerate(FACTS * 2)], 'data.columns=3,2,4'),
    (
      ('relation', 'x_id', 'x_name', 'y_id', 'y_name'),
      [[r, f'x{h}', h, f'y{t}', t] for h, r, t in FACTS],
      r'data.columns=x_name,relation,y_name \(or 3,1,5\)',
    ),
    (
      ('Source', 'Target', 'Type', 'Label'),
      [[h, t, 'Directed', r] for h, r, t in FACTS],
      'data.columns=Source,Label,Target',
    ),
  ],
)
def test_more_columns_are_listed_with_what_to_say(tmp_path, header, rows, words):
  with pytest.raises(DataError, match=words):
    read(write(tmp_path / 'a.tsv', rows, header))


@pytest.mark.parametrize(
  'header, options, words',
  [
    (('a', 'b', 'c'), ('a,b,d',), "no column of the name 'd'.*1 'a', 2 'b', 3 'c'"),
    (('a', 'b', 'A'), ('A,b,c',), "no column of the name 'c'"),
    (('a', 'b', 'a'), ('a,b,c',), "2 columns of the name 'a'"),
    ((), ('1,2,4',), 'there are 3 columns'),
    ((), ('0,1,2',), 'there are 3 columns'),
    (('a', 'b', 'c'), ('a,b,c', 'no'), "data.header is 'no'"),
    (('head', 'relation', 'tail'), ('1,3,2',), 'which the header calls head, tail, relation'),
    (('head', 'relation', 'tail'), ('htr',), 'data.columns=hrt'),
    ((), ('1,1,2',), 'data.columns is'),
    ((), ('a,b',), 'data.columns is'),
  ],
)
def test_columns_that_are_not_there_are_refused(tmp_path, header, options, words):
  with pytest.raises(DataError, match=words):
    read(write(tmp_path / 'a.tsv', FACTS, header), *options)


def test_files_of_a_folder_in_different_orders_are_refused(tmp_path):
  write(tmp_path / 'train.tsv', [[h, t, r] for h, r, t in FACTS], ('source', 'target', 'type'))
  write(tmp_path / 'valid.tsv', [[h, t, r] for h, r, t in FACTS[:2]], ('source', 'target', 'type'))
  write(tmp_path / 'test.tsv', FACTS[:2])
  with pytest.raises(DataError, match=r'test.tsv: has no header.*train.tsv.*data.columns=htr'):
    triples.read_folder(tmp_path)
  write(tmp_path / 'test.tsv', FACTS[:2], ('s', 'p', 'o'))
  assert triples.read_folder(tmp_path).num_relations == 3


@pytest.mark.parametrize('order', [(0, 2, 1), (2, 0, 1), (1, 0, 2), (1, 2, 0)])
def test_swapped_columns_are_told(tmp_path, order):
  joined = [[fact[i] for i in order] for fact in FACTS]
  apart = [[f'{"abc"[i]}{fact[i]}' for i in order] for fact in FACTS]  # heads and tails share no name
  for rows in (joined, apart):
    notes = triples.split_file(write(tmp_path / 'a.tsv', rows), (1, 0, 0)).notes
    assert any('the columns may be in another order: 20 relations in 20 triples' in note for note in notes)
  assert not any('another order' in note for note in triples.split_file(write(tmp_path / 'b.tsv', FACTS)).notes)


def test_many_relations_alone_are_no_swap():
  heads, tails = [f'n{i % 14}' for i in range(1600)], [f'n{i % 13}' for i in range(1600)]
  found = columns.look(heads, [f'r{i % 55}' for i in range(1600)], tails, 1)
  assert found[:7] == (1600, 14, 55, 13, 0, 0, 13) and found.again[0] == 30
  assert not columns.odd_notes('a', found._replace(tails=14), True)
