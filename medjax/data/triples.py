"""Graphs of triples: strings become ids, splits are checked, and what was found is told in notes."""

from collections.abc import Iterable, Mapping, Sequence
import functools
import pathlib
import re
from typing import Any
import unicodedata

from jaxtyping import Int32, Shaped
import numpy as np

from medjax.data import columns as columns_lib
from medjax.data import contents, layouts, openke, reading, records, splits, tables
from medjax.data import labels as labels_lib
from medjax.data.graph import File, Graph
from medjax.errors import DataError

SPLITS = {'train': ('train',), 'valid': ('valid', 'dev', 'validation', 'val'), 'test': ('test',)}  # names of files


def read_folder(path: str | pathlib.Path, columns: str = 'hrt', header: str = 'auto', comments: str = 'auto') -> Graph:
  """Reads a folder with train, valid (or dev) and test files, each in any format of `reading.read`, perhaps packed.

  A folder with train2id.txt is one of OpenKE, whose columns are head, tail, relation. Valid and test may be empty, or
  missing where no other file could be them.

  Args:
    path: the folder; label files beside the data are used, see medjax.data.labels.
    columns, header, comments: see `tables.read_table`.

  Returns:
    A Graph. Triples that train repeats are removed; everything else is kept and counted in `notes`.

  Raises:
    DataError: a split that is given twice, or missing where another file may be it; a file that cannot be read; files
      whose columns are in different orders though not all have a header; a relation that train lacks.
  """
  path = pathlib.Path(path)
  layouts.check(columns, header, comments)
  if is_openke(path):
    files = {split: path / name for split, name in openke.FILES.items()}
    check_openke(path, columns)
    read = openke.read(path)
  else:
    files = find_splits(path)
    read = {split: reading.read(file, columns, header, comments) for split, file in files.items() if not is_blank(file)}
  if 'train' not in read:
    raise records.empty(files['train'])
  check_orders({files[split]: (table.order, bool(table.header)) for split, table in read.items()})
  entities = sorted(set().union(*(set(table.heads) | set(table.tails) for table in read.values())))
  relations = sorted(set(read['train'].relations))
  for split in read:
    _check_relations(files[split], read[split], relations)
  ids = {split: np.zeros((0, 3), np.int32) for split in SPLITS}
  ids |= {split: _encode(table, entities, relations) for split, table in read.items()}
  notes = [note for table in read.values() for note in table.notes]
  ids['train'], duplicates = _without_duplicates(ids['train'], len(entities), len(relations))
  if duplicates:
    notes.append(f'{files["train"].name}: {duplicates} duplicate triples removed')
  notes += lacking_notes([split for split in SPLITS if split not in read])
  notes += _form_notes(files['train'].name, read['train'])
  return _graph(path.resolve().name, path, entities, relations, ids, notes, {files[s].name: read[s] for s in read})


def is_openke(folder: pathlib.Path) -> bool:
  """Whether a folder is one of OpenKE: its train is train2id.txt, and no other."""
  return folder.is_dir() and openke.is_folder(folder) and not _found(folder, 'train')


def check_openke(folder: pathlib.Path, columns: str) -> None:
  """Raises DataError for data.columns that contradict the order of OpenKE's columns."""
  if columns not in ('hrt', 'htr'):  # the first is the default
    raise DataError(
      f"{folder}: data.columns is {columns!r}, but a folder with train2id.txt is read as OpenKE writes it, 'htr'. "
      'Leave data.columns out; or name the files train.txt, valid.txt and test.txt, and take the counts away.'
    )


def check_orders(found: Mapping[pathlib.Path, tuple[str, bool]]) -> None:
  """Raises DataError where headers order the columns of some files of a folder, and others differ and have none.

  Args:
    found: {file: (`records.Layout.columns`, whether it has a header)}.
  """
  orders = {path: order for path, (order, _) in found.items() if order}
  bare = [path for path in orders if not found[path][1]]
  titled = [path for path in orders if found[path][1] and bare and orders[path] != orders[bare[0]]]
  if titled:
    raise DataError(
      f'{bare[0]}: has no header, and that of {titled[0].name} puts the columns in the order {orders[titled[0]]!r}. '
      f'Say --config.data.columns={orders[titled[0]]} if all files have that order, or give every file its header.'
    )


