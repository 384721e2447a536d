"""Prepared graphs: the same ids and triples as graphs that were read, whatever the files look like."""

import bz2
import errno
import gzip
import io
import json
import lzma
import os
import pathlib
import random

import numpy as np
import pandas as pd
import pytest

from medjax import config as config_lib
from medjax import data, errors
from medjax.data import datasets, engine, store, triples

pytest.importorskip('duckdb', reason='prepared graphs need DuckDB (the extra "big")')
ODD = ('"quoted', "it's", 'NULL', '\\N', '#mark', ' spaces ', 'é', 'z\u0301', '日本', 'comma,', '\x01')


def random_lines(seed, size, names=40):
  draw = np.random.default_rng(seed)
  name = lambda i: ODD[i] if i < len(ODD) else f'e{i}'
  return [f'{name(h)}\tr{r}\t{name(t)}\n' for h, r, t in draw.integers(0, [names, 3, names], (size, 3))]


def write(folder, sizes=(600, 30, 40)):
  folder.mkdir(parents=True)
  for seed, (split, size) in enumerate(zip(triples.SPLITS, sizes)):
    (folder / f'{split}.tsv').write_text(''.join(random_lines(seed, size)), encoding='utf-8', newline='')
  return folder


def prepared(path, output, **fields):
  return datasets.prepare(config_lib.DataConfig(path=str(path), **fields), output)


def in_order(rows):
  return rows[np.lexsort(rows.T[::-1])]


def assert_same(ours, read):
  assert (ours.name, ours.num_entities, ours.num_relations) == (read.name, read.num_entities, read.num_relations)
  for names in ('entities', 'relations', 'entity_labels', 'relation_labels'):
    assert tuple(getattr(ours, names)) == getattr(read, names)
  for split in triples.SPLITS:
    assert getattr(ours, split).dtype == np.int32
    np.testing.assert_array_equal(getattr(ours, split), in_order(getattr(read, split)))
  np.testing.assert_array_equal(ours.relation_categories(), read.relation_categories())
  np.testing.assert_array_equal(ours.unseen_entities(), read.unseen_entities())


def test_a_prepared_graph_is_the_graph_that_was_read(tmp_path):
  folder = write(tmp_path / 'mine')
  (folder / 'entities.tsv').write_text("id\tlabel\ne20\tTwenty\nit's\tIt's\ne21\t\nunknown\tNobody\n")
  (folder / 'relations.json').write_text('{"r1": {"label": "one"}}')
  ours, read = prepared(folder, tmp_path / 'store'), triples.read_folder(folder)
  assert_same(ours, read)
  counted = [note for note in read.notes if 'differ only' not in note]
  assert sorted(ours.notes) == sorted(counted) and any('are unseen' in note or 'duplicate' in note for note in counted)


def test_a_split_of_only_a_header_is_told(tmp_path):
  folder = write(tmp_path / 'mine')
  (folder / 'valid.tsv').write_text('head\trelation\ttail\n')
  with pytest.raises(errors.DataError, match="valid.tsv: nothing follows the header 'head,relation,tail'"):
    prepared(folder, tmp_path / 'store')


@pytest.mark.parametrize('form', ['gz', 'gz-unnamed', 'csv', 'crlf', 'header', 'order', 'bom', 'spaces'])
def test_every_form_of_text_gives_the_same_graph(tmp_path, form):
  lines = {
    split: [line.rstrip('\n').split('\t') for line in random_lines(seed, size)]
    for seed, (split, size) in enumerate(zip(triples.SPLITS, (300, 20, 20)))
  }
  if form == 'spaces':
    lines = {split: [[field.replace(' ', '_') for field in row] for row in rows] for split, rows in lines.items()}
  folder, fields, suffix = tmp_path / 'mine', {}, {'csv': '.csv', 'gz': '.tsv.gz', 'spaces': '.txt'}.get(form, '.tsv')
  folder.mkdir()
  for split, rows in lines.items():
    text = ''.join('\t'.join(row) + '\n' for row in rows)
    if form == 'csv':
      text = ''.join(','.join('"' + field.replace('"', '""') + '"' for field in row) + '\n' for row in rows)
    elif form == 'crlf':
      text = text.replace('\n', '\r\n')
    elif form == 'header':
      text = f'head\trelation\ttail\n{text}'
    elif form == 'order':
      fields, text = {'columns': 'htr'}, ''.join('\t'.join([row[0], row[2], row[1]]) + '\n' for row in rows)
    elif form == 'bom':
      text = f'\ufeff{text}'
    elif form == 'spaces':
      text = text.replace('\t', ' ')
    content = text.encode()
    (folder / f'{split}{suffix}').write_bytes(gzip.compress(content) if 'gz' in form else content)
  assert_same(prepared(folder, tmp_path / 'store', **fields), triples.read_folder(folder, **fields))


