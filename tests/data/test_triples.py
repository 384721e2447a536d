"""Folders and single files become graphs: ids, checks, notes, splits."""

import gzip
import os
import pathlib

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from medjax.data import triples
from medjax.data.triples import DataError, read_folder, split_file


def write_folder(folder, train='a\tr\tb\nb\tr\tc\n', valid='a\tr\tc\n', test='c\tr\ta\n', suffix='.txt'):
  for name, content in (('train', train), ('valid', valid), ('test', test)):
    if content is not None:
      (folder / f'{name}{suffix}').write_text(content, encoding='utf-8')
  return folder


def named(graph, split):
  return [(graph.entities[h], graph.relations[r], graph.entities[t]) for h, r, t in getattr(graph, split)]


def test_folder(tmp_path):
  graph = read_folder(write_folder(tmp_path))
  assert graph.entities == graph.entity_labels == ('a', 'b', 'c') and graph.relations == ('r',)
  assert graph.num_entities == 3 and graph.num_relations == 1 and graph.notes == ()
  assert graph.name == tmp_path.name
  np.testing.assert_array_equal(graph.train, [[0, 0, 1], [1, 0, 2]])
  np.testing.assert_array_equal(graph.triples, [[0, 0, 1], [1, 0, 2], [0, 0, 2], [2, 0, 0]])
  assert graph.train.dtype == graph.valid.dtype == graph.test.dtype == np.int32


def test_ids_do_not_depend_on_line_order(tmp_path):
  (tmp_path / 'x').mkdir()
  (tmp_path / 'y').mkdir()
  one = read_folder(write_folder(tmp_path / 'x', 'a\tr\tb\nc\ts\tb\n', 'a\tr\tc\n', 'a\ts\tb\n'))
  two = read_folder(write_folder(tmp_path / 'y', 'c\ts\tb\na\tr\tb\n', 'a\tr\tc\n', 'a\ts\tb\n'))
  assert one.entities == two.entities and one.relations == two.relations
  assert sorted(named(one, 'train')) == sorted(named(two, 'train'))


def test_dev_gz_and_mixed_suffixes(tmp_path):
  (tmp_path / 'train.tsv.gz').write_bytes(gzip.compress(b'a\tr\tb\n'))
  (tmp_path / 'dev.csv').write_text('b,r,a\n')
  (tmp_path / 'test.txt').write_text('a r a\n')
  assert named(read_folder(tmp_path), 'valid') == [('b', 'r', 'a')]


def test_missing_and_doubled_splits(tmp_path):
  write_folder(tmp_path, valid=None)
  (tmp_path / 'holdout.txt').write_text('a\tr\tc\n')
  with pytest.raises(DataError, match=r'no file for valid: looked for valid/dev.*holdout\.txt, test\.txt, train\.txt'):
    read_folder(tmp_path)
  (tmp_path / 'holdout.txt').rename(tmp_path / 'valid.txt')
  (tmp_path / 'dev.tsv').write_text('a\tr\tc\n')
  with pytest.raises(DataError, match=r'several files for valid: valid\.txt, dev\.tsv'):
    read_folder(tmp_path)
  with pytest.raises(DataError, match='no such folder'):
    read_folder(tmp_path / 'elsewhere')


def test_unknown_relation(tmp_path):
  write_folder(tmp_path, test='head\trelation\ttail\na\tr\tb\na\tnew\tb\n')
  with pytest.raises(DataError, match=r"test\.txt, line 3: the relation 'new' never occurs in train.*Add"):
    read_folder(tmp_path)


def test_notes_count_what_was_found(tmp_path):
  train = 'a\tr\tb\na\tr\tb\na\tr\tb\nb\tr\ta\n'
  write_folder(tmp_path, train, 'a\tr\tb\nx\tr\tb\nx\tr\tb\n', 'a\tr\tb\ny\tr\tz\n')
  graph = read_folder(tmp_path)
  assert len(graph.train) == 2 and len(graph.valid) == 3 and len(graph.test) == 2
  assert graph.notes == (
    'train.txt: 2 duplicate triples removed',
    'valid: 1 duplicate triples, kept',
    'valid: 1 triples are also in train, kept',
    'test: 1 triples are also in train, kept',
    'test: 1 triples are also in valid, kept',
    'valid: 1 of 3 triples (33%) have their inverse in train, a triple from tail to head; see --mode=inspect',
    'test: 1 of 2 triples (50%) have their inverse in train, a triple from tail to head; see --mode=inspect',
    '3 entities are unseen in train; 2 valid and 1 test triples name them',
  )
  assert [graph.entities[i] for i in np.flatnonzero(graph.unseen_entities())] == ['x', 'y', 'z']


