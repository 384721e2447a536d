"""The files of a workdir and of a cropped model: JSON, TSV, npz and safetensors, so that loading runs no code."""
import contextlib
import dataclasses
import json
from operator import itemgetter
import os
import pathlib
import re
import zipfile
import zlib

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as safetensors_numpy

from medjax import config as config_lib
from medjax import crop
from medjax import scores
from medjax.data import store
from medjax.data.triples import DataError, Graph

FORMAT = 1
REFERENCE = 'graph.json'
WEIGHTS = 'model.safetensors'
ESCAPES = {'\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r'}  # in the fields of a .tsv
DAMAGE = (ValueError, LookupError, TypeError, OSError, EOFError, AttributeError, SafetensorError, zipfile.BadZipFile,
          zlib.error)


class ArtifactError(ValueError):
  """A workdir or model folder that is missing something, damaged or of another version."""


@dataclasses.dataclass(frozen=True)
class Description:
  """What a model's numbers mean: model.json.

  Attributes:
    score: name of the score.
    constants: the full model's constants, see `scores.make`.
    widths: trained widths, the last one is the width of the stored tables.
    block: components per partial sum, see `crop.Widths`.
    offset, scale: score_i = offset_i + scale_i * raw_i; empty in a workdir whose gamma is being learned.
    source: name of the graph.
    unseen, extra_widths, candidates: how the run was evaluated, see `config.EvalConfig`.
  """
  score: str
  constants: dict
  widths: tuple
  block: int
  offset: tuple = ()
  scale: tuple = ()
  source: str = ''
  unseen: str = 'rank'
  extra_widths: str = ''
  candidates: int = 0

  def make_score(self):
    return scores.make(self.score, self.constants)

  def make_widths(self):
    return crop.Widths(tuple(self.widths), self.make_score().components, self.block)

  def up_to(self, width):
    """Returns the description of the crop to a trained width."""
    last = self.make_widths().index(width) + 1
    return dataclasses.replace(self, widths=self.widths[:last], offset=self.offset[:last], scale=self.scale[:last])


@contextlib.contextmanager
def replacing(path):
  """Yields a binary file that takes the place of `path` once it is whole and on disk."""
  partial = pathlib.Path(f'{path}.tmp')
  with partial.open('wb') as file:
    yield file
    file.flush()
    os.fsync(file.fileno())
  os.replace(partial, path)


def write_text(path, text):
  """Writes a file whole or not at all."""
  with replacing(path) as file:
    file.write(text.encode('utf-8'))


@contextlib.contextmanager
def reading(path):
  """Turns the ways in which a file can be missing or damaged into an ArtifactError that names it."""
  try:
    yield
  except FileNotFoundError:
    folder = pathlib.Path(path).parent
    raise ArtifactError(f'{path} is missing; is {folder} a medjax workdir or cropped model?') from None
  except DAMAGE as error:
    raise ArtifactError(f'{path} is damaged or not of format {FORMAT} ({type(error).__name__}: {error}); '
                        'restore it from a copy, or crop or train anew') from error


def write_config(folder, config):
  write_text(pathlib.Path(folder) / 'config.json', json.dumps(config_lib.flatten(config), indent=1) + '\n')


def read_config(folder):
  """Returns the resolved `Config` of a workdir, or None if there is none."""
  path = pathlib.Path(folder) / 'config.json'
  if not path.exists():
    return None
  with reading(path):
    flat = json.loads(path.read_text(encoding='utf-8'))
    if flat['model.score'] == 'rotate':
      flat.setdefault('model.phase_scale', 16.0)  # of every run that was saved before this field was
    return config_lib.from_flat(flat)


def write_description(folder, description):
  text = json.dumps({'format': FORMAT} | dataclasses.asdict(description), indent=1)
  write_text(pathlib.Path(folder) / 'model.json', text + '\n')


