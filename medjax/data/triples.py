"""Graphs of triples: strings become ids, splits are checked, and what was found is told in notes."""

from collections.abc import Iterable, Sequence
import functools
import pathlib
from typing import Any
import unicodedata

from jaxtyping import Int32, Shaped
import numpy as np

from medjax.data import labels as labels_lib
from medjax.data import splits, tables
from medjax.data.graph import Graph
from medjax.errors import DataError

SPLITS = {'train': ('train',), 'valid': ('valid', 'dev', 'validation'), 'test': ('test',)}  # names of files


def read_folder(path: str | pathlib.Path, columns: str = 'hrt', header: str = 'auto') -> Graph:
  """Reads a folder with train, valid (or dev) and test files, each .txt, .tsv or .csv, perhaps with .gz.

  Args:
    path: the folder; label files beside the data are used, see medjax.data.labels.
    columns, header: see read_table.

  Returns:
    A Graph. Triples that train repeats are removed; everything else is kept and counted in `notes`.

  Raises:
    DataError: a split that is missing or given twice, a file that cannot be read, a relation that train
      lacks.
  """
  path = pathlib.Path(path)
  tables.check_layout(columns, header)
  files = {split: find_split(path, split) for split in SPLITS}
  read = {split: tables.read_table(file, columns, header) for split, file in files.items()}
  entities = sorted(set().union(*(set(table.heads) | set(table.tails) for table in read.values())))
  relations = sorted(set(read['train'].relations))
  for split in ('valid', 'test'):
    _check_relations(files[split], read[split], relations)
  ids = {split: _encode(table, entities, relations) for split, table in read.items()}
  notes = [note for split in SPLITS for note in _header_note(files[split], read[split])]
  ids['train'], duplicates = _without_duplicates(ids['train'], len(entities), len(relations))
  if duplicates:
    notes.append(f'{files["train"].name}: {duplicates} duplicate triples removed')
  return _graph(path.resolve().name, path, entities, relations, ids, notes)


def split_file(
  path: str | pathlib.Path,
  shares: Iterable[str | float] = (0.8, 0.1, 0.1),
  seed: int = 0,
  columns: str = 'hrt',
  header: str = 'auto',
) -> Graph:
  """Reads one file and splits it; the split depends on the set of triples and the seed, not on their order.

  Every entity and relation occurs in train: a triple whose entity or relation would be unseen there is moved
  to it. Inverse and symmetric relations are not told apart from others, so one direction may be in train and
  the other in test.

  Args:
    path: the file.
    shares: of train, valid and test: three positive numbers that sum to 1.
    seed: of the split.
    columns, header: see read_table.

  Raises:
    DataError: shares that make no sense, a file that cannot be read or is too small to split.
  """
  path = pathlib.Path(path)
  shares = splits.check_shares(shares)
  table = tables.read_table(path, columns, header)
  entities = sorted(set(table.heads) | set(table.tails))
  relations = sorted(set(table.relations))
  triples = _encode(table, entities, relations)
  triples, duplicates = _without_duplicates(triples, len(entities), len(relations))
  notes = _header_note(path, table)
  if duplicates:
    notes.append(f'{path.name}: {duplicates} duplicate triples removed')
  triples = triples[np.lexsort(triples.T[::-1])]
  ids = splits.split_triples(triples, np.arange(len(triples)), shares, seed)
  for split, part in ids.items():
    if not len(part):
      raise empty_split(path, len(triples), shares, split)
  sizes = ', '.join(f'{split} {len(part)}' for split, part in ids.items())
  notes.append(f'{path.name}: split by seed {seed} into {sizes}')
  return _graph(path.name.split('.')[0], path.parent, entities, relations, ids, notes)


def find_split(folder: pathlib.Path, split: str) -> pathlib.Path:
  """Returns the only file of a split in a folder; raises DataError where there is none, or several."""
  if not folder.is_dir():
    raise DataError(f'{folder}: there is no such folder. Check data.path or data.root.')
  names = [f'{stem}{suffix}{gz}' for stem in SPLITS[split] for suffix in tables.SUFFIXES for gz in ('', '.gz')]
  found = [folder / name for name in names if (folder / name).is_file()]
  if len(found) == 1:
    return found[0]
  there = sorted(entry.name for entry in folder.iterdir())
  listing = ', '.join(there[:20]) + (f' and {len(there) - 20} more' if len(there) > 20 else '')
  if not found:
    raise DataError(
      f'{folder}: no file for {split}: looked for {"/".join(SPLITS[split])} with .txt, .tsv or '
      f'.csv, perhaps .gz. The folder holds: {listing or "nothing"}. Rename the file, or give '
      'one single file as data.path to have it split.'
    )
  raise DataError(f'{folder}: several files for {split}: {", ".join(file.name for file in found)}. Leave one.')


def unknown_relation(path: pathlib.Path, line: int, relation: str, count: int) -> DataError:
  """The DataError of a file whose relation, one of `count`, train lacks."""
  return DataError(
    f'{path}, line {line}: the relation {relation!r} never occurs in train ({count} such relations), '
    'so nothing can be learned about it. Add triples with it to train, remove these lines, or check '
    'data.columns.'
  )


