"""Files that are too large for what they are, or no files at all, are refused before they are read."""

import os
import re
import shutil
import signal
import tracemalloc

import hypothesis
from hypothesis import strategies as st
import pytest

import medjax
from medjax import errors
from medjax.core import files as core_files
from medjax.experiments import commands
from medjax.report import choice, cost, metrics
from medjax.saved import checkpoint, checkpoint_folders, files, graph_files, manifest, verification, workdir

MIB = 2**20
CHARACTERS = st.characters(blacklist_characters='\n', blacklist_categories=['Cs'])
HUGE = 2**30 - 1  # bytes that a file says to have and the disk has not
PEAK = 40 * MIB


@pytest.fixture(scope='module')
def whole(trained, tmp_path_factory):
  folder = tmp_path_factory.mktemp('crops') / 'whole'
  commands.crop(trained, 8, folder, with_triples=True)
  (folder / manifest.FILE).unlink()  # by which a change of size would be found
  return folder


@pytest.fixture
def small(whole, tmp_path):
  return shutil.copytree(whole, tmp_path / 'small')


@pytest.fixture
def run(trained, tmp_path):
  """A run none of whose files is in a manifest."""
  folder = shutil.copytree(trained, tmp_path / 'run')
  for path in folder.rglob(manifest.FILE):
    path.unlink()
  return folder


@pytest.fixture(autouse=True)
def in_time():
  """A pipe that is opened waits for ever: a signal ends that."""
  signal.alarm(60)
  yield
  signal.alarm(0)


def grow(path, size=HUGE, beginning=b''):
  """Makes a file of zeros, none of which is on disk, behind a beginning."""
  path.write_bytes(beginning)
  os.truncate(path, size)


def peak_of(work):
  """The most bytes that Python held at once while `work` ran, besides what it held before."""
  tracemalloc.start()
  try:
    work()
  finally:
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
  return peak


def refused(read, path):
  with pytest.raises(errors.MedjaxError, match=path.name):
    read()


@pytest.mark.parametrize(
  'name', ['model.json', 'entities.tsv', 'relations.tsv', 'notes.txt', 'calibration.json', manifest.FILE]
)
def test_a_file_of_zeros_in_a_model_is_not_held(small, name):
  medjax.load(small)  # what that imports is no matter here
  grow(small / name)
  assert peak_of(lambda: refused(lambda: medjax.load(small), small / name)) < PEAK


@pytest.mark.parametrize('read', [cost.read, workdir.read_config, workdir.read_source, choice.read, metrics.read])
def test_a_file_of_zeros_in_a_run_is_not_held_twice(tmp_path, monkeypatch, read):
  name = {
    cost.read: 'cost.json',
    workdir.read_config: 'config.json',
    workdir.read_source: 'source.json',
    choice.read: choice.FILE,
    metrics.read: metrics.FILE,
  }[read]
  size = 3 * files.LINE if read is metrics.read else HUGE
  grow(tmp_path / name, size)
  assert peak_of(lambda: refused(lambda: read(tmp_path), tmp_path / name)) < max(PEAK, 1.5 * size)


def test_lines_that_are_few_but_long_are_not_held(small):
  grow(small / 'entities.tsv', beginning=graph_files.HEADER.encode() + b'a\tb\n')
  assert peak_of(lambda: refused(lambda: medjax.load(small), small / 'entities.tsv')) < 2 * PEAK


@hypothesis.given(st.lists(st.text(CHARACTERS)), st.integers(1, 9))
def test_parts_of_lines_are_the_text(tmp_path_factory, lines, piece):
  path = tmp_path_factory.mktemp('lines') / 'a.tsv'
  text = ''.join(f'{line}\n' for line in lines)
  path.write_bytes(text.encode())
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(files, 'PIECE', piece)
    parts = [*files.read_lines(path)]
    assert ''.join(parts) == text and all(part.endswith('\n') for part in parts)
    columns = [(f'{i} {line}'.replace('\t', ' '), line.replace('\t', '\\')) for i, line in enumerate(lines)]
    rows = ''.join(f'{graph_files.escape(a)}\t{graph_files.escape(b)}\n' for a, b in columns)
    path.write_bytes((graph_files.HEADER + rows).encode())
    assert [*zip(*graph_files.read_columns(path))] == columns