def read_description(folder):
  path = pathlib.Path(folder) / 'model.json'
  with reading(path):
    values = json.loads(path.read_text(encoding='utf-8'))
    if values.pop('format') != FORMAT:
      raise ValueError('another format')
    description = Description(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
    description.make_widths()
    return description


def escape(field):
  """Returns a field without the characters that separate fields and lines."""
  return re.sub(r'[\\\t\n\r]', lambda found: ESCAPES[found[0]], field)


def unescape(field):
  """Undoes `escape`."""
  plain = {escaped: character for character, escaped in ESCAPES.items()}
  return re.sub(r'\\.', lambda found: plain.get(found[0], found[0]), field) if '\\' in field else field


def write_graph(folder, graph):
  """Writes triples.npz, entities.tsv, relations.tsv and notes.txt (the graph's licence among them).

  A prepared graph is not copied: graph.json says where it is, and its hash.
  """
  folder = pathlib.Path(folder)
  if graph.store is not None:
    write_text(folder / REFERENCE, json.dumps({'path': str(graph.store.folder), 'hash': graph.store.hash}) + '\n')
    return
  for name, ids, labels in (('entities', graph.entities, graph.entity_labels),
                            ('relations', graph.relations, graph.relation_labels)):
    rows = ''.join(f'{escape(i)}\t{escape(label)}\n' for i, label in zip(ids, labels))
    write_text(folder / f'{name}.tsv', f'id\tlabel\n{rows}')
  write_text(folder / 'notes.txt', ''.join(f'{escape(note)}\n' for note in graph.notes))
  with replacing(folder / 'triples.npz') as file:
    np.savez_compressed(file, train=graph.train, valid=graph.valid, test=graph.test)


def read_graph(folder, name=''):
  """Returns the `Graph` of a workdir or cropped model."""
  folder = pathlib.Path(folder)
  if (folder / REFERENCE).exists():
    return read_prepared(folder / REFERENCE)
  columns = []
  for kind in ('entities', 'relations'):
    path = folder / f'{kind}.tsv'
    with reading(path):
      text = path.read_bytes().decode('utf-8')
      if not text.endswith('\n'):
        raise ValueError('its end is missing')
      pairs = [line.split('\t') for line in text[:-1].split('\n')[1:]]
      columns += [tuple(unescape(pair[i]) for pair in pairs) for i in range(2)]
  with reading(folder / 'triples.npz'), np.load(folder / 'triples.npz', allow_pickle=False) as splits:
    train, valid, test = (splits[split] for split in ('train', 'valid', 'test'))
    triples = np.concatenate([train, valid, test])
    if triples.ndim != 2 or triples.shape[1] != 3 or triples.dtype != np.int32 or triples.min(initial=0) < 0:
      raise ValueError('it holds no triples of ids')
    if (triples.max(0, initial=-1) >= [len(columns[0]), len(columns[2]), len(columns[0])]).any():
      raise ValueError('it names more entities or relations than entities.tsv and relations.tsv hold')
  with reading(folder / 'notes.txt'):
    notes = tuple(unescape(line) for line in (folder / 'notes.txt').read_text(encoding='utf-8').splitlines())
  return Graph(name, columns[0], columns[2], train, valid, test, columns[1], columns[3], notes)


def read_prepared(path):
  """Opens the prepared graph that a graph.json names."""
  with reading(path):
    place, expected = itemgetter('path', 'hash')(json.loads(path.read_text(encoding='utf-8')))
  try:
    return store.open_graph(place, expected)
  except DataError as error:
    raise ArtifactError(f'{path} names the prepared graph {place} with hash {expected[:12]}, but: {error} If it was '
                        f'moved, write its new path into {path}.') from error


def write_params(folder, params):
  """Writes {'entity': {...}, 'relation': {...}} as model.safetensors."""
  flat = {f'{table}.{leaf}': np.ascontiguousarray(value)
          for table, leaves in params.items() for leaf, value in leaves.items()}
  with replacing(pathlib.Path(folder) / WEIGHTS) as file:
    file.write(safetensors_numpy.save(flat))


def read_params(folder):
  path = pathlib.Path(folder) / WEIGHTS
  params = {}
  with reading(path):
    for name, value in safetensors_numpy.load_file(path).items():
      table, leaf = name.split('.')
      params.setdefault(table, {})[leaf] = value
  return params
