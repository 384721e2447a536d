"""What reaches disk, and what is read of it: written whole or not at all, through no link; read from files alone.

The only module that writes. A folder that somebody else made may hold links, devices and pipes: what is written never
follows a link, and what is read of a folder has to be a regular file in it, unless links are asked for
(`--follow_links`, or MEDJAX_FOLLOW_LINKS=1).
"""

from collections.abc import Iterator
import contextlib
import errno
import os
import pathlib
import secrets
import shutil
import stat
import tempfile
from typing import BinaryIO, TextIO

try:
  import fcntl
except ImportError:  # Windows
  fcntl = None  # type: ignore[assignment]

from medjax.core import memory
from medjax.errors import ArtifactError, UsageError

Path = str | pathlib.Path
FOLLOW = 'MEDJAX_FOLLOW_LINKS'
PREFIX, SUFFIX = '.medjax-', '.tmp'  # of the names of unfinished files
NO_LINK = getattr(os, 'O_NOFOLLOW', 0) | getattr(os, 'O_CLOEXEC', 0) | getattr(os, 'O_BINARY', 0)
SMALL = 64 * 2**20  # bytes that always fit into memory
SETTINGS = 16 * 2**20  # bytes of a file of settings or notes; a larger one is something else
REMEDY = f'Put the file itself there, or say --follow_links (or {FOLLOW}=1) if you trust who made the folder'


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
  """Yields a binary file that takes the place of `path` once it is whole and on disk.

  It lies beside `path`, under a name that nobody foresees. Where `path` is a link, the link is replaced, and what it
  leads to stays as it is. An error leaves what was there before, and nothing else.

  Raises:
    UsageError: there is something at `path` that is no file.
    OSError: as the system says it.
  """
  with _unfinished(path) as (file, _):
    yield file


@contextlib.contextmanager
def replacing_path(path: Path) -> Iterator[pathlib.Path]:
  """As `replacing`, for what opens files by their names: yields the name of an empty file to be written."""
  with _unfinished(path) as (_, partial):
    yield partial


def write_text(path: Path, text: str) -> None:
  """Writes a text as UTF-8, whole or not at all."""
  with replacing(path) as file:
    file.write(text.encode('utf-8'))


def write_bytes(path: Path, content: bytes) -> None:
  """Writes bytes, whole or not at all."""
  with replacing(path) as file:
    file.write(content)


def scratch(prefix: str, suffix: str) -> tuple[int, str]:
  """Returns (the number that it is open by, the path) of a new file in the system's folder for such."""
  return tempfile.mkstemp(suffix, prefix)


def appending(path: Path) -> TextIO:
  """Opens a text file to append to; raises UsageError where `path` is a link or no file."""
  path = _followed(path)
  try:
    number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | NO_LINK, 0o666)
  except OSError as error:
    if error.errno in (errno.ELOOP, errno.ENXIO):  # a link; a pipe that nobody reads
      raise UsageError(f'{path} is a link or a pipe, which is not written through. {REMEDY}') from None
    raise
  if not stat.S_ISREG(os.fstat(number).st_mode):
    os.close(number)
    raise UsageError(f'{path} is {kind(path)}, which is not written to. Delete it')
  return open(number, 'a', encoding='utf-8')


def folder(path: Path) -> pathlib.Path:
  """Makes a folder inside of another one, if need be, and returns it; raises UsageError where it is a link."""
  path = pathlib.Path(path)
  if path.is_symlink() and not follows():
    raise UsageError(f'{path} is a link, and what it leads to is not written to. {REMEDY}')
  path.mkdir(parents=True, exist_ok=True)
  return path


@contextlib.contextmanager
def building(output: Path) -> Iterator[pathlib.Path]:
  """Yields a folder beside `output`, new or empty, which takes its place when all went well, and is removed otherwise.

  What a kill left of an earlier one is removed first. A folder where a file system is mounted is filled in place.
  """
  output = pathlib.Path(os.path.realpath(output))
  if os.path.ismount(output):
    yield output
    return
  partial = output.with_name(f'{output.name}.partial')
  shutil.rmtree(partial, ignore_errors=True)
  partial.mkdir(parents=True)
  try:
    yield partial
    _sync_folder(partial)
    if os.name == 'nt' and output.exists():
      output.rmdir()  # elsewhere an empty folder is replaced at once
    os.replace(partial, output)
    _sync_folder(output.parent)
  finally:
    shutil.rmtree(partial, ignore_errors=True)


def sweep(path: Path) -> None:
  """Removes the unfinished files that processes which are gone left in a folder; those of others stay."""
  for partial in pathlib.Path(path).glob(f'{PREFIX}*{SUFFIX}'):
    with contextlib.suppress(OSError), open(os.open(partial, os.O_RDWR | NO_LINK), 'rb') as file:
      if _lock(file):
        partial.unlink()