FORMS = {  # name of a form: (suffix, fields of the configuration, text of some rows)
  'comments': ('.tsv', {}, lambda rows: '# a title\n#\n' + text(rows[:5]) + f'#{text(rows[:1])}' + text(rows[5:])),
  'marked names': ('.tsv', {}, lambda rows: text([[f'#{h}', r, f'#{t}'] for h, r, t in rows])),
  'marked header': ('.tsv', {}, lambda rows: '#tail\trelation\thead\n' + text([row[::-1] for row in rows])),
  'blank lines': ('.tsv', {}, lambda rows: '\n\n' + text(rows[:5]) + '\n\n' + text(rows[5:])),
  'more columns': (
    '.csv',
    {},
    lambda rows: (
      'id,source,weight,type,target\n' + text([[str(i), r[0], '.5', *r[1:]] for i, r in enumerate(rows)], ',')
    ),
  ),
  'by number': (
    '.txt',
    {'columns': '4,1,3'},
    lambda rows: text([[r, str(i), t, h] for i, (h, r, t) in enumerate(rows)], ' '),
  ),
  'by name': ('.tsv', {'columns': 'a,b,c'}, lambda rows: 'c\td\tb\ta\n' + text([[t, 'x', r, h] for h, r, t in rows])),
  'semicolons': ('.csv', {}, lambda rows: 'source;target;type\n' + text([[h, t, r] for h, r, t in rows], ';')),
  'put together': ('.tsv', {}, lambda rows: 's\tp\to\n' + text(rows[:5]) + 's\tp\to\n' + text(rows[5:])),
  'quoted line breaks': (
    '.csv',
    {},
    lambda rows: text([[f'"{h}\n\n#{h}"', r, f'"{h}\n\n#{t}"'] for h, r, t in rows], ','),
  ),
  'bzip2': ('.tsv.bz2', {}, lambda rows: bz2.compress(text(rows).encode())),
  'xz': ('.tsv.xz', {'columns': 'trh'}, lambda rows: lzma.compress(text([row[::-1] for row in rows]).encode())),
}


def text(rows, separator='\t'):
  return ''.join(separator.join(row) + '\n' for row in rows)


@pytest.mark.parametrize('form', FORMS)
def test_what_a_training_reads_is_prepared_alike(tmp_path, form):
  suffix, fields, write_rows = FORMS[form]
  draw, folder = np.random.default_rng(0), tmp_path / 'mine'
  folder.mkdir()
  for split, size in zip(triples.SPLITS, (200, 20, 20)):
    rows = [[f'e{h}', f'r{r}', f'e{t}'] for h, r, t in draw.integers(0, [30, 3, 30], (size, 3))]
    content = write_rows(rows)
    (folder / f'{split}{suffix}').write_bytes(content if isinstance(content, bytes) else content.encode())
  ours, read = prepared(folder, tmp_path / 'store', **fields), triples.read_folder(folder, **fields)
  assert_same(ours, read)
  assert read.num_entities == 30 or form == 'quoted line breaks'
  counted = [
    {note.partition(', such as')[0] for note in graph.notes if 'line breaks' not in note} for graph in (ours, read)
  ]
  assert counted[0] == counted[1]


@pytest.mark.parametrize('columns', ['hrt', 'htr', 'rht'])
def test_what_looks_odd_is_told_alike(tmp_path, columns):
  path = tmp_path / 'facts.tsv'
  path.write_text('Kopf\tArt\tEnde\n' + ''.join(f'e{i % 20}\tr{i % 3}\te{i * 7 % 23}\n' for i in range(200)))
  ours, read = (
    prepared(path, tmp_path / 'store', columns=columns, split='1,0,0'),
    triples.split_file(path, (1, 0, 0), 0, columns),
  )
  assert set(ours.notes) == set(read.notes)
  odd = 'another order' if columns != 'hrt' else 'may be a header'
  assert any(odd in note for note in ours.notes)


