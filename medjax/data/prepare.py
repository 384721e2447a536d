"""Text triples of any size to a prepared graph (see `store`), by DuckDB: Python holds only labels of the whole graph.

Ids follow the sorted names (by code point), as those of `triples.read_folder`; the triples of each split are sorted
by head, relation, tail, so a store depends neither on the order of lines nor on the machine.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
import contextlib
import pathlib
import types
from typing import NamedTuple

import numpy as np
import pandas as pd

from medjax import errors
from medjax.core import files
from medjax.data import columns as columns_lib
from medjax.data import engine, openke, reading, records, store, triples
from medjax.data import labels as labels_lib
from medjax.data import layouts as layouts_lib
from medjax.data import splits as splits_lib


class Text(NamedTuple):
  """Where the text of a graph lies.

  Attributes:
    name: of the graph.
    files: {split: file}, valid and test perhaps lacking; or {'all': file} to be split.
    columns, header, comments: see `tables.read_table`.
    labels: {'entities' or 'relations': a file of labels}.
    notes: tuple of str.
  """

  name: str
  files: dict[str, pathlib.Path]
  columns: str = 'hrt'
  header: str = 'auto'
  comments: str = 'auto'
  labels: Mapping[str, pathlib.Path] = types.MappingProxyType({})
  notes: tuple[str, ...] = ()


def find_text(path: str | pathlib.Path, columns: str = 'hrt', header: str = 'auto', comments: str = 'auto') -> Text:
  """Returns the `Text` of a folder with train, valid and test, or of one file to split, with the labels beside them.

  Raises:
    errors.DataError: nothing there, or a format that is no text of lines.
  """
  path = pathlib.Path(path).expanduser()
  if triples.is_openke(path):
    raise not_text(path, openke.FORM)
  if path.is_dir():
    files, folder = triples.find_splits(path), path
  elif path.is_file():
    files, folder = {'all': path}, path.parent
  else:
    raise errors.DataError(
      f'data.path is {str(path)!r}, which is neither a folder nor a file here ({pathlib.Path.cwd()}).'
    )
  files = {split: file for split, file in files.items() if split in ('all', 'train') or not triples.is_blank(file)}
  for file in files.values():
    if (kind := reading.kind_of(file)) != 'text':
      raise not_text(file, {'rdf': 'RDF', 'parquet': 'Parquet'}[kind])
  found = {kind: labels_lib.find_labels(folder, kind) for kind in ('entities', 'relations')}
  name = path.resolve().name if path.is_dir() else path.name.split('.')[0]
  return Text(name, files, columns, header, comments, {kind: file for kind, file in found.items() if file})


def not_text(path: pathlib.Path, form: str) -> errors.DataError:
  """The DataError of files that `--mode=prepare` does not read, and a training does."""
  return errors.DataError(
    f'{path}: this is {form}, and --mode=prepare reads only text of lines (.tsv, .csv, .txt). Train on it as it is by '
    'data.path, or export the triples as .tsv.'
  )


def from_text(
  text: Text, output: str | pathlib.Path, shares: Iterable[str | float] = (0.8, 0.1, 0.1), seed: int = 0
) -> None:
  """Prepares a graph of text; the store appears at `output` when it is whole.

  Args:
    text: `Text`.
    output: a folder that does not exist or is empty; it may need as much disk as the text, three times.
    shares, seed: of the split of a single file: a triple's split is a hash of its ids and the seed, and triples
      whose entity or relation train would lack are moved to train.

  Raises:
    errors.DataError: what `triples.read_folder` and `triples.split_file` refuse.
  """
  shares = splits_lib.check_shares(shares)
  with building(output) as folder, engine.connected(folder) as connection:
    notes = list(text.notes)
    layouts = {
      split: layouts_lib.read(file, text.columns, text.header, text.comments) for split, file in text.files.items()
    }
    triples.check_orders({text.files[s]: (layout.columns, bool(layout.header)) for s, layout in layouts.items()})
    for split, file in text.files.items():
      notes += layouts[split].notes(file.name)
      notes += engine.read_triples(connection, f'{split}_text', file, layouts[split], folder)
      if split in ('train', 'all'):
        found = engine.look(connection, f'{split}_text', file, layouts[split])
        notes += columns_lib.odd_notes(file.name, found, not layouts[split].header)
    name_ids(connection, text, layouts)
    for split in text.files:
      notes += encode(connection, split, text.files[split].name)
    if 'all' in text.files:
      notes += deal(connection, text.files['all'], shares, seed)
    for split in {} if 'all' in text.files else set(triples.SPLITS) - set(text.files):
      connection.execute(f'CREATE TABLE {split} (h INTEGER, r INTEGER, t INTEGER)')
    for kind, file in text.labels.items():
      notes += read_labels(connection, kind, file)
    for split in triples.SPLITS:
      engine.write_array(
        connection,
        f'SELECT h, r, t FROM {split} ORDER BY h, r, t',
        folder / f'{split}.npy',
        engine.one(connection, f'SELECT count(*) FROM {split}'),
      )
    sizes = {split: engine.one(connection, f'SELECT count(*) FROM {split}') for split in triples.SPLITS}
    notes += triples.lacking_notes([split for split, size in sizes.items() if not size])
    finish(connection, folder, text.name, notes)


@contextlib.contextmanager
def building(output: str | pathlib.Path) -> Iterator[pathlib.Path]:
  """Yields a folder beside `output` that takes its place when all went well, and is removed otherwise."""
  output = pathlib.Path(output)
  if output.exists() and not (output.is_dir() and not any(output.iterdir())):
    raise errors.DataError(f'--output={output} is not an empty folder; name a new one.')
  with files.building(output) as partial:
    yield partial


def name_ids(connection: engine.Connection, text: Text, layouts: Mapping[str, records.Layout]) -> None:
  """Makes the tables entities and relations (id, name, label) of the texts' names, in sorted order."""
  every = ' UNION ALL '.join(f'SELECT {column} AS name FROM {split}_text' for split in text.files for column in 'ht')
  first = next(iter(text.files))
  for kind, names in (('entities', every), ('relations', f'SELECT r AS name FROM {first}_text')):
    connection.execute(
      f'CREATE TABLE {kind} AS SELECT (row_number() OVER (ORDER BY name) - 1)::INTEGER AS id, name, '
      f'name AS label FROM (SELECT DISTINCT name FROM ({names}))'
    )
  for split, file in text.files.items():
    unknown = (
      connection.execute(f'SELECT DISTINCT r FROM {split}_text WHERE r NOT IN (SELECT name FROM relations)')
      .fetchnumpy()['r']
      .tolist()
    )
    if unknown:
      lines = ((number, chosen[1]) for number, _, chosen in records.of_file(file, layouts[split]))
      number, relation = next((number, relation) for number, relation in lines if relation in unknown)
      raise triples.unknown_relation(file, number, relation, len(unknown))