def test_lookalikes_are_kept_apart_and_noted(tmp_path):
  graph = read_folder(write_folder(tmp_path, 'New\u00a0York\tr\tNew York\na\tr\tc\n'))
  assert graph.num_entities == 4
  assert any(
    '1 groups of entities differ only in white space' in note and r'New\xa0York' in note for note in graph.notes
  )


def test_header_is_noted(tmp_path):
  graph = read_folder(write_folder(tmp_path, 'head\trelation\ttail\na\tr\tb\nb\tr\tc\n'))
  assert len(graph.train) == 2
  assert graph.notes == ('train.txt: line 1 taken for a header: head,relation,tail',)


LINES = st.lists(
  st.tuples(st.integers(0, 12), st.integers(0, 3), st.integers(0, 12)), min_size=40, max_size=150, unique=True
)


@hypothesis.given(lines=LINES, seed=st.integers(0, 5), random=st.randoms(use_true_random=False))
@hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
def test_split_laws(tmp_path_factory, lines, seed, random):
  folder = tmp_path_factory.mktemp('split')
  text = [f'e{h}\tr{r}\te{t}\n' for h, r, t in lines]
  (folder / 'a.txt').write_text(''.join(text))
  random.shuffle(text)
  (folder / 'b.txt').write_text(''.join(text) + text[0])
  graph, again = (split_file(folder / name, (0.5, 0.25, 0.25), seed) for name in ('a.txt', 'b.txt'))
  assert sorted(named(graph, 'train') + named(graph, 'valid') + named(graph, 'test')) == sorted(
    tuple(line.strip().split('\t')) for line in text
  )
  for split in ('train', 'valid', 'test'):  # the order of lines does not matter
    np.testing.assert_array_equal(getattr(graph, split), getattr(again, split))
  assert not graph.unseen_entities().any()
  assert set(graph.train[:, 1]) == set(range(graph.num_relations))
  assert len(graph.train) >= round(0.5 * len(lines))


def test_split_respects_shares_and_seed(tmp_path):
  path = tmp_path / 'facts.tsv'
  path.write_text(''.join(f'e{i % 20}\tr{i % 3}\te{i * 7 % 23}\n' for i in range(400)))
  graph, other = split_file(path), split_file(path, seed=1)
  total = len(graph.triples)
  assert [len(graph.train), len(graph.valid)] == [round(0.8 * total), round(0.9 * total) - round(0.8 * total)]
  assert graph.name == 'facts' and any('split by seed 0 into train' in note for note in graph.notes)
  assert named(graph, 'test') != named(other, 'test')


def test_rare_entities_go_to_train(tmp_path):
  path = tmp_path / 'x.tsv'
  path.write_text(''.join(f'e{i % 5}\tr\te{i // 5}\n' for i in range(25)) + 'rare\tr\te0\ne0\tonce\te1\n')
  for seed in range(8):
    graph = split_file(path, (0.4, 0.3, 0.3), seed)
    assert ('rare', 'r', 'e0') in named(graph, 'train') and ('e0', 'once', 'e1') in named(graph, 'train')