@pytest.mark.parametrize(
  'name, content, words',
  [
    ('a.nt', '<x:a> <x:r> <x:b> .\n', 'this is RDF, and --mode=prepare reads only text'),
    ('a.txt', '<x:a> <x:r> <x:b>.\n', 'this is RDF'),
    ('a.parquet', 'PAR1', 'this is Parquet'),
    ('train2id.txt', '1\n0 0 0\n', "this is OpenKE's"),
  ],
)
def test_formats_that_are_not_prepared_are_named(tmp_path, name, content, words):
  (tmp_path / name).write_text(content)
  with pytest.raises(errors.DataError, match=words):
    prepared(tmp_path if name == 'train2id.txt' else tmp_path / name, tmp_path / 'store')


def test_train_alone_is_prepared(tmp_path):
  (tmp_path / 'mine').mkdir()
  (tmp_path / 'mine' / 'train.tsv').write_text('a\tr\tb\nb\tr\tc\n')
  ours = prepared(tmp_path / 'mine', tmp_path / 'store')
  assert [len(part) for part in data.load(config_lib.DataConfig(path=str(tmp_path / 'store'))).splits] == [2, 0, 0]
  assert 'no triples for valid and test: no validation and no evaluation of the training' in ours.notes
  whole = prepared(tmp_path / 'mine' / 'train.tsv', tmp_path / 'other', split='1,0,0')
  assert [len(part) for part in whole.splits] == [2, 0, 0]


def test_a_small_ring_is_split(tmp_path):
  path = tmp_path / 'ring.tsv'
  path.write_text(''.join(f'e{i}\tnext\te{(i + 1) % 6}\n' for i in range(6)))
  for seed in range(5):
    ours = prepared(path, tmp_path / f'store{seed}', split_seed=seed)
    assert all(map(len, ours.splits)) and not ours.unseen_entities().any()


def test_a_store_depends_on_the_set_of_lines_alone(tmp_path):
  folder = write(tmp_path / 'mine')
  first = prepared(folder, tmp_path / 'first')
  lines = (folder / 'train.tsv').read_text().splitlines(keepends=True)
  (folder / 'train.tsv').write_text(''.join(sorted(lines) + lines[:5]))
  assert prepared(folder, tmp_path / 'second').store.hash == first.store.hash


def test_one_file_is_split_into_all_of_its_triples(tmp_path):
  path = tmp_path / 'facts.tsv'
  path.write_text(''.join(random_lines(0, 2000)))
  ours, other = (
    prepared(path, tmp_path / name, split='0.6,0.2,0.2', split_seed=seed) for name, seed in (('a', 0), ('b', 1))
  )
  read = triples.split_file(path)
  np.testing.assert_array_equal(in_order(ours.triples), in_order(read.triples))
  assert not ours.unseen_entities().any() and set(ours.train[:, 1]) == {0, 1, 2}
  assert 0.15 < len(ours.test) / len(read.triples) < 0.25
  assert other.store.hash != ours.store.hash
  assert prepared(path, tmp_path / 'c', split='0.6,0.2,0.2').store.hash == ours.store.hash


@pytest.mark.parametrize(
  'train, words',
  [
    (b'a\tr\tb\nc\tr\n', 'train.tsv, line 2: 2 columns instead of 3'),
    (b'a\tr\tb\nb\tr\tc\td\n', 'train.tsv, line 2: 4 columns instead of 3'),
    (b'a\tr\tb\n\nb\t\tc\n', 'train.tsv, line 3: field 2 of 3 is empty'),
    (b'a\tr\tb\nb\t \tc\n', 'train.tsv, line 2: field 2 of 3 is empty'),
    (b'a\tr\tb\nb\tr\t\xff\n', 'train.tsv, line 2: byte'),
    (b'a\tr\tb\nb\tr\tc\0\n', 'train.tsv, line 2: a zero byte'),
    (b'', 'train.tsv: the file is empty'),
    (b'tail\trelation\thead\na\tr\tb\n', "order 'trh'"),
    (gzip.compress(b'a\tr\tb\n' * 1000, mtime=0)[:-9], 'train.tsv: cannot be read'),
    (b'a\tq\tb\n', 'valid.tsv, line 1: the relation'),
  ],
)
def test_faults_are_named_by_file_and_line(tmp_path, train, words):
  folder = write(tmp_path / 'mine')
  (folder / 'train.tsv').write_bytes(train)
  with pytest.raises(errors.DataError) as error:
    prepared(folder, tmp_path / 'store')
  assert words in str(error.value)
  assert sorted(path.name for path in tmp_path.iterdir()) == ['mine']  # nothing half made is left


