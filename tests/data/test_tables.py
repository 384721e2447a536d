"""Reading one file: what is accepted, what is refused and in which words."""

import gzip
import time

import hypothesis
from hypothesis import strategies as st
import pytest

from medjax import errors
from medjax.data import tables

# an identifier: any text without separators and control characters that is not blank
NAMES = st.text(st.characters(exclude_categories=('Cs', 'Cc')), min_size=1, max_size=8).filter(
  lambda name: name.strip() and not name.startswith('\ufeff')
)
ROWS = st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=1, max_size=20)


def write(path, content):
  path.write_bytes(content if isinstance(content, bytes) else content.encode('utf-8'))
  return path


def rows(table):
  return list(zip(table.heads, table.relations, table.tails, strict=True))


@hypothesis.given(
  data=ROWS,
  suffix=st.sampled_from(['.txt', '.tsv', '.csv']),
  end=st.sampled_from(['\n', '\r\n']),
  packed=st.booleans(),
  mark=st.booleans(),
)
@hypothesis.settings(max_examples=60, deadline=None, derandomize=True)
def test_round_trip(tmp_path_factory, data, suffix, end, packed, mark):
  def quote(name):
    return '"' + name.replace('"', '""') + '"' if suffix == '.csv' else name

  separator = ',' if suffix == '.csv' else '\t'
  content = ''.join(separator.join(map(quote, row)) + end for row in data).encode('utf-8')
  content = (b'\xef\xbb\xbf' if mark else b'') + content
  path = tmp_path_factory.mktemp('t') / f'x{suffix}{".gz" if packed else ""}'
  path.write_bytes(gzip.compress(content) if packed else content)
  assert rows(tables.read_table(path, 'hrt', 'no', 'no')) == data


@pytest.mark.parametrize(
  'name, content',
  [
    ('a.txt', 'x\tr\ty\nz\tr\ty'),
    ('a.txt', 'x\tr\ty\r\nz\tr\ty\r\n\r\n\n'),
    ('a.txt', '\ufeffx\tr\ty\nz\tr\ty\n'),
    ('a.txt', 'x r y\nz r y\n'),
    ('a.txt', 'x,r,y\nz,r,y\n'),
    ('a.csv', 'x,"r",y\nz,r,"y"\n'),
    ('a.csv', 'x,r,y\nz,r,y\n'),
    ('a.csv', 'x;r;y\nz;"r";y\n'),
    ('a.txt', 'x;r;y\nz;r;y\n'),
    ('a.tsv', 'subject\tPredicate\tobject\nx\tr\ty\nz\tr\ty\n'),
  ],
)
def test_accepted(tmp_path, name, content):
  assert rows(tables.read_table(write(tmp_path / name, content))) == [('x', 'r', 'y'), ('z', 'r', 'y')]


def test_identifiers_are_kept_as_they_stand(tmp_path):
  row = ('New\u00a0York "NY"', ' is in', 'cafe\u0301,')
  for name in ('a.txt', 'a.tsv'):
    assert rows(tables.read_table(write(tmp_path / name, '\t'.join(row) + '\r\n'))) == [row]


def test_commas_may_hold_spaces_when_a_later_line_decides(tmp_path):
  content = 'a b,c,d e\nf,c,d\n'
  assert rows(tables.read_table(write(tmp_path / 'a.txt', content)))[0] == ('a b', 'c', 'd e')


def test_columns_and_header(tmp_path):
  path = write(tmp_path / 'a.tsv', 'y\tx\tr\n')
  table = tables.read_table(path, 'thr')
  assert rows(table) == [('x', 'r', 'y')] and table.lines == range(1, 2)
  path = write(tmp_path / 'b.tsv', 'head\trelation\ttail\nx\tr\ty\n')
  table = tables.read_table(path)
  assert list(table.lines) == [2] and table.header == ('head', 'relation', 'tail')
  assert len(tables.read_table(path, header='no').heads) == 2
  assert len(tables.read_table(write(tmp_path / 'c.tsv', 'x\tr\ty\nz\tr\ty\n'), header='yes').heads) == 1
  with pytest.raises(errors.DataError, match='line 1.*columns=hrt'):
    tables.read_table(path, 'htr')