def lacking_notes(lacking: Sequence[str]) -> list[str]:
  """A note on splits that have no triples; [] where all have some."""
  what = {'valid': 'no validation', 'test': 'no evaluation'}
  return (
    [f'no triples for {" and ".join(lacking)}: {" and ".join(what[split] for split in lacking)} of the training']
    if lacking
    else []
  )


def is_blank(path: pathlib.Path) -> bool:
  """Whether a file holds nothing but white space."""
  return not contents.read_head(path).strip()


def split_file(
  path: str | pathlib.Path,
  shares: Iterable[str | float] = (0.8, 0.1, 0.1),
  seed: int = 0,
  columns: str = 'hrt',
  header: str = 'auto',
  comments: str = 'auto',
) -> Graph:
  """Reads one file and splits it; the split depends on the set of triples and the seed, not on their order.

  Every entity and relation occurs in train: a triple whose entity or relation would be unseen there is moved
  to it. Inverse and symmetric relations are not told apart from others, so one direction may be in train and
  the other in test.

  Args:
    path: the file.
    shares: of train, valid and test: three numbers that sum to 1; those of valid and test may be 0.
    seed: of the split.
    columns, header, comments: see `tables.read_table`.

  Raises:
    DataError: shares that make no sense, a file that cannot be read or is too small to split.
  """
  path = pathlib.Path(path)
  shares = splits.check_shares(shares)
  table = reading.read(path, columns, header, comments)
  entities = sorted(set(table.heads) | set(table.tails))
  relations = sorted(set(table.relations))
  triples = _encode(table, entities, relations)
  triples, duplicates = _without_duplicates(triples, len(entities), len(relations))
  notes = list(table.notes)
  if duplicates:
    notes.append(f'{path.name}: {duplicates} duplicate triples removed')
  triples = triples[np.lexsort(triples.T[::-1])]
  ids = splits.split_triples(triples, np.arange(len(triples)), shares, seed)
  for share, (split, part) in zip(shares, ids.items()):
    if share and not len(part):
      raise empty_split(path, len(triples), shares, split)
  notes.append(split_note(path.name, seed, {split: len(part) for split, part in ids.items()}))
  notes += lacking_notes([split for split, part in ids.items() if not len(part)])
  notes += _form_notes(path.name, table)
  return _graph(path.name.split('.')[0], path.parent, entities, relations, ids, notes, {path.name: table})


def split_note(name: str, seed: int, sizes: Mapping[str, int]) -> str:
  """What a note tells of a file that was split, and of its splits' sizes."""
  return f'{name}: split by seed {seed} into ' + ', '.join(f'{split} {size}' for split, size in sizes.items())


def find_splits(folder: pathlib.Path) -> dict[str, pathlib.Path]:
  """Returns {split: its only file in a folder}; valid and test may lack where no other file there could be them.

  Raises:
    DataError: no folder, no file for train, several for one split, or none for valid or test beside one with a name
      that may mean it.
  """
  if not folder.is_dir():
    raise DataError(f'{folder}: there is no such folder. Check data.path or data.root.')
  found = {split: _found(folder, split) for split in SPLITS}
  for split, files in found.items():
    if len(files) > 1:
      raise DataError(f'{folder}: several files for {split}: {", ".join(file.name for file in files)}. Leave one.')
  there = sorted(entry.name for entry in folder.iterdir())
  taken = {file.name for files in found.values() for file in files}
  doubtful = [name for name in there if name not in taken and re.search('val|dev|test|eval|hold|train', name.lower())]
  for split, files in found.items():
    if not files and (split == 'train' or doubtful):
      listing = ', '.join(there[:20]) + (f' and {len(there) - 20} more' if len(there) > 20 else '')
      raise DataError(
        f'{folder}: no file for {split}: looked for {"/".join(SPLITS[split])} with .txt, .tsv, .csv, .nt, .ttl, .rdf '
        f'or .parquet, perhaps .gz. The folder holds: {listing or "nothing"}. Rename the file, '
        + (
          'or give one single file as data.path to have it split.'
          if split == 'train'
          else f'or add an empty {split}.txt to go without.'
        )
      )
  return {split: files[0] for split, files in found.items() if files}


