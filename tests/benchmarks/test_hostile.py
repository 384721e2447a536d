"""The short form of what `benchmarks.hostile` does for half an hour: spoiled files are refused or answer a question."""

import collections
import json
import os
import pathlib
import random
import shutil
import zipfile

import pytest

from benchmarks import hostile, readers, samples, sealed, spoiled, workers
from medjax.experiments import commands
from medjax.saved import manifest

FEW = 12  # files of a subject


@pytest.fixture(scope='module')
def source(trained, tmp_path_factory):
  """Whole samples of what is quickly read."""
  folder = tmp_path_factory.mktemp('samples')
  for name in ('text', 'RDF', 'folder', 'OpenKE', 'labels', 'arrays', 'archives', 'RotatE', 'SST-2', 'shop'):
    (folder / name).mkdir()
    samples.WRITERS[name](folder / name)
  commands.crop(trained, 8, folder / 'crop', with_triples=True)
  return folder


@pytest.mark.parametrize('name', ['text', 'RDF', 'folder', 'OpenKE', 'labels', 'arrays', 'archives', 'RotatE', 'crop'])
def test_what_is_spoiled_is_refused_or_answers(source, name, monkeypatch):
  monkeypatch.setattr(workers.signal, 'setitimer', lambda *_: None)
  workers.check_whole(readers.BY_NAME[name], source)
  reads = [workers.once(readers.BY_NAME[name], number, 7, source) for number in range(FEW)]
  assert not [each for each in reads if each.came not in ('refused', 'loaded')]
  assert 'refused' in {each.came for each in reads}


def content_of(path):
  """What lies at a path: bytes, a kind, or both of every file below a folder."""
  if path.is_dir():
    return {inner.relative_to(path).as_posix(): content_of(inner) for inner in path.rglob('*') if not inner.is_dir()}
  return path.read_bytes() if path.is_file() and path.lstat().st_size < 2**24 else str(path.lstat().st_mode)


@pytest.mark.parametrize('name', ['text', 'SST-2', 'arrays', 'crop'])
def test_a_number_spoils_the_same_every_time(source, tmp_path, name):
  made = []
  for number in (0, 1, 2, 0, 1, 2):
    shutil.rmtree(tmp_path / 'place', ignore_errors=True)
    (tmp_path / 'place').mkdir()
    made.append(content_of(sealed.spoil(readers.BY_NAME[name], number, 0, source, tmp_path / 'place')))
  assert made[:3] == made[3:] and made[0] != made[1]


def test_a_manifest_is_taken_away_or_fits_what_was_spoiled(source, tmp_path):
  found = collections.Counter()
  for number in range(8):
    shutil.rmtree(tmp_path / 'it', ignore_errors=True)
    folder = shutil.copytree(source / 'crop', tmp_path / 'it')
    (folder / 'notes.txt').write_text('spoiled\n')
    sealed.seal(folder, random.Random(number), [])
    found[str({*manifest.states(folder).values()})] += 1
  assert set(found) == {'set()', "{'ok'}"}


def test_a_terabyte_is_sealed_without_being_read(tmp_path, monkeypatch):
  (tmp_path / 'train.npy').write_bytes(b'')
  os.truncate(tmp_path / 'train.npy', max(spoiled.SPARSE))
  found = {
    'format': 1,
    'entities': 1,
    'relations': 1,
    'splits': {},
    'files': {'train.npy': {'bytes': 1, 'sha256': 'a'}},
  }
  (tmp_path / 'store.json').write_text(json.dumps(found))
  monkeypatch.setattr(sealed.hashlib, 'file_digest', lambda *_: pytest.fail('it was read'))
  sealed.reseal(tmp_path / 'store.json')
  file = json.loads((tmp_path / 'store.json').read_text())['files']['train.npy']
  assert file == {'bytes': max(spoiled.SPARSE), 'sha256': 'a'}


def test_spoiled_json_is_json_and_archives_are_archives(tmp_path):
  draw, whole = random.Random(0), json.dumps({'a': [1, {'b': 'c'}], 'd': 0.5}).encode()
  read = 0
  for _ in range(50):
    try:
      json.loads(spoiled.structured(whole, '.json', draw, []))
      read += 1
    except (ValueError, RecursionError):
      pass  # nested without end
  assert read > 40
  samples.write_arrays(tmp_path)
  for _ in range(20):
    (tmp_path / 'c.npz').write_bytes(spoiled.zipped((tmp_path / 'a.npz').read_bytes(), '.npz', draw, []))
    assert zipfile.is_zipfile(tmp_path / 'c.npz')


def test_counts_are_planned_and_told():
  planned = hostile.plan(100, 40)
  assert len(planned) == len(set(planned)) == 140
  assert sum(readers.BY_NAME[name].artifact for name, _ in planned) == 40
  reads = [workers.Read('crop', 0, 'refused', '', 0.5, 2**20, 10), workers.Read('crop', 1, 'late', '', 61, 2**28, 10)]
  row = hostile.row('crop', reads)
  assert (row['files'], row['refused'], row['late'], row['above'], row['slowest s']) == (2, 1, 1, 1, '61.0')
  reads.append(workers.Read('crop', 2, 'loaded', '', 5.1, 0, 10))
  assert hostile.row('crop', reads)['slow'] == 2
  assert [each.odd for each in reads] == [False, True, True]
  assert set(samples.WRITERS) <= set(readers.BY_NAME) and pathlib.Path(samples.TESTS).is_dir()