@pytest.mark.parametrize(
  'content, words',
  [
    ('', 'its end is missing'),
    ('a', 'its end is missing'),
    ('ab\nc', 'its end is missing'),
    ('a' * 30, 'more than 9 '),
  ],
)
def test_what_has_no_end_is_told(tmp_path, monkeypatch, content, words):
  monkeypatch.setattr(files, 'PIECE', 4)
  monkeypatch.setattr(files, 'LINE', 9)
  (tmp_path / 'a.tsv').write_text(content)
  with pytest.raises(ValueError, match=words):
    graph_files.read_columns(tmp_path / 'a.tsv')


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes here')
@pytest.mark.parametrize('kind', ['pipe', 'device'])
def test_a_manifest_that_is_no_file_is_not_read(small, kind):
  path = small / manifest.FILE
  os.mkfifo(path) if kind == 'pipe' else path.symlink_to('/dev/zero')
  with pytest.raises(errors.ArtifactError, match=f'{manifest.FILE} is a {kind}, not a file'):
    medjax.load(small)
  assert verification.verify(small).damaged == (manifest.FILE,)


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes here')
@pytest.mark.parametrize('place', ['metrics/metrics', 'model/_METADATA', '_CHECKPOINT_METADATA', 'd'])
@pytest.mark.parametrize('kind', ['pipe', 'device', 'size', 'itself', 'nothing'])
def test_a_checkpoint_with_what_is_no_file_is_not_opened(run, kind, place):
  step = run / 'checkpoints' / '40'
  path = next(step.glob('model/**/d/*')) if place == 'd' else step / place
  path.unlink()
  if kind == 'pipe':
    os.mkfifo(path)
  elif kind != 'size':
    path.symlink_to({'device': '/dev/zero', 'itself': path.name, 'nothing': 'none'}[kind])
  elif place == 'd':
    return  # which may be of any size
  else:
    grow(path, core_files.SMALL + 1)
  with pytest.raises(errors.MedjaxError, match=re.escape(str(path.relative_to(run)))):
    medjax.load(run)
  assert path.name in checkpoint_folders.damage(step)


@pytest.mark.parametrize('place', ['metrics/metrics', 'model/_METADATA'])
def test_a_folder_in_the_place_of_a_file_of_a_checkpoint_is_refused(run, place):
  path = run / 'checkpoints' / '40' / place
  path.unlink()
  path.mkdir()
  with pytest.raises(errors.CheckpointError, match='checkpoints/40'):
    medjax.load(run)


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes here')
def test_a_checkpoint_with_a_pipe_is_put_aside(run):
  path = run / 'checkpoints' / '40' / 'metrics' / 'metrics'
  path.unlink()
  os.mkfifo(path)
  assert 'step 40 is damaged' in checkpoint_folders.set_damaged_aside(run / 'checkpoints')[0]
  checkpoints = checkpoint.Checkpoints(run / 'checkpoints', read_only=True)
  assert checkpoints.latest == 20
  checkpoints.close()


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes here')
def test_a_pipe_is_no_run_of_a_bert_and_no_file_beside_a_checkpoint(tmp_path):
  os.mkfifo(tmp_path / 'config.json')
  assert not workdir.is_text(tmp_path)
  assert verification.grown_state(tmp_path / 'config.json', (0, '')) == 'missing'


@pytest.mark.parametrize('content', [b'\0' * 100, b'width,' * 9, b''])
def test_what_is_no_table_is_refused(tmp_path, content):
  (tmp_path / 'results.csv').write_bytes(content)
  with pytest.raises(errors.ArtifactError, match='results.csv is damaged'):
    files.read_table(tmp_path / 'results.csv')
