"""What reaches disk: whole or not at all, through no link; and what is read: files alone, of a bounded size."""

import os
import pathlib
import stat
import subprocess
import sys

import pytest

from medjax.core import files
from medjax.errors import ArtifactError, UsageError

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def victim(tmp_path):
  (tmp_path / 'elsewhere').mkdir()
  path = tmp_path / 'elsewhere' / 'victim'
  path.write_text('mine')
  return path


@pytest.fixture
def place(tmp_path):
  (tmp_path / 'model').mkdir()
  return tmp_path / 'model'


def unfinished(place):
  return sorted(place.glob(f'{files.PREFIX}*'))


def test_a_file_takes_its_place_when_it_is_whole(place):
  path = place / 'results.csv'
  path.write_text('old')
  with files.replacing(path) as file:
    file.write(b'new')
    assert path.read_text() == 'old' and len(unfinished(place)) == 1
  assert path.read_text() == 'new' and unfinished(place) == []


def test_its_rights_are_those_of_any_new_file(place):
  before = os.umask(0o027)
  try:
    files.write_text(place / 'a', 'a')
  finally:
    os.umask(before)
  assert stat.S_IMODE((place / 'a').stat().st_mode) == 0o640


@pytest.mark.parametrize('writer', [files.replacing, files.replacing_path])
def test_an_error_leaves_what_was_there_and_nothing_else(place, writer):
  path = place / 'results.csv'
  path.write_text('old')
  with pytest.raises(ZeroDivisionError), writer(path) as partial:
    if writer is files.replacing:
      partial.write(b'half')
    raise ZeroDivisionError
  assert path.read_text() == 'old' and list(place.iterdir()) == [path]


def test_it_is_on_disk_before_it_has_its_name_and_the_folder_is_after(place, monkeypatch):
  done, sync, replace = [], os.fsync, os.replace

  def synced(number):
    done.append('folder' if stat.S_ISDIR(os.fstat(number).st_mode) else 'file')
    sync(number)

  def replaced(*paths):
    done.append('rename')
    replace(*paths)

  monkeypatch.setattr(os, 'fsync', synced)
  monkeypatch.setattr(os, 'replace', replaced)
  files.write_text(place / 'a', 'a')
  assert done == ['file', 'rename', 'folder']


def test_a_library_may_put_another_file_where_it_was_told(place):
  with files.replacing_path(place / 'index') as partial:
    other = place / 'other'
    other.write_text('of the library')
    other.replace(partial)
  assert (place / 'index').read_text() == 'of the library' and unfinished(place) == []


@pytest.mark.parametrize('name', ['results.csv', 'results.csv.tmp'])
def test_nothing_is_written_through_a_link(place, victim, name):
  (place / name).symlink_to(victim)
  files.write_text(place / 'results.csv', 'results')
  assert victim.read_text() == 'mine'
  assert (place / 'results.csv').read_text() == 'results' and not (place / 'results.csv').is_symlink()


def test_nothing_is_appended_through_a_link_or_into_a_pipe(place, victim):
  (place / 'metrics.jsonl').symlink_to(victim)
  os.mkfifo(place / 'pipe')
  for name in ('metrics.jsonl', 'pipe'):
    with pytest.raises(UsageError, match=f'{name} is a link or a pipe'):
      files.appending(place / name)
  assert victim.read_text() == 'mine'
  with files.appending(place / 'new') as file:
    file.write('line\n')
  with files.appending(place / 'new') as file:
    file.write('line\n')
  assert (place / 'new').read_text() == 'line\n' * 2


def test_a_folder_that_is_a_link_is_not_written_to(place, victim, monkeypatch):
  (place / 'checkpoints').symlink_to(victim.parent)
  with pytest.raises(UsageError, match='checkpoints is a link.*--follow_links'):
    files.folder(place / 'checkpoints')
  assert files.folder(place / 'new' / 'figures').is_dir()
  monkeypatch.setenv(files.FOLLOW, '1')
  assert files.folder(place / 'checkpoints').is_dir()


@pytest.mark.parametrize('name', ['/dev/null', 'pipe', 'folder'])
def test_what_is_no_file_is_not_replaced(place, name):
  os.mkfifo(place / 'pipe')
  (place / 'folder').mkdir()
  (place / 'link').symlink_to(place / name)
  for path in (place / name, place / 'link'):
    with pytest.raises(UsageError, match='which no file takes the place of'):
      files.write_text(path, 'answers')
  assert stat.S_ISCHR(os.stat('/dev/null').st_mode)


def test_links_are_followed_where_that_is_asked_for(place, victim, monkeypatch):
  (place / 'notes.txt').symlink_to(victim)
  monkeypatch.setenv(files.FOLLOW, '1')
  assert files.read_text(place / 'notes.txt') == 'mine'
  files.write_text(place / 'notes.txt', 'yours')
  assert victim.read_text() == 'yours' and (place / 'notes.txt').is_symlink()


