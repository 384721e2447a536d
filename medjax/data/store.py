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
import math
import os
import pathlib
import tokenize
from typing import Annotated, Any, NamedTuple

from jaxtyping import Int, Int32
import msgspec
import numpy as np

from medjax import errors
from medjax.core import files as files_lib
from medjax.data import arrays, engine, source, triples
from medjax.data.graph import Graph

FORMAT = 1
MANIFEST = 'store.json'
PARQUET = b'PAR1'  # its first and last bytes
DAMAGE = (  # what reading a damaged store raises
  *(OSError, EOFError, ValueError, LookupError, TypeError, RecursionError, SyntaxError),
  tokenize.TokenError,
)


class File(msgspec.Struct, forbid_unknown_fields=True):
  """A file in store.json."""

  bytes: Annotated[int, msgspec.Meta(ge=0)]
  sha256: Annotated[str, msgspec.Meta(pattern='^[0-9a-f]{64}$')]


class Manifest(msgspec.Struct, forbid_unknown_fields=True):
  """store.json."""

  format: int
  name: str
  entities: Annotated[int, msgspec.Meta(ge=0)]
  relations: Annotated[int, msgspec.Meta(ge=0)]
  splits: dict[str, Annotated[int, msgspec.Meta(ge=0)]]
  files: dict[Annotated[str, msgspec.Meta(pattern=r'^[\w-]+\.(npy|parquet)$')], File]
  notes: list[str]
  hash: str
  whole: str = ''  # hash of all the others, name and notes among them; older stores have none


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
    file = read_manifest(self.path.parent)['files'][self.path.name]
    if not is_whole(self.path, file['bytes'], file['sha256']):
      raise damaged(self.path)
    found = tuple(engine.read_parquet(self.path, self.column).tolist())
    if len(found) != self.size or {*map(type, found)} - {str}:
      raise errors.DataError(f'{self.path}: its column {self.column} holds no {self.size:,} names. Prepare it anew.')
    return found

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
    manifest = read_manifest(folder)
    changed = [name for name, file in manifest['files'].items() if (folder / name).stat().st_size != file['bytes']]
    if changed:
      raise ValueError(f'{changed[0]} was changed')
    for name in manifest['files']:
      check_form(folder / name)
    entities, relations = manifest['entities'], manifest['relations']
    train, valid, test = [read_split(folder, split, manifest) for split in triples.SPLITS]
  except DAMAGE as error:
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


def check_form(path: pathlib.Path) -> None:
  """Raises ValueError, or ArtifactError, for a file of a store that is not of the form of its name.

  It is looked at before anything is read to its end: a file may say that it has terabytes.
  """
  with files_lib.opened(path, math.inf) as file:
    if path.suffix == '.npy':
      arrays.check_header(file)
      return
    ends = [file.read(len(PARQUET))]
    file.seek(-len(PARQUET), os.SEEK_END)
    if [*ends, file.read()] != [PARQUET] * 2:
      raise ValueError(f'{path.name}: cannot be read; {path.name} is damaged, or no Parquet')


def read_manifest(folder: pathlib.Path) -> dict[str, Any]:
  """Returns the manifest of a store; raises OSError, ValueError, LookupError or RecursionError where it is damaged."""
  manifest = msgspec.json.decode(files_lib.read_bytes(folder / MANIFEST, files_lib.SETTINGS))  # from no device or pipe
  if manifest['format'] != FORMAT:
    raise ValueError(f'format {manifest["format"]}, not {FORMAT}')
  msgspec.convert(manifest, Manifest)
  if manifest['hash'] != digest(manifest) or manifest.get('whole', whole_digest(manifest)) != whole_digest(manifest):
    raise ValueError(f'{MANIFEST} was changed')
  return manifest


def read_split(folder: pathlib.Path, split: str, manifest: Mapping[str, Any]) -> Int32[np.ndarray, 'M 3']:
  """The triples of a split, mapped into memory; raises ValueError for others than the manifest counts."""
  found = mapped(folder / f'{split}.npy')
  if found.dtype != np.int32 or found.shape != (manifest['splits'][split], 3):
    raise ValueError(f'{split}.npy was changed')
  return found


def states(folder: str | pathlib.Path) -> dict[str, bool]:
  """Returns {name: whether it is as it was written} of all files of a store, which are read to their ends for that."""
  folder = pathlib.Path(folder)
  try:
    files = read_manifest(folder)['files']
  except DAMAGE:
    return {MANIFEST: False}
  whole = {name: is_whole(folder / name, file['bytes'], file['sha256']) for name, file in files.items()}
  return {MANIFEST: True} | whole


def is_whole(path: pathlib.Path, size: int, sha256: str) -> bool:
  """Whether a file has this size and hash."""
  return path.is_file() and path.stat().st_size == size and source.sha256(path) == sha256


def check(graph: Graph) -> None:
  """Raises errors.DataError where a file of a prepared graph is not as it was written.

  All of them are read for that, and none by `open_graph`: a training, which reads them many times, looks once before it
  begins.
  """
  if graph.store is not None:
    for name, whole in states(graph.store.folder).items():
      if not whole:
        raise damaged(graph.store.folder / name)


def damaged(path: pathlib.Path) -> errors.DataError:
  """The DataError of a file that is not as it was written."""
  return errors.DataError(
    f'{path} is damaged or was changed: {MANIFEST} names another size or hash. Prepare the graph anew, or restore the '
    'file from a copy.'
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
  manifest['whole'] = whole_digest(manifest)
  files_lib.write_text(folder / MANIFEST, json.dumps(manifest, indent=1) + '\n')


def whole_digest(manifest: Mapping[str, Any]) -> str:
  """sha256 of a manifest, by which a change of its name or notes is found too."""
  content = {key: value for key, value in manifest.items() if key != 'whole'}
  return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def digest(manifest: Mapping[str, Any]) -> str:
  """sha256 of what a store holds: its counts and the hashes of its files, whatever its name and notes."""
  content = {key: manifest[key] for key in ('format', 'entities', 'relations', 'splits', 'files')}
  return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