def encode(connection: engine.Connection, split: str, name: str) -> list[str]:
  """Turns a table of text into one of ids; returns a note if train (or the file to split) repeats triples."""
  distinct = 'DISTINCT' if split in ('train', 'all') else ''
  before = engine.one(connection, f'SELECT count(*) FROM {split}_text')
  connection.execute(
    f'CREATE TABLE "{split}" AS SELECT {distinct} head.id AS h, relation.id AS r, tail.id AS t '
    f'FROM {split}_text AS text JOIN entities AS head ON text.h = head.name '
    'JOIN relations AS relation ON text.r = relation.name JOIN entities AS tail ON text.t = tail.name'
  )
  connection.execute(f'DROP TABLE {split}_text')
  duplicates = before - engine.one(connection, f'SELECT count(*) FROM "{split}"')
  return [f'{name}: {duplicates} duplicate triples removed'] if duplicates else []


def deal(connection: engine.Connection, path: pathlib.Path, shares: Sequence[float], seed: int) -> list[str]:
  """Splits the table "all" into train, valid and test; returns a note with their sizes.

  Where the hashes leave one of them empty that has a share, as in small graphs, the split is that of
  `splits.split_triples`.
  """
  connection.execute(
    'CREATE TABLE dealt AS SELECT h, r, t, CASE WHEN draw < $train THEN 0 WHEN draw < $valid THEN 1 ELSE 2 END AS '
    "place FROM (SELECT h, r, t, md5_number_lower(concat_ws(' ', $seed, h, r, t)) / 18446744073709551616.0 AS draw "
    'FROM "all")',
    {'train': shares[0], 'valid': shares[0] + shares[1], 'seed': seed},
  )
  connection.execute(
    'CREATE TABLE held AS SELECT DISTINCT h AS id FROM dealt WHERE place = 0 UNION '
    'SELECT DISTINCT t FROM dealt WHERE place = 0'
  )
  connection.execute(
    'CREATE TABLE placed AS SELECT h, r, t, CASE WHEN h IN (SELECT id FROM held) AND t IN '
    '(SELECT id FROM held) AND r IN (SELECT r FROM dealt WHERE place = 0) THEN place ELSE 0 END AS '
    'place FROM dealt'
  )
  for place, split in enumerate(triples.SPLITS):
    connection.execute(f'CREATE TABLE {split} AS SELECT h, r, t FROM placed WHERE place = {place}')
  number = lambda table: engine.one(connection, f'SELECT count(*) FROM {table}')
  if any(share and not number(split) for share, split in zip(shares, triples.SPLITS)):
    rows = np.stack(list(connection.execute('SELECT h, r, t FROM "all" ORDER BY h, r, t').fetchnumpy().values()), 1)
    for split, part in splits_lib.split_triples(rows, np.arange(len(rows)), shares, seed).items():
      engine.delete(connection, split, 'true')
      connection.register('part', pd.DataFrame(part, columns=list('hrt')))
      connection.execute(f'INSERT INTO {split} SELECT h, r, t FROM part')
      connection.unregister('part')
  sizes = {split: number(split) for split in triples.SPLITS}
  for share, (split, size) in zip(shares, sizes.items()):
    if share and not size:
      raise triples.empty_split(path, number('"all"'), shares, split)
  for table in ('"all"', 'dealt', 'held', 'placed'):
    connection.execute(f'DROP TABLE {table}')
  return [triples.split_note(path.name, seed, sizes)]