def test_a_link_to_itself_is_refused(place):
  (place / 'a').symlink_to(place / 'b')
  (place / 'b').symlink_to(place / 'a')
  with pytest.raises(ArtifactError, match='leads to itself'):
    files.read_text(place / 'a')


def test_a_link_is_read_within_its_folder_alone(place, victim):
  (place / 'a').write_text('inside')
  (place / 'b').symlink_to('a')
  (place / 'c').symlink_to(victim)
  assert files.read_text(place / 'b') == 'inside'
  with pytest.raises(ArtifactError, match=r'c is a link that leaves its folder, to .*victim.*--follow_links'):
    files.read_text(place / 'c')
  with pytest.raises(FileNotFoundError):
    files.read_text(place / 'd')


def test_the_cache_of_the_hub_keeps_its_files_behind_links(tmp_path):
  folder = tmp_path / 'models--me--mine' / 'snapshots' / '0123'
  blobs = folder.parent.parent / 'blobs'
  (folder / 'inner').mkdir(parents=True)
  blobs.mkdir()
  (blobs / 'abcd').write_text('weights')
  (folder / 'model').symlink_to('../../blobs/abcd')
  (folder / 'inner' / 'model').symlink_to('../../../blobs/abcd')
  assert files.read_text(folder / 'model') == files.read_text(folder / 'inner' / 'model') == 'weights'
  (tmp_path / 'blobs').mkdir()
  (tmp_path / 'blobs' / 'abcd').write_text('another')
  (folder / 'other').symlink_to(tmp_path / 'blobs' / 'abcd')
  with pytest.raises(ArtifactError, match='leaves its folder'):
    files.read_text(folder / 'other')


@pytest.mark.parametrize('name, what', [('/dev/zero', 'a device'), ('pipe', 'a pipe'), ('inner', 'a folder')])
def test_devices_and_pipes_are_not_read(place, name, what):
  os.mkfifo(place / 'pipe')
  (place / 'inner').mkdir()
  (place / 'entities.tsv').symlink_to(place / name)
  for path in (place / name, place / 'entities.tsv'):
    with pytest.raises(ArtifactError, match=f'is {what}, not a file'):
      files.read_bytes(path)


def test_a_file_that_says_it_is_large_is_not_read(place):
  path = place / 'entities.tsv'
  with path.open('wb') as file:
    file.truncate(2**43)  # a hole, which takes no room on disk
  with pytest.raises(ArtifactError, match=r'entities.tsv has 8\.0 TiB, more than the .* that fit into memory'):
    files.read_bytes(path)
  path.write_text('12345')
  assert files.read_text(path, most=5) == '12345'
  with pytest.raises(ArtifactError, match='has 5 bytes, more than the 4 bytes that such a file may have'):
    files.read_text(path, most=4)


def started(code, *arguments):
  """A process of its own that runs some code."""
  command = [sys.executable, '-c', f'import sys\nfrom medjax.core import files\n{code}', *map(str, arguments)]
  return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


HOLDING = """
with files.replacing(sys.argv[1]) as file:
  file.write(b'of the other')
  print('begun', flush=True)
  sys.stdin.readline()
"""


def test_what_a_process_left_is_swept_away_and_what_another_writes_is_not(place):
  (place / f'{files.PREFIX}0123{files.SUFFIX}').write_text('left by a kill')
  (place / 'other.tmp').write_text("a person's")
  other = started(HOLDING, place / 'a')
  assert other.stdout.readline() == 'begun\n'
  files.sweep(place)
  assert len(unfinished(place)) == 1
  other.communicate('go on\n', timeout=60)
  assert (place / 'a').read_text() == 'of the other'
  assert sorted(path.name for path in place.iterdir()) == ['a', 'other.tmp']


def test_what_a_kill_leaves_is_swept_away(place):
  other = started(HOLDING, place / 'a')
  assert other.stdout.readline() == 'begun\n'
  other.kill()
  other.communicate()
  assert len(unfinished(place)) == 1
  files.sweep(place)
  assert list(place.iterdir()) == []


def test_many_writers_leave_one_whole_file(place):
  writing = 'files.write_text(sys.argv[1], sys.argv[2] * 200_000)'
  for writer in [started(writing, place / 'a', letter) for letter in 'abcd']:
    writer.communicate(timeout=60)
  assert (place / 'a').read_text() in [letter * 200_000 for letter in 'abcd'] and list(place.iterdir()) == [place / 'a']


def test_a_folder_is_there_whole_or_not_at_all(place):
  output = place / 'small'
  with pytest.raises(ZeroDivisionError), files.building(output) as partial:
    (partial / 'half').write_text('half')
    raise ZeroDivisionError
  assert list(place.iterdir()) == []
  (place / 'small.partial').mkdir()
  (place / 'small.partial' / 'left').write_text('by a kill')
  output.mkdir()  # empty, as a person may have made it
  with files.building(output) as partial:
    (partial / 'whole').write_text('whole')
    assert list(output.iterdir()) == []
  assert list(place.iterdir()) == [output] and [path.name for path in output.iterdir()] == ['whole']
