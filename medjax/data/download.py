"""Downloads files into a cache; only content with the expected git blob id ever gets there.

A git blob id is the sha1 of `blob <size>\\0<content>`. The repositories that data come from publish these ids
with every commit, so a pinned commit already says what a file has to be.
"""

from collections.abc import Callable, Sequence
import dataclasses
import gzip
import hashlib
import pathlib
import shutil
import tarfile
from typing import cast, IO
import warnings
import zipfile
import zlib

import requests

from medjax import errors
from medjax.core import files
from medjax.data import limits

with warnings.catch_warnings():
  warnings.filterwarnings('ignore', 'IProgress not found')  # its bars are text in a notebook without widgets
  import pooch

_MAX_MEMBER_BYTES = 2**30  # no member of a registered archive comes near this


def user_cache() -> pathlib.Path:
  """Returns the user's cache folder of medjax."""
  return pathlib.Path(pooch.os_cache('medjax'))


@dataclasses.dataclass(frozen=True)
class File:
  """A file to fetch: its name in the cache, its address, and the git blob id of its content."""

  name: str
  url: str
  blob: str


@dataclasses.dataclass(frozen=True)
class Archive:
  """A .tar.gz to fetch, and the members to take out of it: (name, git blob id) each."""

  file: File
  members: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True)
class Large:
  """An archive of a large graph, .tar.gz or .zip: its sha256 ('' = unknown), and the members to take out of it."""

  name: str
  url: str
  sha256: str
  members: tuple[str, ...]


def git_blob_id(content: bytes) -> str:
  """The git blob id of bytes.

  CRLF counts as LF, as in git's own normalisation: copies of a text that differ in nothing else are the same
  data.
  """
  if not content.startswith(b'\x1f\x8b'):  # gzip's magic number: an archive is no text, and is hashed as it is
    content = content.replace(b'\r\n', b'\n')
  return hashlib.sha1(b'blob %d\0' % len(content) + content).hexdigest()


def _blob_of(path: pathlib.Path) -> str:
  """The git blob id of a file; TooLarge where it fits into memory no more."""
  with open(path, 'rb') as file:
    return git_blob_id(limits.read(path, file, 'Delete it and get it again'))


def fetch(file: File, folder: str | pathlib.Path, retries: int = 2) -> pathlib.Path:
  """Makes sure that a file is in a folder, whole and genuine.

  A copy that is there already, perhaps put there by hand, is used if its content is right; else it is
  replaced.

  Args:
    file: a File.
    folder: where it is kept; made if need be.
    retries: further attempts after a failure.

  Returns:
    The path of the file.

  Raises:
    DataError: no connection, no such address, or content other than expected. Nothing wrong is left behind.
  """
  path = pathlib.Path(folder) / file.name
  if path.is_file() and _blob_of(path) == file.blob:
    return path
  try:
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    keeper = pooch.create(
      path.parent, base_url='', registry={file.name: None}, urls={file.name: file.url}, retry_if_failed=retries
    )
    keeper.fetch(file.name, downloader=_verified(file))
  except (OSError, ValueError) as error:  # requests' errors are OSErrors
    if isinstance(error, errors.DataError):
      raise
    raise _failed(file, path, error) from error
  return path


def fetch_archive(archive: Archive, folder: str | pathlib.Path, retries: int = 2) -> list[pathlib.Path]:
  """Makes sure that the members of an archive are in a folder; see fetch. Returns their paths."""
  folder = pathlib.Path(folder)
  if not _all_genuine(archive, folder):
    path = fetch(archive.file, folder, retries)
    unpack(path, [name for name, _ in archive.members], folder)
    found = {name: _blob_of(folder / name) for name, _ in archive.members}
    wrong = [(name, blob) for name, blob in archive.members if found[name] != blob]
    for name, _ in wrong:
      (folder / name).unlink()
    for name, blob in wrong[:1]:
      raise errors.DataError(_mismatch(f'{archive.file.url}, member {name}', blob, found[name]))
  return [folder / name for name, _ in archive.members]


def fetch_large(large: Large, folder: str | pathlib.Path, retries: int = 2) -> tuple[str, ...]:
  """Makes sure that the members of a large archive are in a folder; the archive is removed when they are.

  Returns:
    Notes: that the content could not be checked, where its hash is unknown.

  Raises:
    DataError: as `fetch`.
  """
  folder = pathlib.Path(folder)
  note = () if large.sha256 else (f'{large.name}: its publisher states no hash, so only its numbers were checked',)
  if all((folder / name).is_file() for name in large.members):
    return note
  folder.mkdir(parents=True, exist_ok=True)
  try:
    keeper = pooch.create(
      folder,
      base_url='',
      retry_if_failed=retries,
      urls={large.name: large.url},
      registry={large.name: f'sha256:{large.sha256}' if large.sha256 else None},
    )
    keeper.fetch(large.name, downloader=_bounded)
  except (OSError, ValueError) as error:
    raise _failed(large, folder / large.name, error) from error
  if large.name.endswith('.zip'):
    unpack_zip(folder / large.name, large.members, folder)
  else:
    unpack(folder / large.name, large.members, folder)
  (folder / large.name).unlink()
  return note


