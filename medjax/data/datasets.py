"""Finds the graph that a configuration names: one's own files, a local copy, or a download."""

import dataclasses
import difflib
import os
import pathlib
from typing import Protocol

from medjax import errors
from medjax.data import contents, download, layouts, limits, splits, store, triples, wikikg2, world
from medjax.data import prepare as prepare_lib
from medjax.data.graph import Graph
from medjax.data.registry import REGISTRY, Source

ROOT_VARIABLE = 'MEDJAX_DATA_ROOT'


class DataConfig(Protocol):
  """What is asked of a graph; `config.DataConfig` is one, and tells what its fields mean."""

  name: str
  path: str
  root: str
  cache: str
  max_bytes: float
  columns: str
  header: str
  comments: str
  split: str
  split_seed: int


def load(config: DataConfig) -> Graph:
  """Reads the graph of a data configuration.

  `path` wins over `name`. A registered graph is taken from the folder `root` ($MEDJAX_DATA_ROOT by default)
  if a folder of its name is there (FB15k-237 and fb15k237 are the same name), else downloaded into `cache`.

  Args:
    config: the `DataConfig`.

  Returns:
    A Graph, whose notes tell the licence, the origin, and what was found on reading.

  Raises:
    DataError: an unknown name, files that cannot be read, a failed download.
    TooLarge: a file that unpacks to more than `max_bytes`, or that does not fit into memory.
  """
  layouts.check(config.columns, config.header, config.comments)
  with limits.up_to(config.max_bytes):
    return _load(config)


def _load(config: DataConfig) -> Graph:
  if config.path:
    return _load_path(config)
  name = find_name(config.name)
  source = REGISTRY[name]
  if name == 'world':
    return world.build()
  if source.large:
    return _load_large(config, name)
  graph, notes = _load_registered(config, name, source)
  return dataclasses.replace(graph, name=name, notes=(f'licence: {source.licence}', *notes, *graph.notes))


def prepare(config: DataConfig, output: str | pathlib.Path) -> Graph:
  """Prepares the graph of a data configuration as a store at `output`, and opens it; see `load` and `store`."""
  layouts.check(config.columns, config.header, config.comments)
  with limits.up_to(config.max_bytes):
    return _prepare(config, output)


def _prepare(config: DataConfig, output: str | pathlib.Path) -> Graph:
  if config.path:
    if store.is_store(config.path):
      raise errors.DataError(f'data.path is {config.path!r}, which is a prepared graph already.')
    text = prepare_lib.find_text(config.path, config.columns, config.header, config.comments)
    prepare_lib.from_text(text, output, _shares(config), config.split_seed)
    return store.open_graph(output)
  name = find_name(config.name)
  source = REGISTRY[name]
  if name == 'world':
    raise errors.DataError('data.name is world, which is built in memory: there is nothing to prepare.')
  notes: tuple[str, ...] = (f'licence: {source.licence}',)
  folder = _local_folder(config, name)
  if folder is None:
    folder = _cache(config) / name
    notes += _download(source, folder)
  if name == 'wikikg2':
    wikikg2.prepare(folder, output, source.counts, notes)
    return store.open_graph(output)
  text = wikidata5m(folder) if name == 'wikidata5m' else prepare_lib.find_text(folder, 'hrt', 'no', 'no')
  prepare_lib.from_text(text._replace(name=name, header='no', comments='no', notes=notes), output)
  return store.open_graph(output)


def place(config: DataConfig) -> pathlib.Path | None:
  """Returns where the files of a data configuration are: its path, which need not exist, or a local copy.

  None is returned for a graph that is built, or downloaded and checked.
  """
  return pathlib.Path(config.path).expanduser() if config.path else _local_folder(config, find_name(config.name))


def wikidata5m(folder: pathlib.Path) -> prepare_lib.Text:
  """Returns the `prepare.Text` of Wikidata5M's transductive split, with the first aliases for labels."""
  files = {split: folder / f'wikidata5m_transductive_{split}.txt' for split in triples.SPLITS}
  labels = {'entities': folder / 'wikidata5m_entity.txt', 'relations': folder / 'wikidata5m_relation.txt'}
  missing = [path.name for path in files.values() if not path.is_file()]
  if missing:
    raise errors.DataError(
      f'{folder}: lacks {", ".join(missing)} of Wikidata5M. Put it there, or leave data.root empty to download it.'
    )
  return prepare_lib.Text(
    'wikidata5m', files, header='no', labels={kind: path for kind, path in labels.items() if path.is_file()}
  )