def test_an_output_that_holds_something_is_left_alone(tmp_path):
  folder = write(tmp_path / 'mine')
  with pytest.raises(errors.DataError, match='is not an empty folder'):
    prepared(folder, folder)
  assert len(list(folder.iterdir())) == 3


def test_a_store_is_mapped_and_its_names_are_read_when_looked_at(tmp_path):
  folder = prepared(write(tmp_path / 'mine'), tmp_path / 'store').store.folder
  graph = data.load(config_lib.DataConfig(path=str(folder)))
  assert all(isinstance(part, np.memmap) and part.mode == 'r' for part in graph.splits)
  (folder / 'entities.parquet').rename(tmp_path / 'away')
  assert len(graph.entities) == graph.num_entities == 40
  (tmp_path / 'away').rename(folder / 'entities.parquet')
  assert graph.entities[39] == '日本' and 'é' in graph.entities


def test_a_damaged_store_is_refused(tmp_path):
  folder = prepared(write(tmp_path / 'mine'), tmp_path / 'store').store.folder
  manifest = json.loads((folder / 'store.json').read_text())
  with (folder / 'train.npy').open('ab') as file:
    file.write(b'\0')
  with pytest.raises(errors.DataError, match='train.npy was changed'):
    store.open_graph(folder)
  (folder / 'store.json').write_text(json.dumps(manifest | {'entities': 7}))
  with pytest.raises(errors.DataError, match='was changed'):
    store.open_graph(folder)
  (folder / 'store.json').write_text(json.dumps(manifest | {'format': 9}))
  with pytest.raises(errors.DataError, match='format 9'):
    store.open_graph(folder)


