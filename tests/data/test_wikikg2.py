"""ogbl-wikikg2's files as torch saves them, and files that try to do more than hold arrays."""

import gzip
import io
import os
import pathlib
import pickle
import zipfile

import numpy as np
import pytest

from medjax import config as config_lib
from medjax import data, errors
from medjax.data import arrays, datasets, wikikg2

QUERIES, CANDIDATES = 3, 5


def save_pt(path, value, **options):
  """Writes a value as torch.save does: a zip archive around a pickle of protocol 2."""
  file = io.BytesIO()
  pickle.Pickler(file, protocol=options.get('protocol', 2)).dump(value)
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr(f'{path.stem}/data.pkl', file.getvalue())
    archive.writestr(f'{path.stem}/version', '3\n')


def contents(seed=0):
  draw = np.random.default_rng(seed)
  make = lambda size: {
    'head': draw.integers(0, 9, size),
    'relation': draw.integers(0, 2, size),
    'tail': draw.integers(0, 9, size),
  }
  negatives = lambda: {f'{side}_neg': draw.integers(0, 9, (QUERIES, CANDIDATES)) for side in ('head', 'tail')}
  return {'train': make(20), 'valid': make(QUERIES) | negatives(), 'test': make(QUERIES) | negatives()}


def write(folder, values, save=save_pt, suffix='.pt'):
  for place in ('split/time', 'mapping'):
    (folder / place).mkdir(parents=True)
  for split, value in values.items():
    save(folder / 'split' / 'time' / f'{split}{suffix}', value)
  entities = 'node idx,entity id\n' + ''.join(f'{i},Q{i * 7}\n' for i in range(9))
  (folder / 'mapping' / 'nodeidx2entityid.csv.gz').write_bytes(gzip.compress(entities.encode()))
  (folder / 'mapping' / 'reltype2relid.csv.gz').write_bytes(gzip.compress(b'reltype,rel id\n0,P31\n1,P279\n'))
  return folder


@pytest.mark.parametrize('dtype', ['int64', 'int32', '>i4', 'uint8', 'float32'])
def test_arrays_of_numbers_are_read_exactly(tmp_path, dtype):
  saved = {
    'a': np.arange(12).astype(dtype).reshape(3, 4),
    'none': np.zeros((0, 3), dtype),
    'number': 7,
    'b': np.asfortranarray(np.arange(6).astype(dtype).reshape(2, 3)),
  }
  save_pt(tmp_path / 'x.pt', saved)
  found = arrays.read(tmp_path / 'x.pt')
  assert sorted(found) == ['a', 'b', 'none']
  for name, value in found.items():
    np.testing.assert_array_equal(value, saved[name])
    assert value.dtype == saved[name].dtype


class Evil:
  def __reduce__(self):
    return pathlib.Path.touch, (pathlib.Path('evil-was-here'),)


@pytest.mark.parametrize(
  'value, words',
  [
    ({'a': Evil()}, 'it calls for __builtin__.getattr'),
    ({'a': np.array([Evil()], object)}, "type 'O8' is none of numbers"),
    ({'a': io.BytesIO}, 'it calls for _io.BytesIO'),
    ({'a': len}, 'it calls for'),
    ([1], 'no dictionary'),
  ],
)
def test_nothing_but_arrays_is_read(tmp_path, monkeypatch, value, words):
  monkeypatch.chdir(tmp_path)
  save_pt(tmp_path / 'x.pt', value)
  with pytest.raises(errors.DataError) as error:
    arrays.read(tmp_path / 'x.pt')
  assert words in str(error.value) and not (tmp_path / 'evil-was-here').exists()


def test_a_file_that_is_no_archive_is_refused(tmp_path):
  (tmp_path / 'x.pt').write_bytes(b'nonsense')
  with pytest.raises(errors.DataError, match='x.pt: holds no dictionary'):
    arrays.read(tmp_path / 'x.pt')


@pytest.fixture
def needs_duckdb():
  pytest.importorskip('duckdb', reason='prepared graphs need DuckDB (the extra "big")')