SMALL = {
  'ring': [(i, 0, (i + 1) % 40) for i in range(40)],
  'chain': [(i, 0, i + 1) for i in range(90)],
  'taxonomy': [(i, 0, (i - 1) // 3) for i in range(1, 120)],
  'two relations': [(i, i % 2, (i + 1) % 12) for i in range(12)],
  'least': [(i, 0, i + 1) for i in range(5)],
  'triangle and back': [(0, 0, 1), (1, 0, 2), (2, 0, 0), (0, 0, 2)],
}


@pytest.mark.parametrize('name', SMALL)
def test_graphs_of_which_little_can_be_spared_are_split(tmp_path, name):
  path = tmp_path / 'x.tsv'
  path.write_text(''.join(f'e{h}\tr{r}\te{t}\n' for h, r, t in SMALL[name]))
  for seed in range(4):
    graph, again = split_file(path, seed=seed), split_file(path, seed=seed)
    assert all(map(len, graph.splits)) and len(graph.triples) == len(SMALL[name])
    assert not graph.unseen_entities().any() and set(graph.train[:, 1]) == set(graph.triples[:, 1])
    np.testing.assert_array_equal(graph.triples, again.triples)
    if name in ('ring', 'chain', 'taxonomy'):
      total = len(SMALL[name])
      assert [len(part) for part in graph.splits[1:]] == [
        round(total * 0.9) - round(total * 0.8),
        total - round(total * 0.9),
      ]


def test_a_star_cannot_be_split(tmp_path):
  (tmp_path / 'a.tsv').write_text(''.join(f'e{i}\tr\thub\n' for i in range(30)))
  with pytest.raises(DataError, match=r'30 distinct triples.*leave none for valid.*data.split=1,0,0'):
    split_file(tmp_path / 'a.tsv')


@pytest.mark.parametrize('shares, empty', [('1,0,0', (1, 2)), ('0.9,0.1,0', (2,)), ('0.9,0,0.1', (1,))])
def test_shares_may_be_zero(tmp_path, shares, empty):
  path = tmp_path / 'a.tsv'
  path.write_text(''.join(f'e{i % 20}\tr{i % 3}\te{i * 7 % 23}\n' for i in range(400)))
  graph = split_file(path, shares.split(','))
  assert [not len(part) for part in graph.splits] == [i in empty for i in range(3)]
  lacking = ' and '.join(('valid', 'test')[i - 1] for i in empty)
  assert any(f'no triples for {lacking}: no' in note for note in graph.notes)


def test_train_alone_and_an_empty_valid(tmp_path):
  write_folder(tmp_path, valid=None, test=None)
  graph = read_folder(tmp_path)
  assert [len(part) for part in graph.splits] == [2, 0, 0] and graph.valid.dtype == np.int32
  assert graph.notes == ('no triples for valid and test: no validation and no evaluation of the training',)
  write_folder(tmp_path, valid='\n')
  graph = read_folder(tmp_path)
  assert [len(part) for part in graph.splits] == [2, 0, 1]
  assert graph.notes == ('no triples for valid: no validation of the training',)
  write_folder(tmp_path, train='\n')
  with pytest.raises(DataError, match=r'train.txt: the file is empty'):
    read_folder(tmp_path)


@pytest.mark.parametrize(
  'shares',
  [(0.8, 0.2), (0.8, 0.1, 0.2), (0.0, 0.5, 0.5), (1.2, -0.1, -0.1), ('a', 'b', 'c'), (float('nan'), 0.1, 0.1), None],
)
def test_bad_shares(tmp_path, shares):
  (tmp_path / 'a.txt').write_text('a\tr\tb\n')
  with pytest.raises(DataError, match='data.split'):
    split_file(tmp_path / 'a.txt', shares)


def test_too_small_to_split(tmp_path):
  (tmp_path / 'a.txt').write_text('a\tr\tb\nb\tr\tc\n')
  with pytest.raises(DataError, match='2 distinct triples.*Give more'):
    split_file(tmp_path / 'a.txt')


@pytest.mark.parametrize(
  'name, entities, relations, sizes, unseen',
  [
    ('fb15k-237', 14541, 237, (272115, 17535, 20466), 28),
    ('wn18rr', 40943, 11, (86835, 3034, 3134), 210),
    ('codex-m', 17050, 51, (185584, 10310, 10311), 0),
    ('umls', 135, 46, (5216, 652, 661), 0),
    ('nations', 14, 55, (1592, 199, 201), 0),
  ],
)
def test_published_counts(name, entities, relations, sizes, unseen):
  folder = pathlib.Path(os.environ.get('MEDJAX_DATA_ROOT', '')) / name
  if not os.environ.get('MEDJAX_DATA_ROOT') or not folder.is_dir():
    pytest.skip(f'set MEDJAX_DATA_ROOT to a folder that holds {name}')
  graph = triples.read_folder(folder)
  assert (graph.num_entities, graph.num_relations) == (entities, relations)
  assert (len(graph.train), len(graph.valid), len(graph.test)) == sizes
  assert int(graph.unseen_entities()[graph.test[:, [0, 2]]].any(axis=1).sum()) == unseen
  assert not any('duplicate' in note or 'also in' in note for note in graph.notes)
  if name == 'wn18rr':
    assert graph.entity_labels[graph.entities.index('00260881')] == 'land_reform.n.01'
    assert len(set(graph.entity_labels)) == entities
  if name == 'fb15k-237':
    assert graph.entity_labels[graph.entities.index('/m/06cx9')] == 'Republic'
  if name == 'codex-m':
    assert graph.relation_labels[graph.relations.index('P161')] == 'cast member'
    assert 'entities.en.tsv: labels for 5134 of 17050 entities' in graph.notes
