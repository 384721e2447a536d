"""A prepared graph: int32 triples that are mapped into memory, and names that are read when asked for.

A folder with store.json (the manifest), train.npy, valid.npy and test.npy (int32 [M, 3]: head, relation, tail),
entities.parquet (name, label; the row is the id), relations.parquet (and, of train, its triples and its distinct
heads and tails), and perhaps valid-candidates.npy and test-candidates.npy (int32 [2, Q, K]: entities that were
published to compete with each tail, then with each head).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
import functools
import hashlib
import json
import pathlib
from typing import Any, NamedTuple

from jaxtyping import Int, Int32
import numpy as np

from medjax import errors
from medjax.core import files as files_lib
from medjax.data import engine, triples
from medjax.data.graph import Graph

FORMAT = 1
MANIFEST = 'store.json'


class Store(NamedTuple):
  """Where a prepared graph lies, and its manifest."""

  folder: pathlib.Path
  manifest: dict[str, Any]

  @property
  def hash(self) -> str:
    """sha256 of what it holds, see `digest`."""
    return self.manifest['hash']

  def candidates(self, split: str) -> Int32[np.ndarray, '2 Q K'] | None:
    """int32 [2, Q, K], the entities that were published to compete with a split's answers, or None."""
    path = self.folder / f'{split}-candidates.npy'
    return mapped(path) if path.name in self.manifest['files'] else None

  def relation_counts(self) -> Int[np.ndarray, '3 R']:
    """int [3, R]: train's triples, distinct heads and distinct tails of each relation."""
    path = self.folder / 'relations.parquet'
    return np.stack([engine.read_parquet(path, name) for name in ('triples', 'heads', 'tails')])


class Names(Sequence[str]):
  """A column of names, read at the first look."""

  def __init__(self, path: pathlib.Path, column: str, size: int):
    self.path, self.column, self.size = path, column, size

  @functools.cached_property
  def values(self) -> tuple[str, ...]:
    """All of the names."""
    return tuple(engine.read_parquet(self.path, self.column).tolist())

  def __len__(self) -> int:
    return self.size

  def __getitem__(self, index: Any) -> Any:
    return self.values[index]

  def __iter__(self) -> Iterator[str]:
    return iter(self.values)


def is_store(folder: str | pathlib.Path) -> bool:
  """Whether a folder holds a prepared graph."""
  return (pathlib.Path(folder) / MANIFEST).is_file()


def open_graph(folder: str | pathlib.Path, expected: str | None = None) -> Graph:
  """Opens a prepared graph without reading it.

  Args:
    folder: of the store.
    expected: the hash it has to have, or None.

  Returns:
    A `Graph` whose splits are memory-mapped and whose names are read when they are looked at.

  Raises:
    errors.DataError: no store, one of another version or hash, or a file of another size than was written.
  """
  folder = pathlib.Path(folder).resolve()
  try:
    manifest = json.loads((folder / MANIFEST).read_text(encoding='utf-8'))
    if manifest['format'] != FORMAT:
      raise ValueError(f'format {manifest["format"]}, not {FORMAT}')
    changed = [name for name, file in manifest['files'].items() if (folder / name).stat().st_size != file['bytes']]
    if changed or manifest['hash'] != digest(manifest):
      raise ValueError(f'{changed[0] if changed else MANIFEST} was changed')
    entities, relations = manifest['entities'], manifest['relations']
    train, valid, test = [mapped(folder / f'{split}.npy') for split in triples.SPLITS]
  except (OSError, ValueError, LookupError, TypeError) as error:
    raise errors.DataError(
      f'{folder}: is no prepared graph or is damaged ({error}). Prepare it with '
      '`python launch.py --mode=prepare --config.data.path=TRIPLES --output=FOLDER`.'
    ) from error
  if expected not in (None, manifest['hash']):
    raise errors.DataError(f'{folder}: holds the prepared graph {manifest["hash"][:12]}, not {expected[:12]}.')
  names = [
    Names(folder / f'{kind}.parquet', column, size)
    for column in ('name', 'label')
    for kind, size in (('entities', entities), ('relations', relations))
  ]
  return Graph(
    manifest['name'],
    names[0],
    names[1],
    train,
    valid,
    test,
    names[2],
    names[3],
    tuple(manifest['notes']),
    Store(folder, manifest),
  )


def mapped(path: pathlib.Path) -> Int32[np.ndarray, '...']:
  """A .npy file, mapped into memory for reading."""
  return np.load(path, mmap_mode='r', allow_pickle=False)


def write_manifest(folder: pathlib.Path, name: str, counts: Mapping[str, Any], notes: Iterable[str]) -> None:
  """Writes store.json over the files that lie in a folder.

  Args:
    folder: of the store, all other files written.
    name: of the graph.
    counts: {'entities': E, 'relations': R, 'splits': {split: M}}.
    notes: tuple of str.
  """
  files = {}
  for path in sorted(path for path in folder.iterdir() if path.suffix in ('.npy', '.parquet')):
    with path.open('rb') as file:
      files[path.name] = {'bytes': path.stat().st_size, 'sha256': hashlib.file_digest(file, 'sha256').hexdigest()}
  manifest = {'format': FORMAT, 'name': name, **counts, 'files': files, 'notes': list(notes)}
  manifest['hash'] = digest(manifest)
  files_lib.write_text(folder / MANIFEST, json.dumps(manifest, indent=1) + '\n')


def digest(manifest: Mapping[str, Any]) -> str:
  """sha256 of what a store holds: its counts and the hashes of its files, whatever its name and notes."""
  content = {key: manifest[key] for key in ('format', 'entities', 'relations', 'splits', 'files')}
  return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