@pytest.mark.parametrize(
  'name, content, words',
  [
    ('a.txt', '', ['empty']),
    ('a.txt', '\r\n\n', ['empty']),
    ('a.tsv', 'head\trelation\ttail\n', ['header', 'Add']),
    ('a.tsv', 'x\tr\ty\nx\tr\n', ['line 2', '2 columns', r"'x\\tr'", 'Separate']),
    ('a.tsv', 'x\tr\ty\nx\tr\ty\tz\n', ['line 2', '4 columns', 'stray tab']),
    ('a.tsv', 'x\tr\ny\tx\tr\ty\n', ['line 1', '2 columns']),
    ('a.tsv', 'x\ty\tz\tr\nx\ty\n', ['line 1', '4 columns']),
    ('a.tsv', 'x r y\n', ['line 1', '1 column ']),
    ('a.tsv', 'x\tr\ty\n \nx\tr\ty\n', ['line 2', 'blank', 'Delete']),
    ('a.tsv', 'x\tr\ty\nx\t\ty\n', ['line 2', 'field 2', 'empty', 'Give']),
    ('a.tsv', 'x\tr\ty\nx\tr\t \n', ['line 2', 'field 3', 'empty']),
    ('a.csv', 'x,r,y\nx,"r,y\n', ['line 2', 'quote', 'tsv']),
    ('a.csv', 'x,r,"y\nz,r,y\n', ['line 1', 'quote']),
    ('a.csv', 'x,r,y\nx,r"s,y\n', ['line 2', 'quote']),
    ('a.csv', 'x,r,y\nx,"r" ,y\n', ['line 2', 'quote']),
    ('a.csv', 'x,"r",y\nx,"r",y,z\n', ['line 2', '4 columns', 'comma']),
    ('a.csv', 'x,"r",y\nx,y\n', ['line 2', '2 columns']),
    ('a.csv', 'x:r:y\n', ['line 1', '1 column ', 'comma']),
    ('a.txt', 'a, b, c\n', ['line 1', 'both', 'tabs']),
    ('a.txt', 'x,"r",y\n', ['quotes among commas', '.csv']),
    ('a.txt', 'one two three four\n', ['line 1', 'neither']),
    ('a.txt', 'x r y\nx r\n', ['line 2', '2 columns', 'space']),
    ('a.txt', b'x\tr\ty\nx\tr\tM\xfcnchen\n', ['line 2', r"b'.xfc' at offset 11", 'UTF-8']),
    ('a.txt', 'x\tr\ty\n'.encode('utf-16'), ['in UTF-16', 'iconv -f UTF-16']),
    ('a.txt', 'x\tr\ty\n'.encode('utf-16-le'), ['zero byte', 'UTF-8']),
    ('a.txt.gz', b'\x1f\x8b\x08broken', ['cannot be read']),
    ('a.txt.gz', gzip.compress(b'x\tr\ty\n' * 99, mtime=0)[:-12], ['cannot be read']),
  ],
)
def test_refused(tmp_path, name, content, words):
  path = write(tmp_path / name, content)
  with pytest.raises(errors.DataError, match=name) as caught:
    tables.read_table(path)
  for word in words:
    caught.match(word)