def empty_split(path: pathlib.Path, count: int, shares: Sequence[float], split: str) -> DataError:
  """The DataError of a file whose `count` distinct triples leave none for a split."""
  return DataError(
    f'{path}: {count} distinct triples at shares {shares} leave none for {split}, since every entity '
    'and relation has to occur in train. Give more triples or a larger share.'
  )


def _check_relations(path: pathlib.Path, table: tables.Table, relations: Sequence[str]) -> None:
  known = set(relations)
  unknown = set(table.relations) - known
  if unknown:
    row = next(i for i, relation in enumerate(table.relations) if relation in unknown)
    raise unknown_relation(path, table.first_line + row, table.relations[row], len(unknown))


def _encode(table: tables.Table, entities: Sequence[str], relations: Sequence[str]) -> Int32[np.ndarray, 'M 3']:
  """int32 [M, 3] from the strings of a table."""
  entity_id = {entity: i for i, entity in enumerate(entities)}
  relation_id = {relation: i for i, relation in enumerate(relations)}
  columns = ((table.heads, entity_id), (table.relations, relation_id), (table.tails, entity_id))
  size = len(table.heads)
  arrays = [np.fromiter(map(ids.__getitem__, names), np.int32, size) for names, ids in columns]
  return np.stack(arrays, axis=1)


def _without_duplicates(
  triples: Int32[np.ndarray, '_ 3'], num_entities: int, num_relations: int
) -> tuple[Int32[np.ndarray, '_ 3'], int]:
  """The first occurrence of each triple, in order, and how many were removed."""
  _, first = np.unique(_keys(triples, num_entities, num_relations), return_index=True)
  return triples[np.sort(first)], len(triples) - len(first)


def _keys(triples: Int32[np.ndarray, 'M 3'], num_entities: int, num_relations: int) -> Shaped[np.ndarray, ' M']:
  """One comparable value per triple, [M]."""
  if num_entities**2 * num_relations < 2**63:
    heads, relations, tails = triples.astype(np.int64).T
    return (heads * num_relations + relations) * num_entities + tails
  return np.ascontiguousarray(triples).view([('h', np.int32), ('r', np.int32), ('t', np.int32)])[:, 0]


def _header_note(path: pathlib.Path, table: tables.Table) -> list[str]:
  return [f'{path.name}: line 1 taken for a header: {",".join(table.header)}'] if table.header else []


def _graph(
  name: str,
  folder: pathlib.Path,
  entities: Sequence[str],
  relations: Sequence[str],
  ids: dict[str, Any],
  notes: Sequence[str],
) -> Graph:
  """A Graph with labels, and with notes on what the splits share."""
  entity_labels, entity_notes = labels_lib.read_labels(folder, 'entities', entities)
  relation_labels, relation_notes = labels_lib.read_labels(folder, 'relations', relations)
  make = functools.partial(
    Graph, name, tuple(entities), tuple(relations), **ids, entity_labels=entity_labels, relation_labels=relation_labels
  )
  found = split_notes(make()) + spelling_notes(entities) + spelling_notes(relations, 'relations')
  return make(notes=(*notes, *found, *entity_notes, *relation_notes))


def split_notes(graph: Graph) -> list[str]:
  """What valid and test share with train and with each other, counted: a list of str."""
  notes, unseen = [], graph.unseen_entities()
  keys = {split: _keys(getattr(graph, split), graph.num_entities, graph.num_relations) for split in SPLITS}
  for split, others in (('valid', ('train',)), ('test', ('train', 'valid'))):
    repeated = len(keys[split]) - len(np.unique(keys[split]))
    if repeated:
      notes.append(f'{split}: {repeated} duplicate triples, kept')
    for other in others:
      shared = int(np.isin(keys[split], keys[other]).sum())
      if shared:
        notes.append(f'{split}: {shared} triples are also in {other}, kept')
  if unseen.any():
    count = {split: int(unseen[getattr(graph, split)[:, [0, 2]]].any(axis=1).sum()) for split in ('valid', 'test')}
    notes.append(
      f'{int(unseen.sum())} entities are unseen in train; {count["valid"]} valid and '
      f'{count["test"]} test triples name them'
    )
  return notes


def spelling_notes(names: Iterable[str], kind: str = 'entities') -> list[str]:
  """Identifiers that look alike and yet are kept apart, counted: a list of str."""
  spellings: dict[str, list[str]] = {}
  for name in names:
    plain = ' '.join((name if name.isascii() else unicodedata.normalize('NFKC', name)).split())
    spellings.setdefault(plain, []).append(name)
  alike = [group for group in spellings.values() if len(group) > 1]
  if not alike:
    return []
  return [
    f'{len(alike)} groups of {kind} differ only in white space or Unicode form and are kept apart, '
    'e.g. ' + ' and '.join(ascii(name) for name in alike[0][:2])
  ]
