"""Where a graph was read from: the sizes, times and hashes of its files, by which a later change is noticed."""

from collections.abc import Mapping
import hashlib
import pathlib
from typing import Any

SMALL = 64 * 2**20  # bytes of files that are always hashed; of more only those whose time is another
Files = dict[str, dict[str, Any]]


def files_of(place: pathlib.Path) -> list[pathlib.Path]:
  """Returns a file, or the files directly in a folder that are not hidden, in the order of their names."""
  if not place.is_dir():
    return [place] if place.is_file() else []
  return sorted(path for path in place.iterdir() if path.is_file() and not path.name.startswith('.'))


def fingerprint(place: pathlib.Path) -> Files:
  """Returns {name: {'bytes', 'time' (ns), 'sha256'}} of a file, or of the files directly in a folder."""
  found = {}
  for path in files_of(place):
    stat = path.stat()
    found[path.name] = {'bytes': stat.st_size, 'time': stat.st_mtime_ns, 'sha256': sha256(path)}
  return found


def unchanged(place: pathlib.Path, before: Mapping[str, Mapping[str, Any]]) -> bool:
  """Whether the files at a place, which may be another one, are those of a `fingerprint`.

  Sizes are compared first, then times and hashes; big files of the same size and time are taken for the same.
  """
  files = files_of(place)
  sizes = {path.name: path.stat().st_size for path in files}
  if sizes != {name: file['bytes'] for name, file in before.items()}:
    return False
  big = sum(sizes.values()) > SMALL
  same_time = lambda path: path.stat().st_mtime_ns == before[path.name]['time']
  return all((big and same_time(path)) or sha256(path) == before[path.name]['sha256'] for path in files)


def sha256(path: pathlib.Path) -> str:
  """Returns the sha256 of a file's bytes, in hexadecimal digits."""
  with path.open('rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()