def check(path: Path, most: float | None = None) -> int:
  """Returns the bytes of a file of a folder that somebody else may have made, before it is opened.

  Args:
    path: the file. A link is followed only to within its folder, and in the cache of the Hugging Face Hub.
    most: the bytes that it may have; None is what fits into memory.

  Raises:
    FileNotFoundError: it is not there.
    ArtifactError: it is a link that leaves the folder or leads to itself, a device, a pipe or a folder, or larger than
      that.
  """
  try:
    found = os.stat(path)
  except OSError as error:
    if error.errno == errno.ELOOP:
      raise ArtifactError(f'{path} is a link that leads to itself. Put the file itself there') from error
    raise
  if not stat.S_ISREG(found.st_mode):
    raise ArtifactError(f'{path} is {kind(path)}, not a file, so it is not read. Put the file itself there')
  if not follows() and _leaves(pathlib.Path(path)):
    raise ArtifactError(f'{path} is a link that leaves its folder, to {os.path.realpath(path)}. {REMEDY}')
  fitting = memory.available() if most is None and found.st_size > SMALL else SMALL
  bound = fitting if most is None else most
  if found.st_size > bound:
    what = 'fit into memory' if most is None else 'such a file may have'
    raise ArtifactError(
      f'{path} has {memory.words(found.st_size)}, more than the {memory.words(bound)} that {what}. Get it again'
    )
  return found.st_size


@contextlib.contextmanager
def opened(path: Path, most: float | None = None) -> Iterator[BinaryIO]:
  """Yields a file that `check` admits, open for reading."""
  check(path, most)
  with open(os.open(os.path.realpath(path), os.O_RDONLY | NO_LINK), 'rb') as file:
    yield file


def read_bytes(path: Path, most: float | None = None) -> bytes:
  """Returns the content of a file that `check` admits; it cannot grow while it is read."""
  size = check(path, most)
  with open(os.open(os.path.realpath(path), os.O_RDONLY | NO_LINK), 'rb') as file:
    return file.read(size)


def read_text(path: Path, most: float | None = None) -> str:
  """Returns the UTF-8 text of a file that `check` admits."""
  return read_bytes(path, most).decode('utf-8')


def follows() -> bool:
  """Whether links are followed wherever they lead."""
  return os.environ.get(FOLLOW, '0') not in ('', '0')


def kind(path: Path) -> str:
  """Returns what a path is, in words."""
  mode = os.stat(path).st_mode
  kinds = (
    (stat.S_ISDIR, 'a folder'),
    (stat.S_ISFIFO, 'a pipe'),
    (stat.S_ISCHR, 'a device'),
    (stat.S_ISBLK, 'a device'),
    (stat.S_ISSOCK, 'a socket'),
  )
  return next((name for test, name in kinds if test(mode)), 'a file')


@contextlib.contextmanager
def _unfinished(path: Path) -> Iterator[tuple[BinaryIO, pathlib.Path]]:
  """Yields (a new file, its name); what has been written to it then takes the place of `path`."""
  path = _followed(path)
  if path.exists() and not path.is_file():
    raise UsageError(f'{path} is {kind(path)}, which no file takes the place of. Name another one')
  file, partial = _begin(path.parent)
  try:
    with file:
      yield file, partial
      file.flush()
      _sync(partial, os.O_RDWR)  # by its name: a library may have written another file there
      if os.name == 'nt':
        file.close()  # Windows renames no open file; elsewhere it stays locked until it has its name
      os.replace(partial, path)
  except BaseException:
    with contextlib.suppress(OSError):
      partial.unlink()
    raise
  _sync_folder(path.parent)  # else the name may be lost where the power is


def _begin(place: pathlib.Path) -> tuple[BinaryIO, pathlib.Path]:
  """Returns a new file of a folder, locked, and its name."""
  while True:
    partial = place / f'{PREFIX}{secrets.token_hex(8)}{SUFFIX}'
    file = open(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | NO_LINK, 0o666), 'w+b')  # noqa: SIM115  (its user closes it)
    if _lock(file):
      return file, partial
    file.close()  # it was swept away as it was made


def _lock(file: BinaryIO) -> bool:
  """Locks a file until it is closed; whether it could be."""
  try:
    if fcntl:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return True
  except BlockingIOError:
    return False
  except OSError:
    return True  # a file system without locks


def _sync(path: pathlib.Path, how: int) -> None:
  """Waits until a file or a folder is on disk."""
  number = os.open(path, how | NO_LINK if how == os.O_RDWR else how)
  try:
    os.fsync(number)
  except OSError as error:
    if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that have nothing to wait for
      raise
  finally:
    os.close(number)


def _sync_folder(path: pathlib.Path) -> None:
  """Waits until the names in a folder are on disk; Windows opens no folders."""
  if os.name != 'nt':
    _sync(path, os.O_RDONLY)


def _followed(path: Path) -> pathlib.Path:
  """Returns a path, or where its link leads if links are followed."""
  return pathlib.Path(os.path.realpath(path)) if follows() else pathlib.Path(path)


def _leaves(path: pathlib.Path) -> bool:
  """Whether a path leads out of its folder, and not to where the cache of the Hugging Face Hub keeps its files."""
  place, target = path.parent.resolve(), path.resolve()
  if target.is_relative_to(place):
    return False
  cached = (up for up in (place, *place.parents) if up.parent.name == 'snapshots')
  return not any(target.parent == up.parent.parent / 'blobs' for up in cached)