@pytest.mark.usefixtures('needs_duckdb')
@pytest.mark.parametrize('form', ['pt', 'npz'])
def test_ids_triples_and_candidates_are_the_published_ones(tmp_path, monkeypatch, form):
  values = contents()
  root = tmp_path / 'root' / 'ogbl_wikikg2'
  write(root, values, **({} if form == 'pt' else {'save': lambda path, v: np.savez(path, **v), 'suffix': '.npz'}))
  root.rename(tmp_path / 'root' / 'wikikg2')
  source = datasets.REGISTRY['wikikg2']
  monkeypatch.setitem(
    datasets.REGISTRY,
    'wikikg2',
    type(source)(source.about, source.licence, large=source.large, counts=(9, 2, 20, QUERIES, QUERIES)),
  )
  graph = data.load(config_lib.DataConfig(name='wikikg2', root=str(tmp_path / 'root'), cache=str(tmp_path / 'cache')))
  for split, value in values.items():
    expected = np.stack([value[name] for name in ('head', 'relation', 'tail')], 1)
    np.testing.assert_array_equal(getattr(graph, split), expected)
  assert tuple(graph.entities) == tuple(f'Q{i * 7}' for i in range(9)) and graph.relations[1] == 'P279'
  found = graph.store.candidates('test')
  np.testing.assert_array_equal(found[0], values['test']['tail_neg'])
  np.testing.assert_array_equal(found[1], values['test']['head_neg'])
  assert isinstance(found, np.memmap) and graph.store.candidates('train') is None


@pytest.mark.usefixtures('needs_duckdb')
@pytest.mark.parametrize(
  'change, words',
  [
    (lambda v: v['train'].pop('tail'), 'train.pt: lacks tail; it holds head, relation'),
    (lambda v: v['test'].pop('head_neg'), 'test.pt: lacks head_neg'),
    (lambda v: v['test']['head_neg'].__setitem__((0, 0), 2**32 + 1), 'test.pt: head_neg holds ids outside of 0 to 8'),
    (lambda v: v['valid']['relation'].__setitem__(0, -1), 'valid.pt: relation holds ids outside of 0 to 1'),
  ],
)
def test_faults_are_named(tmp_path, change, words):
  values = contents()
  change(values)
  with pytest.raises(errors.DataError) as error:
    wikikg2.prepare(write(tmp_path / 'raw', values), tmp_path / 'store')
  assert words in str(error.value) and not (tmp_path / 'store').exists()


@pytest.mark.usefixtures('needs_duckdb')
def test_other_numbers_than_published_are_refused(tmp_path):
  with pytest.raises(errors.DataError, match='were published'):
    wikikg2.prepare(write(tmp_path / 'raw', contents()), tmp_path / 'store', (9, 2, 21, QUERIES, QUERIES))


def test_a_missing_file_is_named(tmp_path):
  with pytest.raises(errors.DataError, match='lacks train.npz or train.pt of ogbl-wikikg2'):
    wikikg2.find(tmp_path, 'train.npz', 'train.pt')


@pytest.mark.usefixtures('needs_duckdb')
@pytest.mark.parametrize('content', [b'node idx,entity id\n0,a\n1,b,c\n', b'\xff\n', b'', b'a,b\n' * 2, bytes(2**20)])
def test_a_damaged_file_of_names_is_told(tmp_path, content):
  folder = write(tmp_path / 'raw', contents())
  (folder / 'mapping' / 'nodeidx2entityid.csv.gz').write_bytes(gzip.compress(content))
  with pytest.raises(errors.DataError, match='nodeidx2entityid.csv.gz'):
    wikikg2.prepare(folder, tmp_path / 'store')


@pytest.mark.usefixtures('needs_duckdb')
def test_names_without_end_are_not_read(tmp_path):
  folder = write(tmp_path / 'raw', contents())
  path = folder / 'mapping' / 'reltype2relid.csv.gz'
  path.write_bytes(b'')
  os.truncate(path, 2**40)
  with pytest.raises(errors.DataError, match='reltype2relid.csv.gz, line 1: a zero byte'):
    wikikg2.prepare(folder, tmp_path / 'store')
