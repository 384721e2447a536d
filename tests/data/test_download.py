"""Downloads from a server on this machine, and archives that should not be trusted."""

import functools
import hashlib
import http.server
import io
import subprocess
import tarfile
import threading
import zipfile

import pytest

from medjax.data import download
from medjax.errors import DataError

CONTENT = b'a\tr\tb\n'


class _Quiet(http.server.SimpleHTTPRequestHandler):
  def log_message(self, *args):
    pass


@pytest.fixture
def site(tmp_path, monkeypatch):
  """(folder, address) of a web server."""
  monkeypatch.setenv('NO_PROXY', '127.0.0.1')
  folder = tmp_path / 'site'
  folder.mkdir()
  handler = functools.partial(_Quiet, directory=folder)
  with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
    thread.start()
    yield folder, f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    thread.join()


def pack(path, *members):
  """Writes a .tar.gz of (name, content) or ready TarInfo members."""
  with tarfile.open(path, 'w:gz') as tar:
    for member in members:
      if isinstance(member, tarfile.TarInfo):
        tar.addfile(member)
      else:
        info = tarfile.TarInfo(member[0])
        info.size = len(member[1])
        tar.addfile(info, io.BytesIO(member[1]))
  return path


def test_git_blob_id():
  # `git hash-object` of an empty file and of "hello\n"
  assert download.git_blob_id(b'') == 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
  assert download.git_blob_id(b'hello\n') == 'ce013625030ba8dba906f756967f9e9ca394464a'
  assert download.git_blob_id(b'hello\r\n') == download.git_blob_id(b'hello\n')


def test_git_blob_id_agrees_with_git(tmp_path):
  (tmp_path / 'x').write_bytes(CONTENT)
  try:
    command = ['git', 'hash-object', '--no-filters', 'x']
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
  except (OSError, subprocess.CalledProcessError) as error:
    pytest.skip(f'git cannot be run: {error}')
  assert found.stdout.decode().strip() == download.git_blob_id(CONTENT)


def test_fetch_downloads_once_and_mends_the_cache(site, tmp_path):
  folder, address = site
  (folder / 'train.txt').write_bytes(CONTENT)
  file = download.File('train.txt', f'{address}/train.txt', download.git_blob_id(CONTENT))
  cache = tmp_path / 'cache' / 'x'
  assert download.fetch(file, cache).read_bytes() == CONTENT
  (cache / 'train.txt').write_bytes(b'damaged')
  assert download.fetch(file, cache).read_bytes() == CONTENT
  (folder / 'train.txt').unlink()  # no longer needed
  assert download.fetch(file, cache).read_bytes() == CONTENT


def test_wrong_content_is_not_kept(site, tmp_path):
  folder, address = site
  (folder / 'train.txt').write_bytes(b'something else')
  file = download.File('train.txt', f'{address}/train.txt', download.git_blob_id(CONTENT))
  wrong = download.git_blob_id(b'something else')
  with pytest.raises(DataError, match=f'{file.url}.*{wrong}.*expected {file.blob}.*data.root'):
    download.fetch(file, tmp_path / 'cache', retries=0)
  assert not list((tmp_path / 'cache').iterdir())


def test_unreachable(site, tmp_path):
  _, address = site
  wanted = tmp_path / 'cache' / 'train.txt'
  file = download.File('train.txt', f'{address}/train.txt', 'x')
  with pytest.raises(DataError, match='HTTP 404'):
    download.fetch(file, wanted.parent, retries=0)
  file = download.File('train.txt', 'http://127.0.0.1:1/train.txt', 'x')
  with pytest.raises(DataError, match='no connection') as caught:
    download.fetch(file, wanted.parent, retries=0)
  for word in (file.url, str(wanted), '--config.data.root'):
    assert word in str(caught.value)
  assert not list(wanted.parent.iterdir())


def test_a_failure_is_tried_again(tmp_path, monkeypatch):
  attempts = []

  def flaky(self, url, output_file, keeper):
    attempts.append(url)
    output_file.write(CONTENT if len(attempts) > 1 else CONTENT[:3])

  monkeypatch.setattr('pooch.HTTPDownloader.__call__', flaky)
  monkeypatch.setattr('time.sleep', lambda seconds: None)
  file = download.File('train.txt', 'http://localhost/train.txt', download.git_blob_id(CONTENT))
  assert download.fetch(file, tmp_path).read_bytes() == CONTENT and len(attempts) == 2


def test_fetch_archive(site, tmp_path):
  folder, address = site
  path = pack(folder / 'x.tar.gz', ('./inner/train.txt', CONTENT), ('readme', b'no'))
  file = download.File('x.tar.gz', f'{address}/x.tar.gz', download.git_blob_id(path.read_bytes()))
  archive = download.Archive(file, (('train.txt', download.git_blob_id(CONTENT)),))
  cache = tmp_path / 'cache'
  assert download.fetch_archive(archive, cache)[0].read_bytes() == CONTENT
  assert sorted(entry.name for entry in cache.iterdir()) == ['train.txt', 'x.tar.gz']
  path.unlink()
  (cache / 'x.tar.gz').unlink()  # the members are enough
  download.fetch_archive(archive, cache)