def find_name(name: str) -> str:
  """The registered name that `name` stands for, or a DataError with the nearest ones."""
  plain = {_plain(registered): registered for registered in REGISTRY}
  if _plain(name) in plain:
    return plain[_plain(name)]
  near = [plain[match] for match in difflib.get_close_matches(_plain(name), plain, n=3, cutoff=0.5)]
  hint = f'Did you mean {" or ".join(near)}? ' if near else ''
  raise errors.DataError(
    f'data.name is {name!r}, which is no registered graph. {hint}Registered: '
    f'{", ".join(REGISTRY)}. For your own files, say --config.data.path=FOLDER_OR_FILE.'
  )


def _load_path(config: DataConfig) -> Graph:
  path = pathlib.Path(config.path).expanduser()
  if store.is_store(path):
    return store.open_graph(path)
  if path.is_dir():
    return triples.read_folder(path, config.columns, config.header, config.comments)
  if not path.is_file():
    raise errors.DataError(
      f'data.path is {config.path!r}, which is neither a folder nor a file here '
      f'({pathlib.Path.cwd()}). Give a folder with train, valid and test, or one file '
      'to split.'
    )
  return triples.split_file(path, _shares(config), config.split_seed, config.columns, config.header, config.comments)


def _shares(config: DataConfig) -> tuple[float, ...]:
  return splits.check_shares(config.split.split(',') if isinstance(config.split, str) else config.split)


def _load_large(config: DataConfig, name: str) -> Graph:
  """A registered graph that is prepared once, into the cache, and opened from there."""
  local = _local_folder(config, name)
  if local is not None and store.is_store(local):
    return store.open_graph(local)
  folder = _cache(config) / f'{name}-prepared'
  if not store.is_store(folder):
    prepare(config, folder)
  return store.open_graph(folder)


def _cache(config: DataConfig) -> pathlib.Path:
  return pathlib.Path(config.cache).expanduser() if config.cache else download.user_cache()


def _download(source: Source, folder: pathlib.Path) -> tuple[str, ...]:
  """Makes sure that a registered graph's files are in a folder; returns notes."""
  if source.archive:
    download.fetch_archive(source.archive, folder)
  for file in source.files:
    download.fetch(file, folder)
  return tuple(note for large in source.large for note in download.fetch_large(large, folder))


def _load_registered(config: DataConfig, name: str, source: Source) -> tuple[Graph, tuple[str, ...]]:
  """(Graph, notes) of a registered graph from a local copy or the cache; the files are hrt, headerless."""
  folder = _local_folder(config, name)
  if folder:
    graph = triples.read_folder(folder, 'hrt', 'no', 'no')
    return graph, (f'read from {folder}', *_difference(folder, source))
  folder = _cache(config) / name
  _download(source, folder)
  return triples.read_folder(folder, 'hrt', 'no', 'no'), (f'read from {folder}',)


def _local_folder(config: DataConfig, name: str) -> pathlib.Path | None:
  """The folder of local copies called `name` up to case and punctuation, or None."""
  stated = config.root or os.environ.get(ROOT_VARIABLE, '')
  if not stated:
    return None
  root = pathlib.Path(stated).expanduser()
  if not root.is_dir():
    where = 'data.root' if config.root else f'${ROOT_VARIABLE}'
    raise errors.DataError(f'{where} is {stated!r}, which is no folder here. Correct it or leave it empty.')
  matches = sorted(entry for entry in root.iterdir() if entry.is_dir() and _plain(entry.name) == _plain(name))
  return matches[0] if matches else None


def _difference(folder: pathlib.Path, source: Source) -> tuple[str, ...]:
  """A note if the split files differ from the published ones."""
  changed, files = [], triples.find_splits(folder)
  for name, blob in source.blobs.items():
    file = files[pathlib.PurePath(name).stem]
    if download.git_blob_id(contents.read_bytes(file)) != blob:
      changed.append(file.name)
  return (
    (f'{", ".join(changed)}: not the published content (the git blob id differs), read all the same',)
    if changed
    else ()
  )


def _plain(name: str) -> str:
  return ''.join(c for c in name.lower() if c.isalnum())