def test_no_flipped_bit_of_a_store_is_trained_on(tmp_path):
  folder, draw = prepared(write(tmp_path / 'mine'), tmp_path / 'store').store.folder, random.Random(0)
  assert all(store.states(folder).values())
  for path in sorted(folder.iterdir()):
    content = path.read_bytes()
    for bit in draw.sample(range(len(content) * 8), 30):
      changed = bytearray(content)
      changed[bit // 8] ^= 1 << bit % 8
      path.write_bytes(changed)
      with pytest.raises(errors.DataError):
        store.check(store.open_graph(folder))
      if path.suffix == '.parquet':
        with pytest.raises(errors.DataError, match=f'{path.name} is damaged'):
          getattr(store.open_graph(folder), path.stem)[0]
    path.write_bytes(content)
  store.check(store.open_graph(folder))


def test_a_store_from_before_its_name_was_hashed_is_opened(tmp_path):
  folder = prepared(write(tmp_path / 'mine'), tmp_path / 'store').store.folder
  manifest = json.loads((folder / 'store.json').read_text())
  del manifest['whole']
  (folder / 'store.json').write_text(json.dumps(manifest))
  assert store.open_graph(folder).store.hash == manifest['hash']


def test_wikidata5m_in_its_published_form(tmp_path):
  folder = tmp_path / 'root' / 'Wikidata5M'
  folder.mkdir(parents=True)
  for split, text in {
    'train': 'Q1\tP1\tQ2\nQ2\tP1\tQ10\nQ3\tP2\tQ1\n',
    'valid': 'Q1\tP2\tQ3\n',
    'test': 'Q10\tP1\tQ3\n',
  }.items():
    (folder / f'wikidata5m_transductive_{split}.txt').write_text(text)
  (folder / 'wikidata5m_entity.txt').write_text('Q1\tone\tthe first\nQ10\tten\nQ99\tnobody\n')
  (folder / 'wikidata5m_relation.txt').write_text('P1\tprecedes\tis before\nP2\tfollows\n')
  config = config_lib.DataConfig(name='wikidata5m', root=str(tmp_path / 'root'), cache=str(tmp_path / 'cache'))
  for _ in range(2):  # prepared, then opened
    graph = data.load(config)
    assert tuple(graph.entities) == ('Q1', 'Q10', 'Q2', 'Q3') and graph.name == 'wikidata5m'
    assert tuple(graph.entity_labels) == ('one', 'ten', 'Q2', 'Q3')
    assert tuple(graph.relation_labels) == ('precedes', 'follows')
    np.testing.assert_array_equal(graph.train, [[0, 0, 2], [2, 0, 1], [3, 1, 0]])
    assert graph.notes[0] == 'licence: Wikidata: CC0'
    (folder / 'wikidata5m_transductive_valid.txt').unlink(missing_ok=True)
  with pytest.raises(errors.DataError, match='lacks wikidata5m_transductive_valid.txt'):
    datasets.prepare(config, tmp_path / 'again')


def test_what_a_database_needs_meanwhile_is_gone_after_it(tmp_path):
  with engine.connected(tmp_path) as connection:
    connection.execute('CREATE TABLE a AS SELECT 1')
    (tmp_path / 'work' / 'left.wal').write_bytes(b'as on a full disk')
  assert list(tmp_path.iterdir()) == []
  with pytest.raises(ValueError, match='another'), engine.connected(tmp_path):
    raise ValueError('another')
  assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
  'words', ['IO Error: Could not write file "a": No space left on device', 'max_temp_directory_size']
)
def test_a_disk_that_is_full_for_the_database_is_told_as_such(tmp_path, words):
  duckdb = pytest.importorskip('duckdb')
  with pytest.raises(OSError, match='No space left') as caught, engine.connected(tmp_path):
    raise duckdb.IOException(words)
  assert caught.value.errno == errno.ENOSPC
  with pytest.raises(OSError, match='File too large'), engine.connected(tmp_path):
    raise duckdb.IOException('IO Error: Could not write file "a": File too large')


def test_a_store_whose_manifest_fits_its_damage_is_refused(tmp_path):
  folder = prepared(write(tmp_path / 'mine'), tmp_path / 'store').store.folder
  counts, whole = json.loads((folder / 'store.json').read_text()), (folder / 'entities.parquet').read_bytes()
  numbers = io.BytesIO()
  pd.DataFrame({'name': range(counts['entities']), 'label': ''}).to_parquet(numbers)
  for name, content, words in (
    ('entities.parquet', whole[:-9], 'entities.parquet: cannot be read'),
    ('entities.parquet', numbers.getvalue(), 'entities.parquet: .* holds no .* names'),
    ('valid.npy', b'', 'is no prepared graph or is damaged'),
  ):
    (folder / name).write_bytes(content)
    store.write_manifest(folder, 'mine', {name: counts[name] for name in ('entities', 'relations', 'splits')}, ())
    with pytest.raises(errors.DataError, match=words):
      store.open_graph(folder).entities[0]


@pytest.mark.skipif(not pathlib.Path('/dev/zero').exists(), reason='no such device here')
def test_a_device_in_the_place_of_a_manifest_is_not_read(tmp_path):
  (tmp_path / 'store.json').symlink_to('/dev/zero')
  with pytest.raises(errors.DataError, match='store.json is a device'):
    store.open_graph(tmp_path)


@pytest.mark.parametrize('name', ['entities.parquet', 'valid.npy'])
def test_a_file_that_says_to_have_a_terabyte_is_not_read_to_its_end(tmp_path, monkeypatch, name):
  folder = prepared(write(tmp_path / 'mine'), tmp_path / 'store').store.folder
  manifest = json.loads((folder / 'store.json').read_text())
  os.truncate(folder / name, 2**40)
  manifest['files'][name]['bytes'] = 2**40
  manifest |= {'hash': store.digest(manifest)}
  (folder / 'store.json').write_text(json.dumps(manifest | {'whole': store.whole_digest(manifest)}))
  monkeypatch.setattr(store.source, 'sha256', lambda path: pytest.fail(f'{path} was read'))
  with pytest.raises(errors.DataError, match='is no prepared graph or is damaged'):
    store.open_graph(folder)