def test_wrong_members_are_not_kept(site, tmp_path):
  folder, address = site
  path = pack(folder / 'x.tar.gz', ('train.txt', b'other'))
  file = download.File('x.tar.gz', f'{address}/x.tar.gz', download.git_blob_id(path.read_bytes()))
  with pytest.raises(DataError, match=f'x.tar.gz, member train.txt.*expected {"0" * 40}'):
    download.fetch_archive(download.Archive(file, (('train.txt', '0' * 40),)), tmp_path / 'cache')
  assert not (tmp_path / 'cache' / 'train.txt').exists()


def _link(kind, name, target):
  info = tarfile.TarInfo(name)
  info.type, info.linkname = kind, target
  return info


@pytest.mark.parametrize(
  'bad',
  [
    ('../evil.txt', b'x'),
    ('/evil.txt', b'x'),
    ('a/../../evil.txt', b'x'),
    ('..\\evil.txt', b'x'),
    _link(tarfile.SYMTYPE, 'train.txt', '/etc/hostname'),
    _link(tarfile.LNKTYPE, 'link.txt', 'train.txt'),
    _link(tarfile.FIFOTYPE, 'pipe', ''),
  ],
)
def test_hostile_archives(tmp_path, bad):
  path = pack(tmp_path / 'x.tar.gz', ('inner/train.txt', CONTENT), bad)
  out = tmp_path / 'out'
  with pytest.raises(DataError, match='outside') as caught:
    download.unpack(path, ['train.txt'], out)
  name = bad.name if isinstance(bad, tarfile.TarInfo) else bad[0]
  assert str(path) in str(caught.value) and repr(name) in str(caught.value)
  assert not out.exists() and not (tmp_path / 'evil.txt').exists()


def test_damaged_archives(tmp_path):
  path = pack(tmp_path / 'x.tar.gz', ('train.txt', CONTENT))
  with pytest.raises(DataError, match='lacks test.txt'):
    download.unpack(path, ['train.txt', 'test.txt'], tmp_path)
  path = pack(tmp_path / 'x.tar.gz', ('train.txt', CONTENT), ('b/train.txt', b''))
  with pytest.raises(DataError, match='twice'):
    download.unpack(path, ['train.txt'], tmp_path)
  path.write_bytes(path.read_bytes()[:40])
  with pytest.raises(DataError, match='cannot be unpacked'):
    download.unpack(path, ['train.txt'], tmp_path)


def pack_zip(path, *members):
  with zipfile.ZipFile(path, 'w') as archive:
    for name, content in members:
      archive.writestr(name, content)
  return path


@pytest.mark.parametrize('suffix', ['tar.gz', 'zip'])
def test_members_of_a_large_archive_are_kept_and_fetched_once(site, tmp_path, suffix):
  folder, address = site
  packer = pack if suffix == 'tar.gz' else pack_zip
  path = packer(folder / f'big.{suffix}', ('deep/in/a.txt', CONTENT), ('other', b'x'))
  known = hashlib.sha256(path.read_bytes()).hexdigest()
  large = download.Large(path.name, f'{address}/{path.name}', known, ('a.txt',))
  assert download.fetch_large(large, tmp_path / 'cache') == ()
  path.unlink()
  assert download.fetch_large(large, tmp_path / 'cache') == ()
  assert {file.name: file.read_bytes() for file in (tmp_path / 'cache').iterdir()} == {'a.txt': CONTENT}


def test_a_large_archive_of_another_hash_is_refused_and_of_unknown_hash_is_told(site, tmp_path):
  folder, address = site
  path = pack_zip(folder / 'big.zip', ('a.txt', CONTENT))
  make = lambda sha256: download.Large('big.zip', f'{address}/big.zip', sha256, ('a.txt',))
  with pytest.raises(DataError, match='cannot be downloaded'):
    download.fetch_large(make('0' * 64), tmp_path / 'cache', retries=0)
  assert not (tmp_path / 'cache' / 'a.txt').exists() and not (tmp_path / 'cache' / 'big.zip').exists()
  notes = download.fetch_large(make(''), tmp_path / 'cache', retries=0)
  assert 'states no hash' in notes[0] and path.exists()


@pytest.mark.parametrize(
  'members, words',
  [
    ([('b.txt', b'')], 'holds 0 files called a.txt'),
    ([('a.txt', b''), ('x/a.txt', b'')], 'holds 2 files called a.txt'),
  ],
)
def test_a_zip_without_its_member_is_refused(tmp_path, members, words):
  with pytest.raises(DataError, match=words):
    download.unpack_zip(pack_zip(tmp_path / 'x.zip', *members), ['a.txt'], tmp_path)


def test_a_zip_writes_nothing_outside_of_its_folder(tmp_path):
  (tmp_path / 'in').mkdir()
  download.unpack_zip(pack_zip(tmp_path / 'x.zip', ('../../a.txt', CONTENT)), ['a.txt'], tmp_path / 'in')
  assert sorted(path.name for path in tmp_path.rglob('*')) == ['a.txt', 'in', 'x.zip']
  assert (tmp_path / 'in' / 'a.txt').read_bytes() == CONTENT
