"""RDF: identifiers, labels, what is left out, and what is recognised without a suffix."""

import gzip
import sys

import numpy as np
import pytest

from medjax.data import reading, triples
from medjax.errors import DataError

pytest.importorskip('pyoxigraph', reason='RDF needs pyoxigraph (the extra "rdf")')
X = 'http://x.test/'
FACTS = [('a', 'r', 'b'), ('b', 's', 'c'), ('c', 'r', 'a')]
EXPECTED = [tuple(X + name for name in fact) for fact in FACTS]
TURTLE = f'@prefix : <{X}> .\n' + ''.join(f':{h} :{r} :{t} .\n' for h, r, t in FACTS)
XML = (
  '<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
  f'xmlns:x="{X}">'
  + ''.join(
    f'<rdf:Description rdf:about="{X}{h}"><x:{r} rdf:resource="{X}{t}"/></rdf:Description>' for h, r, t in FACTS
  )
  + '</rdf:RDF>'
)


def lines(end=' .', separator=' '):
  return ''.join(separator.join(f'<{X}{name}>' for name in fact) + f'{end}\n' for fact in FACTS)


def read(path, content):
  path.write_bytes(content if isinstance(content, bytes) else content.encode())
  table = reading.read(path)
  return table, list(zip(table.heads, table.relations, table.tails))


@pytest.mark.parametrize(
  'name, content',
  [
    ('a.nt', lines()),
    ('a.nt', lines('.')),
    ('a.nt', lines('\t.', '\t')),
    ('a.nt', '# a comment\n\n' + lines(' . # another')),
    ('a.txt', lines()),
    ('a.txt', lines('.')),
    ('a.tsv', lines(' .', '\t')),
    ('a.tsv', '# a comment\n' + lines('.', '\t')),
    ('a.nt.gz', gzip.compress(lines().encode(), mtime=0)),
    ('a.nq', lines(f' <{X}g> .')),
    ('a.ttl', TURTLE),
    ('a.txt', TURTLE),
    ('a.ttl', TURTLE.replace('@prefix', 'PREFIX').replace('> .', '>', 1)),
    ('a.rdf', XML),
    ('a.owl', XML),
    ('a.owl', TURTLE),
    ('a.xml', XML),
    ('a.txt', XML),
  ],
)
def test_every_format_gives_the_same_triples(tmp_path, name, content):
  table, found = read(tmp_path / name, content)
  assert found == EXPECTED and table.labels == {}
  assert any('read as' in note for note in table.notes)


def test_names_in_angle_brackets_are_no_rdf(tmp_path):
  _, found = read(tmp_path / 'a.tsv', '<a b>\t<r>\t<c>\n<c>\t<r>\t<d>\n')
  assert found[0] == ('<a b>', '<r>', '<c>')


def test_literals_are_left_out_and_labels_kept(tmp_path):
  label = '<http://www.w3.org/2000/01/rdf-schema#label>'
  more = (
    f'<{X}a> {label} "ein A"@de .\n<{X}a> {label} "an A"@en .\n<{X}a> {label} "plain A" .\n'
    f'<{X}b> {label} "plain B" .\n<{X}b> {label} "un B"@fr .\n<{X}r> {label} "relates"@en .\n'
    f'<{X}c> <{X}height> "7" .\n'
  )
  (tmp_path / 'a.nt').write_text(lines() + more)
  graph = triples.split_file(tmp_path / 'a.nt', (1, 0, 0))
  assert graph.entities == (X + 'a', X + 'b', X + 'c') and graph.relations == (X + 'r', X + 's')
  assert graph.entity_labels == ('an A', 'plain B', X + 'c') and graph.relation_labels == ('relates', X + 's')
  assert 'a.nt: 7 triples with a literal for a tail left out; 3 of their heads got an rdfs:label' in graph.notes
  assert 'labels in the files of triples: for 2 of 3 entities' in graph.notes
  (tmp_path / 'entities.tsv').write_text(f'id\tlabel\n{X}a\tmine\n')
  assert triples.split_file(tmp_path / 'a.nt', (1, 0, 0)).entity_labels == ('mine', 'plain B', X + 'c')


def test_blank_nodes_have_the_same_names_every_time(tmp_path):
  content = TURTLE + ':a :r [ :s :b ] . _:mine :r :a . [] :r :c .\n'
  found = [read(tmp_path / 'a.ttl', content)[1] for _ in range(2)]
  assert found[0] == found[1]
  assert {name for row in found[0] for name in row if name.startswith('_:')} == {'_:a-1', '_:mine', '_:a-3'}


def test_a_folder_of_different_formats(tmp_path):
  (tmp_path / 'train.ttl').write_text(TURTLE)
  (tmp_path / 'valid.nt').write_text(f'<{X}a> <{X}r> <{X}c> .\n')
  (tmp_path / 'test.tsv').write_text(f'{X}a\t{X}s\t{X}c\n')
  graph = triples.read_folder(tmp_path)
  assert graph.num_entities == 3
  np.testing.assert_array_equal(graph.test, [[0, 1, 2]])
  (tmp_path / 'valid.nt').write_text(f'<{X}a> <{X}r> <{X}c> .\n<{X}a> <{X}q> <{X}c> .\n')
  with pytest.raises(DataError, match=r'valid.nt, triple 2: the relation'):
    triples.read_folder(tmp_path)


@pytest.mark.parametrize(
  'name, content, words',
  [
    ('a.nt', lines() + 'oops\n', 'line 4: no N-Triples'),
    ('a.ttl', TURTLE + ':a :r', 'no Turtle'),
    ('a.rdf', XML[:-20], 'no RDF/XML'),
    ('a.rdf', XML.replace(f'about="{X}', 'about="#'), 'Name a base'),
    ('a.xml', '<?xml version="1.0"?><graphml/>', 'XML, but not RDF/XML'),
    ('a.owl', 'Prefix(:=<http://x.test/>)\nOntology()', 'functional or Manchester.*robot convert'),
    ('a.nt', f'<{X}a> <{X}r> "b" .\n', 'no triple of three resources, only 1 with literals'),
    ('a.nt', '', 'no triple of three resources'),
    ('a.nt', b'<http://x.test/\xff> .', 'not UTF-8'),
  ],
)
def test_faults_name_the_file_and_the_remedy(tmp_path, name, content, words):
  with pytest.raises(DataError, match=words) as caught:
    read(tmp_path / name, content)
  assert name in str(caught.value)


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'pyoxigraph', None)
  with pytest.raises(DataError, match=r"pip install 'medjax\[rdf\]'"):
    read(tmp_path / 'a.txt', lines())
