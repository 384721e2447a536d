"""manifest.json: the size and hash of every file of a folder, by which what was damaged later is found.

  {"format": 1, "files": {"model.json": [614, "0123456789abcdef0123456789abcdef"]}, "hash": "..."}

Hashes are XXH3's of 128 bits: they find damage, not forgery. `hash` is that of all the others, so that the manifest
itself is checked. A file is hashed whole, before it is read, which takes about as long as copying it in memory: a small
part of what reading it takes (`python -m benchmarks.loading`). Where only a narrow width is read of a run's checkpoint,
its large files are not, and what was read of them is checked by the hashes of `table_hashes`.

Not listed are graph.json, which a person edits when a prepared graph moves, and which names a hash itself; what changes
all the time (.lock, trackers.json); and what lies in folders below.
"""

from collections.abc import Callable, Mapping
import os
import pathlib
import shlex
import types
from typing import Literal, NamedTuple

import msgspec
import xxhash

from medjax.core import files, runtime
from medjax.errors import ArtifactError
from medjax.saved import schemas

FILE = 'manifest.json'
LARGEST = 64 * 2**20  # bytes of a manifest: half a million files
PIECE = 2**20  # bytes that are read and hashed at a time: few calls, and yet near a core
Path = str | pathlib.Path
State = Literal['ok', 'changed', 'missing', 'unlisted', 'no manifest']
Entry = tuple[int, str]  # bytes and hash
Tables = Mapping[str, tuple[int, tuple[str, ...]]]  # of a leaf by its path: entries in a piece (0: one piece), hashes
AGAIN = {  # the beginnings of files that are made again from the others, and the mode that does it
  'results': 'evaluate',
  'widths.': 'evaluate',
  'speed.': 'choose',
  'calibration.': 'calibrate',
  'reliability.': 'calibrate',
}


class Manifest(NamedTuple):
  """What a folder held when it was written.

  Attributes:
    files: {name: (bytes, hash)}, names of files in folders below with /.
    grown: {name: (bytes, hash)} of the beginning of files that grow on, beside the folder of checkpoints.
    tables: of a checkpoint, the hashes of its tables by pieces, see `table_hashes`.
  """

  files: dict[str, Entry]
  grown: Mapping[str, Entry] = types.MappingProxyType({})
  tables: Tables = types.MappingProxyType({})


def read(folder: Path) -> Manifest | None:
  """Returns the `Manifest` of a folder, or None if it has none; raises ArtifactError for a damaged one."""
  path = pathlib.Path(folder) / FILE
  try:
    found = schemas.read(files.read_bytes(path, LARGEST), schemas.Manifest, path)
    read = Manifest(found.files, found.grown, found.tables)
    if found.hash != whole_hash(read):
      raise ValueError('its own hash is another')
    return read
  except (FileNotFoundError, NotADirectoryError):
    return None
  except ArtifactError:
    raise
  except (ValueError, KeyError, OSError, RecursionError) as error:
    raise ArtifactError(
      f'{path} is damaged ({type(error).__name__}: {error}), so the files beside it cannot be checked; restore it from '
      f'a copy, or, if you trust them, {command("verify", path.parent, "--accept")} writes it anew'
    ) from error


def whole_hash(found: Manifest) -> str:
  """Returns the hash of all entries of a manifest."""
  entries = [schemas.MAJOR, *map(dict, found)]
  return hash_of(msgspec.json.encode(entries, order='deterministic'))


def hash_of(content: bytes) -> str:
  """Returns the hash of some bytes."""
  return xxhash.xxh3_128_hexdigest(content)


def digest(path: Path, length: int | None = None) -> Entry:
  """Returns (bytes, hash) of a file, or of its first `length` bytes; raises OSError where it cannot be read."""
  if not os.path.isfile(path):
    raise FileNotFoundError(f'{path} is no file')  # a pipe would be waited for
  found, size, buffer = xxhash.xxh3_128(), 0, memoryview(bytearray(PIECE))
  with open(path, 'rb', buffering=0) as file:
    while number := file.readinto(buffer[: None if length is None else length - size]):
      found.update(buffer[:number])
      size += number
  return size, found.hexdigest()


def state(path: pathlib.Path, expected: Entry) -> State:
  """Returns whether a file is what its entry says; its size is looked at first."""
  try:
    if path.stat().st_size != expected[0] or not path.is_file():
      return 'changed'
    return 'ok' if digest(path) == tuple(expected) else 'changed'
  except (FileNotFoundError, NotADirectoryError):
    return 'missing'
  except OSError:
    return 'changed'


def check(path: Path) -> None:
  """Raises ArtifactError for a file that the manifest beside it names, and that is missing or another now."""
  path = pathlib.Path(path)
  found = read(path.parent)
  if found is not None and path.name in found.files:
    now = state(path, found.files[path.name])
    if now != 'ok':
      raise ArtifactError(damage(path, now))


def check_there(folder: Path, names: tuple[str, ...]) -> None:
  """Raises ArtifactError for the first of some files that the manifest of a folder names, and that is missing."""
  found = read(folder)
  for name in names if found is not None else ():
    if found is not None and name in found.files and not (pathlib.Path(folder) / name).exists():
      raise ArtifactError(damage(pathlib.Path(folder) / name, 'missing'))


def damage(path: pathlib.Path, now: State) -> str:
  """Returns what is wrong with a file that a manifest names, and the remedy."""
  what = 'is missing' if now == 'missing' else 'is damaged or was changed'
  return f'{path} {what}: {FILE} beside it names another size or hash; {remedy(path)}'


def remedy(path: pathlib.Path) -> str:
  """Returns what to do about a file that is missing or damaged."""
  again = next((mode for beginning, mode in AGAIN.items() if path.name.startswith(beginning)), None)
  return (
    f'delete it, and {command(again, path.parent)} makes it again'
    if again
    else 'restore it from a copy, or crop, export or train anew'
  ) + f'; if the change was meant, {command("verify", path.parent, "--accept")} writes a new {FILE}'


def command(mode: str, folder: Path, *more: str) -> str:
  """Returns a command as a person types it."""
  program = 'python launch.py' if runtime.program().endswith('launch.py') else 'medjax'
  return f'`{" ".join([program, mode, shlex.join([f"--workdir={folder}", *more])])}`'


def unchecked(folder: Path) -> str:
  """Returns the line that tells of a folder without a manifest."""
  return (
    f'warning: {folder} has no {FILE}, so damage of its files is not noticed; {command("verify", folder, "--accept")} '
    'writes one of the files as they are'
  )


def states(folder: Path, which: Callable[[str], bool] = lambda name: True) -> dict[str, State]:
  """Returns {name: state} of the files that the manifest of a folder names; {} where there is none.

  Args:
    folder: the folder.
    which: whether the file of a name is looked at.

  Raises:
    ArtifactError: the manifest is damaged.
  """
  found = read(folder)
  return {
    name: state(pathlib.Path(folder) / name, entry)
    for name, entry in (found.files.items() if found else ())
    if which(name)
  }