@pytest.mark.parametrize(
  'name, content, comments',
  [
    ('a.tsv', '# a graph\nx\tr\ty\nz\tr\ty\n', 1),
    ('a.txt', '# two words\nx\tr\ty\n#\nz\tr\ty\n', 2),
    ('a.txt', '# made by hand, of three words\nx r y\nz r y\n# end\n', 2),
    ('a.csv', '# of "me, and you\nx,"r",y\nz,r,y\n', 1),
    ('a.tsv', '#head\trelation\ttail\nx\tr\ty\nz\tr\ty\n', 0),
    ('a.tsv', '# title\n# relation\thead\ttail\nr\tx\ty\nr\tz\ty\n', 1),
    ('a.tsv', 'x\tr\ty\n#x\tr\tq\n#y\tr\tx\nz\tr\ty\n', 2),
    ('a.tsv', 'x\tr\ty\n#new\tr\ty\nz\tr\ty\n', 1),
    ('a.tsv', 'id\tsource\ttype\ttarget\n#1\tq\tr\tq\n2\tx\tr\ty\n3\tz\tr\ty\n', 1),
    ('a.tsv', '\n\nx\tr\ty\n\nz\tr\ty\n\n', 0),
  ],
)
def test_comments_and_blank_lines_are_skipped(tmp_path, name, content, comments):
  table = tables.read_table(write(tmp_path / name, content))
  assert rows(table) == [('x', 'r', 'y'), ('z', 'r', 'y')]
  assert [content.split('\n')[line - 1].count('y') for line in table.lines] == [1, 1]
  assert [note for note in table.notes if f'{comments} comment' in note] or not comments
  assert comments or not any('comment' in note for note in table.notes)


@pytest.mark.parametrize(
  'content',
  [
    '#a\tr\t#b\nc\tr\t#a\n',
    '#a\tr\tb\n#a\tr\tc\nb\tr\tc\n',
    '#a\tr\tb\n#c\tr\tb\n',
  ],
)
def test_names_that_begin_with_a_hash_are_names(tmp_path, content):
  path = write(tmp_path / 'a.tsv', content)
  expected = [tuple(line.split('\t')) for line in content.splitlines()]
  assert rows(tables.read_table(path)) == rows(tables.read_table(path, comments='no')) == expected


def test_comments_may_be_kept(tmp_path):
  path = write(tmp_path / 'a.tsv', 'x\tr\ty\n#new\tr\ty\n')
  assert len(tables.read_table(path, comments='no').heads) == 2
  with pytest.raises(errors.DataError, match='line 1.*1 column'):
    tables.read_table(write(tmp_path / 'a.tsv', '# title\nx\tr\ty\n'), comments='no')
  with pytest.raises(errors.DataError, match="'auto' or 'no'"):
    tables.read_table(path, comments='yes')


def test_a_count_before_numbers_is_explained(tmp_path):
  with pytest.raises(errors.DataError, match=r'line 1: 2 counts the lines.*OpenKE.*entity2id.txt.*columns=htr'):
    tables.read_table(write(tmp_path / 'train.txt', '2\n0 1 0\n1 0 0\n'))


def test_line_breaks_within_quotes_are_kept_and_told(tmp_path):
  table = tables.read_table(write(tmp_path / 'a.csv', 'head,relation,tail\n"x\n\n#x",r,y\nz,r,"y"\n'))
  assert rows(table) == [('x\n\n#x', 'r', 'y'), ('z', 'r', 'y')] and table.lines == [2, 5]
  assert 'a.csv: names hold line breaks in 1 triples, such as on line 2' in table.notes


def test_refused_arguments(tmp_path):
  path = write(tmp_path / 'a.txt', 'x\tr\ty\n')
  for columns in ('hr', 'hrr', 'srt', '', None):
    with pytest.raises(errors.DataError, match='permutation|in some order'):
      tables.read_table(path, columns)
  with pytest.raises(errors.DataError, match="'auto', 'yes' or 'no'"):
    tables.read_table(path, header='maybe')
  with pytest.raises(errors.DataError, match='nowhere.txt'):
    tables.read_table(tmp_path / 'nowhere.txt')


def test_the_fast_path_counts_bytes_not_characters(tmp_path):
  content = 'é\tü\tß\n北\t→\t京\n'
  table = tables.read_table(write(tmp_path / 'a.tsv', content))
  assert rows(table) == [('é', 'ü', 'ß'), ('北', '→', '京')]


def test_long_files_are_read_fast(tmp_path):
  path = write(tmp_path / 'a.tsv', ''.join(f'e{i % 9973}\tr{i % 7}\te{i % 7919}\n' for i in range(200_000)))
  start = time.perf_counter()
  assert len(tables.read_table(path).heads) == 200_000
  assert time.perf_counter() - start < 30
