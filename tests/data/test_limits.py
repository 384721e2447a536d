"""What unpacks without end, or says that it is large, ends with an error of the product's own, in bounded memory."""

import bz2
import gzip
import io
import lzma
import os
import pathlib
import pickle
import tarfile
import tracemalloc
import zipfile

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from medjax import data, errors
from medjax.config import DataConfig
from medjax.core import memory
from medjax.data import arrays, contents, download, labels, limits, openke, reading

MIB = 2**20
LINE = b'a\tr\tb\n'
MAKERS = {'gz': gzip.compress, 'bz2': bz2.compress, 'xz': lambda content: lzma.compress(content, preset=0)}


@pytest.fixture
def small(monkeypatch):
  """Limits of a test's size: a MiB is always allowed."""
  monkeypatch.setattr(limits, 'SMALL', MIB)


def peak_of(work):
  """The most bytes that Python and NumPy held at once while `work` ran, besides what they held before."""
  tracemalloc.start()
  try:
    work()
  finally:
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
  return peak


def refused(kind, read, path):
  with pytest.raises(kind):
    read(path)


@pytest.mark.parametrize('kind', MAKERS)
def test_a_bomb_is_refused_before_it_fills_memory(tmp_path, small, kind):
  path = tmp_path / f'train.tsv.{kind}'
  path.write_bytes(MAKERS[kind](LINE * 500_000))  # 3 MB of one triple

  def read():
    with pytest.raises(errors.TooLarge, match=r'unpack to more than .*--config\.data\.max_bytes=BYTES'):
      reading.read(path)

  assert peak_of(read) < 6 * MIB
  with limits.up_to(2 * MIB), pytest.raises(errors.TooLarge, match=r'more than 2\.0 MiB'):
    reading.read(path)


def test_a_field_allows_more_and_less(tmp_path, small):
  path = tmp_path / 'facts.tsv.gz'
  path.write_bytes(gzip.compress(b''.join(b'e%06d\tr\te%06d\n' % (i, i + 1) for i in range(20)) + LINE * 200_000))
  with pytest.raises(errors.TooLarge):
    data.load(DataConfig(path=str(path)))
  graph = data.load(DataConfig(path=str(path), max_bytes=1e7))
  assert sum(map(len, graph.splits)) == 21
  with pytest.raises(errors.TooLarge, match=r'more than 1\.0 KiB'):
    data.load(DataConfig(path=str(path), max_bytes=1024.0))
  assert limits.unpacked(1) == MIB  # the field holds for one call


def test_a_bomb_is_refused_when_a_graph_is_prepared(tmp_path, small):
  path = tmp_path / 'facts.tsv.gz'
  path.write_bytes(gzip.compress(LINE * 2_000_000))
  for comments in ('auto', 'no'):
    with pytest.raises(errors.TooLarge, match='unpack to more'):
      data.datasets.prepare(DataConfig(path=str(path), comments=comments), tmp_path / 'store')
  assert not (tmp_path / 'store').exists()


def test_strings_that_do_not_fit_into_memory_are_refused_before_they_are_made(tmp_path, monkeypatch):
  path = tmp_path / 'facts.tsv'
  path.write_bytes(LINE * 500_000)  # 3 MB of text, 108 MB of strings
  monkeypatch.setenv(memory.VARIABLE, '4e7')
  with pytest.raises(errors.TooLarge, match=r'the text, with 1,500,000 fields.*--mode=prepare'):
    reading.read(path)


def test_a_file_that_does_not_fit_into_memory_is_not_read_to_its_end(tmp_path, small, monkeypatch):
  path = tmp_path / 'facts.nt'
  with path.open('wb') as file:
    file.truncate(2**40)
  monkeypatch.setenv(memory.VARIABLE, '1e7')
  assert peak_of(lambda: refused(errors.TooLarge, contents.read_bytes, path)) < 32 * MIB


def test_parquet_of_one_triple_many_times_is_refused(tmp_path, small):
  arrow = pytest.importorskip('pyarrow')
  from pyarrow import parquet

  column = arrow.DictionaryArray.from_arrays(np.zeros(2_000_000, np.int8), ['a'])
  parquet.write_table(arrow.table({'head': column, 'relation': column, 'tail': column}), tmp_path / 'a.parquet')
  with pytest.raises(errors.TooLarge, match='unpack to more'):
    reading.read(tmp_path / 'a.parquet')


RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e/">'
NODE = '<rdf:Description rdf:about="http://a/"><e:r>'


def test_xml_that_grows_or_is_nested_without_end_is_refused(tmp_path):
  path = tmp_path / 'a.rdf'
  deep = 100_000
  path.write_text(RDF + NODE * deep + '</e:r></rdf:Description>' * deep + '</rdf:RDF>')
  with pytest.raises(errors.DataError, match='a.rdf, line 1: elements are nested more than 1000 deep'):
    reading.read(path)
  grown = ''.join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
  start = f'<?xml version="1.0"?><!DOCTYPE rdf:RDF [<!ENTITY l0 "laugh">{grown}]>'
  path.write_text(f'{start}{RDF}{NODE}&l11;</e:r></rdf:Description></rdf:RDF>')
  with pytest.raises(errors.DataError, match='a.rdf, line 1: no RDF/XML .*amplification'):
    reading.read(path)


