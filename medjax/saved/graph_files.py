"""The graph of a workdir or cropped model: its vocabularies, triples and notes, or the name of a prepared graph."""

from collections.abc import Sequence
import dataclasses
import json
import pathlib
import re

import numpy as np

from medjax.data import arrays
from medjax.data.graph import Graph
from medjax.errors import ArtifactError, DataError
from medjax.saved import schemas
from medjax.saved.artifact import WEIGHTS
from medjax.saved.files import Path, read_bytes, read_lines, reading, replacing, write_text

REFERENCE = 'graph.json'
TRIPLES = 'triples.npz'
HEADER = 'id\tlabel\n'
ESCAPES = {'\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r'}  # in the fields of a .tsv


def escape(field: str) -> str:
  """Returns a field without the characters that separate fields and lines."""
  return re.sub(r'[\\\t\n\r]', lambda found: ESCAPES[found[0]], field)


def unescape(field: str) -> str:
  """Undoes `escape`."""
  plain = {escaped: character for character, escaped in ESCAPES.items()}
  return re.sub(r'\\.', lambda found: plain.get(found[0], found[0]), field) if '\\' in field else field


def write_graph(folder: Path, graph: Graph) -> None:
  """Writes triples.npz (if there are triples), entities.tsv, relations.tsv and notes.txt (the licence among them).

  A prepared graph is not copied: graph.json says where it is, and its hash.
  """
  folder = pathlib.Path(folder)
  if graph.store is not None:
    write_text(folder / REFERENCE, json.dumps({'path': str(graph.store.folder), 'hash': graph.store.hash}) + '\n')
    return
  for name, ids, labels in (
    ('entities', graph.entities, graph.entity_labels),
    ('relations', graph.relations, graph.relation_labels),
  ):
    rows = ''.join(f'{escape(i)}\t{escape(label)}\n' for i, label in zip(ids, labels))
    write_text(folder / f'{name}.tsv', HEADER + rows)
  write_text(folder / 'notes.txt', ''.join(f'{escape(note)}\n' for note in graph.notes))
  if not graph.has_triples:
    (folder / TRIPLES).unlink(missing_ok=True)
    return
  with replacing(folder / TRIPLES) as file:
    np.savez_compressed(file, train=graph.train, valid=graph.valid, test=graph.test)


def read_graph(folder: Path, name: str = '') -> Graph:
  """Returns the `Graph` of a workdir or cropped model; the latter may lack triples.npz, and has no triples then."""
  folder = pathlib.Path(folder)
  if reference := read_reference(folder):
    return read_prepared(folder / REFERENCE, *reference)
  columns: list[tuple[str, ...]] = []
  for kind in ('entities', 'relations'):
    path = folder / f'{kind}.tsv'
    with reading(path):
      columns += read_columns(path)
      check_distinct(columns[-2])
  notes = read_notes(folder)
  none = np.zeros((0, 3), np.int32)
  graph = Graph(name, columns[0], columns[2], none, none, none, columns[1], columns[3], notes)
  if (folder / WEIGHTS).exists() and not (folder / TRIPLES).exists():
    return graph
  with reading(folder / TRIPLES):
    splits = arrays.read_npz(folder / TRIPLES)
    train, valid, test = (splits[split] for split in ('train', 'valid', 'test'))
    for triples in (train, valid, test):
      if triples.ndim != 2 or triples.shape[1] != 3 or triples.dtype != np.int32 or triples.min(initial=0) < 0:
        raise ValueError('it holds no triples of ids')
      if (triples.max(0, initial=-1) >= [len(columns[0]), len(columns[2]), len(columns[0])]).any():
        raise ValueError('it names more entities or relations than entities.tsv and relations.tsv hold')
  return dataclasses.replace(graph, train=train, valid=valid, test=test)


def read_notes(folder: Path) -> tuple[str, ...]:
  """Returns the notes of the graph of a workdir or cropped model."""
  path = pathlib.Path(folder) / 'notes.txt'
  with reading(path):
    return tuple(unescape(line) for line in read_bytes(path).decode('utf-8').splitlines())


def read_columns(path: pathlib.Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
  """Returns the two columns below the header of a .tsv, part by part, so that strings are all that it takes.

  Raises:
    ValueError: another header, a line with another number of fields, or none at the end.
  """
  first: list[str] = []
  second: list[str] = []
  beginning = HEADER
  for part in read_lines(path):
    if not part.startswith(beginning):
      raise ValueError(f'line 1 is {part.partition(chr(10))[0][:80]!r}, not {HEADER[:-1]!r}')
    columns = two_columns(part[len(beginning) : -1])
    first += columns[0]
    second += columns[1]
    beginning = ''
  if beginning:
    raise ValueError('its end is missing')
  return tuple(first), tuple(second)


def two_columns(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
  """Returns the two columns of lines; raises ValueError for a line that has another number of fields.

  >>> two_columns(chr(10).join(['a' + chr(9) + 'b', 'c' + chr(9) + 'd']))
  (('a', 'c'), ('b', 'd'))
  """
  lines = text.split('\n') if text else []
  odd = next((line for line in lines if line.count('\t') != 1), None)
  if odd is not None:
    raise ValueError(f'a line is no identifier and label: {odd[:80]!r}')
  fields = text.replace('\n', '\t').split('\t') if text else []
  if '\\' in text:
    fields = list(map(unescape, fields))
  return tuple(fields[::2]), tuple(fields[1::2])


def check_distinct(identifiers: Sequence[str]) -> None:
  """Raises ValueError for identifiers of which two are equal; it names their lines in the file."""
  if len(set(identifiers)) < len(identifiers):
    first: dict[str, int] = {}
    for line, name in enumerate(identifiers, 2):
      if name in first:
        raise ValueError(f'lines {first[name]} and {line} have the same identifier {name[:80]!r}')
      first[name] = line


def read_reference(folder: Path) -> tuple[str, str] | None:
  """Returns (path, hash) of the prepared graph that graph.json names, or None where the graph lies in the folder."""
  path = pathlib.Path(folder) / REFERENCE
  if not path.exists():
    return None
  with reading(path):
    found = schemas.convert(schemas.decode(read_bytes(path), path), schemas.Reference)
    return found.path, found.hash


def read_prepared(path: pathlib.Path, place: str, expected: str) -> Graph:
  """Opens the prepared graph that a graph.json names, with its path and hash."""
  from medjax.data import store  # only where a graph is prepared: it loads what reads Parquet

  try:
    return store.open_graph(place, expected)
  except DataError as error:
    raise ArtifactError(
      f'{path} names the prepared graph {place} with hash {expected[:12]}, but: {error} If it was '
      f'moved, write its new path into {path}, or train with it as --config.data.path.'
    ) from error