def _found(folder: pathlib.Path, split: str) -> list[pathlib.Path]:
  """The files of a split in a folder."""
  names = (
    f'{stem}{suffix}{packed}'
    for stem in SPLITS[split]
    for suffix in reading.SUFFIXES
    for packed in ('', *contents.PACKINGS)
  )
  return [folder / name for name in names if (folder / name).is_file()]


def unknown_relation(path: pathlib.Path, line: int, relation: str, count: int, unit: str = 'line') -> DataError:
  """The DataError of a file whose relation, one of `count`, train lacks; `unit` is what `line` counts."""
  return DataError(
    f'{path}, {unit} {line}: the relation {relation!r} never occurs in train ({count} such relations), '
    'so nothing can be learned about it. Add triples with it to train, remove these lines, or check '
    'data.columns.'
  )


def empty_split(path: pathlib.Path, count: int, shares: Sequence[float], split: str) -> DataError:
  """The DataError of a file whose `count` distinct triples leave none for a split."""
  return DataError(
    f'{path}: {count} distinct triples at shares {shares} leave none for {split}, since every entity '
    'and relation has to occur in train. Give more triples, or train on all of them by --config.data.split=1,0,0.'
  )


def _check_relations(path: pathlib.Path, table: tables.Table, relations: Sequence[str]) -> None:
  known = set(relations)
  unknown = set(table.relations) - known
  if unknown:
    row = next(i for i, relation in enumerate(table.relations) if relation in unknown)
    raise unknown_relation(path, table.lines[row], table.relations[row], len(unknown), table.unit)


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


def _form_notes(name: str, table: tables.Table) -> list[str]:
  """What looks odd about the columns and the first line of a file: a list of str."""
  found = columns_lib.look(table.heads, table.relations, table.tails, table.lines[0])
  return columns_lib.odd_notes(name, found, bool(table.order) and not table.header)


def _graph(
  name: str,
  folder: pathlib.Path,
  entities: Sequence[str],
  relations: Sequence[str],
  ids: dict[str, Any],
  notes: Sequence[str],
  read: Mapping[str, tables.Table],
) -> Graph:
  """A Graph with labels, and with notes on what the splits share; `read` has the Table of every file's name."""
  given = {identifier: label for table in read.values() for identifier, label in table.labels.items()}
  entity_labels, entity_notes = labels_lib.read_labels(folder, 'entities', entities, given)
  relation_labels, relation_notes = labels_lib.read_labels(folder, 'relations', relations, given)
  make = functools.partial(
    Graph,
    name,
    tuple(entities),
    tuple(relations),
    **ids,
    entity_labels=entity_labels,
    relation_labels=relation_labels,
    files=tuple(
      File(file, table.form, len(table.lines), ','.join(table.header), table.order) for file, table in read.items()
    ),
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
  for split in ('valid', 'test'):
    notes += reverse_notes(split, _reversed_in_train(graph, split), len(getattr(graph, split)))
  if unseen.any():
    count = {split: int(unseen[getattr(graph, split)[:, [0, 2]]].any(axis=1).sum()) for split in ('valid', 'test')}
    notes.append(
      f'{int(unseen.sum())} entities are unseen in train; {count["valid"]} valid and '
      f'{count["test"]} test triples name them'
    )
  return notes


def reverse_notes(split: str, count: int, size: int) -> list[str]:
  """A note that `count` of a split's `size` triples are in train the other way round; [] where none is."""
  if not count:
    return []
  share = f'{count / size:.0%}' if 100 * count >= size else 'below 1%'
  return [
    f'{split}: {count} of {size} triples ({share}) have their inverse in train, a triple from tail to head; '
    'see --mode=inspect'
  ]


def _reversed_in_train(graph: Graph, split: str) -> int:
  """How many triples of a split train holds from tail to head, by any relation."""
  pair = lambda rows, first, second: rows[:, first].astype(np.int64) * graph.num_entities + rows[:, second]
  return int(np.isin(pair(getattr(graph, split), 2, 0), pair(graph.train, 0, 2)).sum())


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