def write_npz(path, **members):
  with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as packed:
    for name, content in members.items():
      packed.writestr(f'{name}.npy', content)
  return path


def npy(array, shape=None, dtype=None):
  """The bytes of a .npy whose header says what it likes."""
  file = io.BytesIO()
  header = {'descr': dtype or array.dtype.str, 'fortran_order': False, 'shape': shape or array.shape}
  np.lib.format.write_array_header_1_0(file, header)
  return file.getvalue() + array.tobytes()


def test_an_archive_of_arrays_is_looked_at_before_it_is_unpacked(tmp_path, small, monkeypatch):
  path = write_npz(tmp_path / 'triples.npz', train=npy(np.zeros((10**6, 3), np.int32)))  # 12 MB of zeros
  assert peak_of(lambda: refused(errors.TooLarge, arrays.read_npz, path)) < MIB
  fine = write_npz(tmp_path / 'fine.npz', train=npy(np.arange(6, dtype=np.int32)), valid=npy(np.ones((2, 3))))
  assert {name: array.tolist() for name, array in arrays.read_npz(fine).items()} == {
    'train': list(range(6)),
    'valid': [[1.0] * 3] * 2,
  }
  monkeypatch.setenv(memory.VARIABLE, '10')
  with pytest.raises(errors.TooLarge, match='what it unpacks to needs about 72 bytes'):
    arrays.read_npz(fine)


def test_json_of_many_small_values_is_refused_before_they_are_made(tmp_path, small, monkeypatch):
  path = tmp_path / 'entities.json'
  path.write_text('{"a": [' + '[],' * 10**5 + '[]]}')
  assert labels.read_file(path).labels == {}
  monkeypatch.setenv(memory.VARIABLE, '1e6')

  def read():
    with pytest.raises(errors.TooLarge, match='entities.json: its JSON, with 200,004 values, needs about'):
      labels.read_file(path)

  assert peak_of(read) < 4 * MIB  # of the lists alone there would be 8


@pytest.mark.parametrize(
  'content',
  [
    npy(np.zeros(3, np.int32), (2**40,)),
    npy(np.zeros(3, np.int32), (-3,)),
    npy(np.zeros(3, np.int32), (4,)),
    npy(np.zeros(8, np.int8), (1,), '|O'),
    b'\x93NUMPY\x03\x00' + bytes(100),
    b'\x93NUMPY\x01\x00\xff\xff' + b'(' * 65535,
    b'nothing',
  ],
)
def test_a_header_that_is_not_true_is_refused(tmp_path, content):
  for path, read in ((tmp_path / 'a.npz', arrays.read_npz), (tmp_path / 'a.npy', arrays.read_npy)):
    write_npz(path, train=content) if path.suffix == '.npz' else path.write_bytes(content)
    assert peak_of(lambda path=path, read=read: refused(ValueError, read, path)) < MIB


def tensor(size, stride):
  """A pickle of a tensor that repeats its numbers."""
  rebuilt = b'ctorch._utils\n_rebuild_tensor_v2\n'
  storage = b"(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI4\ntQ"
  numbers = lambda values: b'(' + b''.join(b'I%d\n' % value for value in values) + b't'
  return b'\x80\x02(dS"w"\n' + rebuilt + b'(' + storage + b'I0\n' + numbers(size) + numbers(stride) + b'tRs.'


def write_torch(path, content):
  with zipfile.ZipFile(path, 'w') as packed:
    packed.writestr('m/data.pkl', content)
    packed.writestr('m/data/0', np.ones(4, np.float32).tobytes())
  return path


@pytest.mark.parametrize(
  'content',
  [
    tensor((2**20, 2**20), (0, 0)),
    b'\x80\x02Nr\xff\xff\xff\x7f.',  # a memo of two billion places
    b'\x80\x04\x8e' + (2**40).to_bytes(8, 'little') + b'.',
    b'(' * 100_000 + b't' * 100_000 + b'.',
  ],
)
def test_a_model_of_another_library_that_asks_for_much_gets_nothing(tmp_path, content):
  path = write_torch(tmp_path / 'm.pt', content)

  def read():
    try:
      found, _ = arrays.read_tensors(path)
      assert sum(array.nbytes for array in found.values()) < MIB
    except errors.MedjaxError:
      pass

  assert peak_of(read) < 64 * MIB


def test_a_model_that_holds_itself_many_times_is_not_walked_to_its_end(tmp_path):
  inner = {'w': 1.0}
  for _ in range(40):
    inner = {'a': inner, 'b': inner}
  path = write_torch(tmp_path / 'm.pt', pickle.dumps(inner, 2))
  with pytest.raises(errors.DataError, match='nested too deeply, or holds too much'):
    arrays.read_tensors(path)


