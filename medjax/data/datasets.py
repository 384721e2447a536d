"""Finds the graph that a configuration names: one's own files, a local copy, or a download."""
import dataclasses
import difflib
import os
import pathlib

import pooch

from medjax.data import download
from medjax.data import tables
from medjax.data import triples
from medjax.data import world
from medjax.data.registry import REGISTRY

ROOT_VARIABLE = 'MEDJAX_DATA_ROOT'


def load(config):
  """Reads the graph of a data configuration.

  `path` wins over `name`. A registered graph is taken from the folder `root` ($MEDJAX_DATA_ROOT by default)
  if a folder of its name is there (FB15k-237 and fb15k237 are the same name), else downloaded into `cache`.

  Args:
    config: a medjax.config.DataConfig.

  Returns:
    A Graph, whose notes tell the licence, the origin, and what was found on reading.

  Raises:
    DataError: an unknown name, files that cannot be read, a failed download.
  """
  tables.check_layout(config.columns, config.header)
  if config.path:
    return _load_path(config)
  name = find_name(config.name)
  source = REGISTRY[name]
  if name == 'world':
    return world.build()
  graph, notes = _load_registered(config, name, source)
  return dataclasses.replace(graph, name=name, notes=(f'licence: {source.licence}', *notes, *graph.notes))


def find_name(name):
  """The registered name that `name` stands for, or a DataError with the nearest ones."""
  plain = {_plain(registered): registered for registered in REGISTRY}
  if _plain(name) in plain:
    return plain[_plain(name)]
  near = [plain[match] for match in difflib.get_close_matches(_plain(name), plain, n=3, cutoff=0.5)]
  hint = f'Did you mean {" or ".join(near)}? ' if near else ''
  raise tables.DataError(f'data.name is {name!r}, which is no registered graph. {hint}Registered: '
                         f'{", ".join(REGISTRY)}. For your own files, say --config.data.path=FOLDER_OR_FILE.')


def _load_path(config):
  path = pathlib.Path(config.path).expanduser()
  if path.is_dir():
    return triples.read_folder(path, config.columns, config.header)
  if not path.is_file():
    raise tables.DataError(f'data.path is {config.path!r}, which is neither a folder nor a file here '
                           f'({pathlib.Path.cwd()}). Give a folder with train, valid and test, or one file '
                           'to split.')
  shares = config.split.split(',') if isinstance(config.split, str) else config.split
  return triples.split_file(path, shares, config.split_seed, config.columns, config.header)


def _load_registered(config, name, source):
  """(Graph, notes) of a registered graph from a local copy or the cache; the files are hrt, headerless."""
  folder = _local_folder(config, name)
  if folder:
    graph = triples.read_folder(folder, 'hrt', 'no')
    return graph, (f'read from {folder}', *_difference(folder, source))
  cache = pathlib.Path(config.cache).expanduser() if config.cache else pathlib.Path(pooch.os_cache('medjax'))
  folder = cache / name
  if source.archive:
    download.fetch_archive(source.archive, folder)
  for file in source.files:
    download.fetch(file, folder)
  return triples.read_folder(folder, 'hrt', 'no'), (f'read from {folder}',)


def _local_folder(config, name):
  """The folder of local copies called `name` up to case and punctuation, or None."""
  stated = config.root or os.environ.get(ROOT_VARIABLE, '')
  if not stated:
    return None
  root = pathlib.Path(stated).expanduser()
  if not root.is_dir():
    where = 'data.root' if config.root else f'${ROOT_VARIABLE}'
    raise tables.DataError(f'{where} is {stated!r}, which is no folder here. Correct it or leave it empty.')
  matches = sorted(entry for entry in root.iterdir() if entry.is_dir() and _plain(entry.name) == _plain(name))
  return matches[0] if matches else None


def _difference(folder, source):
  """A note if the split files differ from the published ones."""
  changed = []
  for name, blob in source.blobs.items():
    file = triples.find_split(folder, pathlib.PurePath(name).stem)
    if download.git_blob_id(tables.read_bytes(file)) != blob:
      changed.append(file.name)
  return (f'{", ".join(changed)}: not the published content (the git blob id differs), read all the same',
          ) if changed else ()


def _plain(name):
  return ''.join(c for c in name.lower() if c.isalnum())
