"""Writing the manifest of a folder: last, when everything else is there, and again where a file of it is renewed.

A kill between two of these steps leaves a file unlisted, never one whose entry is another's.
"""

from collections.abc import Iterable, Iterator, Mapping
import contextlib
import os
import pathlib
import types
from typing import Any

import msgspec

try:
  import fcntl
except ImportError:  # Windows
  fcntl = None  # type: ignore[assignment]

from medjax.saved import manifest, schemas
from medjax.saved.files import Path, replacing
from medjax.saved.manifest import Entry, Manifest, Tables

APART = {manifest.FILE, 'graph.json', 'trackers.json'}  # never listed, see `manifest`


def listable(folder: Path, below: bool = False) -> list[str]:
  """Returns the names of the files of a folder that a manifest lists, sorted; with `below` also those in folders."""
  folder = pathlib.Path(folder)
  every = (path for path in (folder.rglob('*') if below else folder.iterdir()) if path.is_file())
  names = (path.relative_to(folder).as_posix() for path in every)
  return sorted(name for name in names if name not in APART and not name.startswith('.') and not name.endswith('.tmp'))


def write(
  folder: Path,
  names: Iterable[str] | None = None,
  below: bool = False,
  grown: Mapping[str, Entry] = types.MappingProxyType({}),
  tables: Tables = types.MappingProxyType({}),
) -> None:
  """Writes the manifest of a folder.

  Args:
    folder: the folder, everything else written.
    names: of the files; those that are not there are left out. None is all of them.
    below: whether all of them are also those in folders below.
    grown, tables: see `manifest.Manifest`.
  """
  folder = pathlib.Path(folder)
  names = listable(folder, below) if names is None else [name for name in names if (folder / name).is_file()]
  files = {name: manifest.digest(folder / name) for name in sorted(names)}
  _write(folder, Manifest(files, dict(grown), dict(tables)))


def add(folder: Path, names: Iterable[str]) -> None:
  """Lists files that are there and not listed yet, if the folder has a manifest.

  What is listed stays as it is: its entry may tell of damage.
  """
  folder = pathlib.Path(folder)
  with _alone(folder):
    if (found := manifest.read(folder)) is None:
      return
    new = [name for name in names if name not in found.files and (folder / name).is_file()]
    if entries := {name: manifest.digest(folder / name) for name in new}:
      _write(folder, found._replace(files=dict(sorted((found.files | entries).items()))))


def drop(folder: Path, names: Iterable[str]) -> None:
  """Takes files off the list, if the folder has a manifest: they will be written anew."""
  with _alone(pathlib.Path(folder)):
    found = manifest.read(folder)
    if found is not None and (listed := found.files.keys() & set(names)):
      _write(folder, found._replace(files={name: file for name, file in found.files.items() if name not in listed}))


@contextlib.contextmanager
def renewing(folder: Path, *names: str) -> Iterator[None]:
  """Lists files anew that the block writes; does nothing in a folder without a manifest."""
  drop(folder, names)
  yield
  add(folder, names)


def _write(folder: Path, found: Manifest) -> None:
  content: dict[str, Any] = {'format': schemas.FORMAT} | {kind: of for kind, of in found._asdict().items() if of}
  content = {'files': {}} | content | {'hash': manifest.whole_hash(found)}
  with replacing(pathlib.Path(folder) / manifest.FILE) as file:
    file.write(msgspec.json.format(msgspec.json.encode(content), indent=1) + b'\n')


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[None]:
  """Waits until no other process changes the manifest of a folder."""
  if fcntl is None:
    yield
    return
  number = os.open(folder, os.O_RDONLY)
  try:
    with contextlib.suppress(OSError):  # a file system without locks
      fcntl.flock(number, fcntl.LOCK_EX)
    yield
  finally:
    os.close(number)