def unpack_zip(archive: str | pathlib.Path, names: Sequence[str], folder: str | pathlib.Path) -> None:
  """Takes the files called `names` out of a .zip, wherever in it they lie, piece by piece; nothing else is written.

  Raises:
    DataError: a damaged archive, or a member that is missing or there twice.
  """
  try:
    with zipfile.ZipFile(archive) as packed:
      for name in names:
        found = [info for info in packed.infolist() if pathlib.PurePosixPath(info.filename).name == name]
        if len(found) != 1:
          raise errors.DataError(
            f'{archive}: holds {len(found)} files called {name}, not one. Delete it and get it again.'
          )
        limits.check_unpacked(archive, found[0].file_size)
        with packed.open(found[0]) as member, files.replacing(pathlib.Path(folder) / name) as file:
          shutil.copyfileobj(member, file)
  except (zipfile.BadZipFile, OSError, EOFError, zlib.error) as error:
    raise errors.DataError(f'{archive}: cannot be unpacked ({error}). Delete it and get it again.') from error


def unpack(archive: str | pathlib.Path, names: Sequence[str], folder: str | pathlib.Path) -> None:
  """Takes the regular files called `names` out of a .tar.gz, wherever in it they lie; nothing else is
  written.

  Raises:
    DataError: a damaged archive, a missing member, or any member that could write outside the folder (an
      absolute path, '..', a link, a device): an archive with such a member is not trusted at all.
  """
  try:
    with gzip.open(archive) as file:
      limits.walk(archive, file)  # what is no member, such as a header, is bounded too
    with tarfile.open(archive, 'r:gz') as tar:
      wanted = {}
      for member in tar:
        parts = pathlib.PurePosixPath(member.name.replace('\\', '/')).parts
        if '..' in parts or parts[:1] == ('/',) or not (member.isfile() or member.isdir()):
          raise errors.DataError(
            f'{archive}: the member {member.name!r} is a link or points outside the '
            'archive, so nothing is unpacked. Delete it and get it from its publisher.'
          )
        if member.isfile() and parts and parts[-1] in names:
          if parts[-1] in wanted or member.size > _MAX_MEMBER_BYTES:
            raise errors.DataError(
              f'{archive}: the member {member.name!r} is there twice or too large '
              f'({member.size} bytes). Delete the archive and get it again.'
            )
          wanted[parts[-1]] = member
      missing = sorted(set(names) - set(wanted))
      if missing:
        raise errors.DataError(f'{archive}: lacks {", ".join(missing)}. Delete it and get it again.')
      for name, member in wanted.items():
        place = pathlib.Path(folder) / name
        place.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(place, cast(IO[bytes], tar.extractfile(member)).read())  # a file has content
  except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
    raise errors.DataError(f'{archive}: cannot be unpacked ({error}). Delete it and get it again.') from error


def _all_genuine(archive: Archive, folder: pathlib.Path) -> bool:
  return all((folder / name).is_file() and _blob_of(folder / name) == blob for name, blob in archive.members)


def _verified(file: File) -> Callable[..., None]:
  """A downloader for pooch that checks the content before pooch moves it into the cache."""

  def download(url, output_file, keeper):
    _bounded(url, output_file, keeper)
    found = _blob_of(pathlib.Path(output_file))
    if found != file.blob:
      raise errors.DataError(_mismatch(url, file.blob, found))

  return download


def _bounded(url: str, output_file: str, keeper: object) -> None:
  """A downloader for pooch that ends what brings more than `limits` allow."""
  with open(output_file, 'wb') as file:  # pooch's own, in a folder of its own
    pooch.HTTPDownloader(progressbar=True, timeout=30)(url, limits.Counted(url, file, limits.downloaded()), keeper)


def _failed(file: File | Large, path: pathlib.Path, error: Exception) -> errors.DataError:
  return errors.DataError(
    f'{file.url}: cannot be downloaded ({_reason(error)}). Check the connection; or put the file '
    f'at {path} by hand; or name a folder that holds local copies by --config.data.root.'
  )


def _mismatch(what: str, expected: str, found: str) -> str:
  return (
    f'{what}: the content has the git blob id {found}, expected {expected}. It was not kept. Try '
    'again; if it persists, a proxy may be answering in place of the origin: name a folder with local '
    'copies by --config.data.root.'
  )


def _reason(error: Exception) -> str:
  response = getattr(error, 'response', None)
  if response is not None:
    return f'HTTP {response.status_code} {response.reason}'
  return 'no connection' if isinstance(error, requests.exceptions.ConnectionError) else str(error)