def read_labels(connection: engine.Connection, kind: str, path: pathlib.Path) -> list[str]:
  """Puts the labels of a file into the table of `kind`; returns a note with their number."""
  known = labels_lib.read_file(path)
  frame = pd.DataFrame({'name': list(known.labels), 'label': list(known.labels.values())}, dtype=object)
  connection.register('labels', frame)
  connection.execute(
    f'UPDATE {kind} SET label = labels.label FROM labels WHERE {kind}.name = labels.name AND '
    "labels.label IS NOT NULL AND labels.label != ''"
  )
  count = engine.one(connection, f"SELECT count(*) FROM {kind} SEMI JOIN (FROM labels WHERE label != '') USING (name)")
  connection.unregister('labels')
  return labels_lib.label_notes(path, known, count, engine.one(connection, f'SELECT count(*) FROM {kind}'), kind)


def finish(connection: engine.Connection, folder: pathlib.Path, name: str, notes: Iterable[str]) -> None:
  """Writes the names and the manifest of a store, whose splits are written already.

  Args:
    connection: to a database with the tables entities and relations (id, name, label) and train, valid and test.
    folder, name, notes: of the store.
  """
  notes = [*notes, *shared(connection)]
  engine.write_parquet(connection, 'SELECT name, label FROM entities ORDER BY id', folder / 'entities.parquet')
  count = lambda column: f'(SELECT r, count(*) AS n FROM (SELECT DISTINCT r, {column} FROM train) GROUP BY r)'
  engine.write_parquet(
    connection,
    'SELECT name, label, coalesce(every.n, 0) AS triples, coalesce(heads.n, 0) AS heads, '
    'coalesce(tails.n, 0) AS tails FROM relations '
    f'LEFT JOIN {count("h, t")} AS every ON every.r = id LEFT JOIN {count("h")} AS heads ON heads.r = id '
    f'LEFT JOIN {count("t")} AS tails ON tails.r = id ORDER BY id',
    folder / 'relations.parquet',
  )
  number = lambda table: engine.one(connection, f'SELECT count(*) FROM {table}')
  store.write_manifest(
    folder,
    name,
    {
      'entities': number('entities'),
      'relations': number('relations'),
      'splits': {split: number(split) for split in triples.SPLITS},
    },
    notes,
  )


def shared(connection: engine.Connection) -> list[str]:
  """What valid and test share with train and with each other, counted as `triples.split_notes` does."""
  notes = []
  connection.execute('CREATE TABLE seen AS SELECT h AS id FROM train UNION SELECT t FROM train')
  for split, others in (('valid', ('train',)), ('test', ('train', 'valid'))):
    repeated = engine.one(
      connection, f'SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT * FROM {split})) FROM {split}'
    )
    if repeated:
      notes.append(f'{split}: {repeated} duplicate triples, kept')
    for other in others:
      common = engine.one(connection, f'SELECT count(*) FROM {split} SEMI JOIN {other} USING (h, r, t)')
      if common:
        notes.append(f'{split}: {common} triples are also in {other}, kept')
  for split in ('valid', 'test'):
    size = engine.one(connection, f'SELECT count(*) FROM {split}')
    turned = f'SELECT count(*) FROM {split} SEMI JOIN train ON {split}.h = train.t AND {split}.t = train.h'
    notes += triples.reverse_notes(split, engine.one(connection, turned), size)
  unseen = engine.one(connection, 'SELECT count(*) FROM entities ANTI JOIN seen USING (id)')
  if unseen:
    naming = [
      engine.one(
        connection,
        f'SELECT count(*) FROM {split} WHERE h NOT IN (SELECT id FROM seen) OR t NOT IN (SELECT id FROM seen)',
      )
      for split in ('valid', 'test')
    ]
    notes.append(f'{unseen} entities are unseen in train; {naming[0]} valid and {naming[1]} test triples name them')
  return notes