def test_an_archive_that_holds_more_than_it_may_is_not_unpacked(tmp_path, small):
  path = tmp_path / 'a.tar.gz'
  with tarfile.open(path, 'w:gz') as tar:
    info = tarfile.TarInfo('other')
    info.size = 8 * MIB
    tar.addfile(info, io.BytesIO(bytes(info.size)))
  with pytest.raises(errors.TooLarge, match='unpack to more'):
    download.unpack(path, ['train.txt'], tmp_path)
  with zipfile.ZipFile(tmp_path / 'a.zip', 'w', zipfile.ZIP_DEFLATED) as packed:
    packed.writestr('train.txt', bytes(8 * MIB))
  with pytest.raises(errors.TooLarge, match='unpack to more'):
    download.unpack_zip(tmp_path / 'a.zip', ['train.txt'], tmp_path)
  assert sorted(os.listdir(tmp_path)) == ['a.tar.gz', 'a.zip']


def test_a_download_without_end_is_ended(tmp_path, monkeypatch):
  sent = []

  def endless(self, url, output_file, keeper):
    while len(sent) < 1000:
      sent.append(output_file.write(bytes(MIB)))
    raise AssertionError('it was not ended')

  monkeypatch.setattr('pooch.HTTPDownloader.__call__', endless)
  with limits.up_to(3e6), pytest.raises(errors.TooLarge, match=r'http://a/b: more than 2\.9 MiB came'):
    download.fetch(download.File('b', 'http://a/b', '0' * 40), tmp_path / 'cache')
  assert len(sent) < 4 and os.listdir(tmp_path / 'cache') == []


SUFFIXES = ('tsv', 'csv', 'txt', 'nt', 'ttl', 'rdf', 'xml', 'jsonld', 'parquet', 'dat', 'tsv.gz', 'nt.bz2', 'csv.xz')
STARTS = (
  b'',
  b'a\tr\tb\n',
  b'a,r,b\n"',
  b'<a> <r> <b> .\n',
  b'@prefix a: <b> .\n',
  b'\x1f\x8b\x08\x00',
  b'PAR1',
  b'BZh9',
)
FUZZ = hypothesis.settings(
  deadline=5000, max_examples=200, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)


def only_own_errors(read, path):
  try:
    read(path)
  except errors.MedjaxError as error:
    assert str(path) in str(error) or path.name in str(error) or str(path.parent) in str(error)


@FUZZ
@hypothesis.given(st.sampled_from(STARTS), st.binary(max_size=300), st.sampled_from(SUFFIXES), st.booleans())
def test_whatever_a_file_of_triples_holds_the_errors_are_our_own(tmp_path, start, content, suffix, packed):
  path = tmp_path / f'a.{suffix}'
  path.write_bytes(gzip.compress(start + content) if packed else start + content)
  only_own_errors(reading.read, path)


@FUZZ
@hypothesis.given(st.sampled_from((b'', b'2\na\t0\n', b'1\n0 0 0\n')), st.binary(max_size=100))
def test_whatever_a_folder_of_openke_holds_the_errors_are_our_own(tmp_path, start, content):
  for name in (*openke.FILES.values(), *openke.VOCABULARIES.values()):
    (tmp_path / name).write_bytes(start + content)
  only_own_errors(openke.read, tmp_path)


def mutated(content, flips):
  changed = bytearray(content)
  for place, value in flips:
    changed[place % len(changed)] = value
  return bytes(changed)


FLIPS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4)


@FUZZ
@hypothesis.given(FLIPS, st.sampled_from(('a.npz', 'a.pt', 'a.tar.gz', 'a.zip')), st.integers(0, 400))
def test_whatever_an_archive_holds_the_errors_are_our_own(tmp_path, flips, name, cut):
  path = pathlib.Path(tmp_path / name)
  if name == 'a.npz':
    write_npz(path, train=npy(np.arange(6, dtype=np.int32)), valid=npy(np.ones((2, 3))))
  elif name == 'a.pt':
    write_torch(path, tensor((2, 2), (2, 1)))
  elif name == 'a.zip':
    with zipfile.ZipFile(path, 'w') as packed:
      packed.writestr('train.txt', LINE)
  else:
    with tarfile.open(path, 'w:gz') as tar:
      tar.addfile(tarfile.TarInfo('train.txt'), io.BytesIO(b''))
  path.write_bytes(mutated(path.read_bytes()[: -cut or None] or b'x', flips))
  readers = {
    'a.npz': arrays.read,
    'a.pt': arrays.read_tensors,
    'a.zip': lambda path: download.unpack_zip(path, ['train.txt'], tmp_path),
    'a.tar.gz': lambda path: download.unpack(path, ['train.txt'], tmp_path),
  }
  only_own_errors(readers[name], path)
