"""ogbl-wikikg2 (Hu et al. 2020, "Open Graph Benchmark") as published, to a prepared graph with its candidates.

Ids and the order of triples are the published ones, so that figures are those of the benchmark: each validation and
test triple has 500 wrong heads and 500 wrong tails to be ranked against.
"""

from collections.abc import Iterable, Mapping, Sequence
import io
import pathlib

from jaxtyping import Int32, Shaped
import numpy as np
import pandas as pd

from medjax import errors
from medjax.core import files
from medjax.data import arrays, contents, engine, triples
from medjax.data import prepare as prepare_lib

MAPPINGS = {'entities': 'nodeidx2entityid.csv.gz', 'relations': 'reltype2relid.csv.gz'}


def prepare(
  folder: pathlib.Path, output: str | pathlib.Path, counts: Sequence[int] = (), notes: Iterable[str] = ()
) -> None:
  """Prepares the graph in a folder, wherever in it the published files lie.

  Args:
    folder: with train, valid and test as .pt (or .npz), nodeidx2entityid.csv.gz and reltype2relid.csv.gz.
    output: of the store.
    counts: the published numbers of entities, relations and triples of each split; () checks none.
    notes: tuple of str.

  Raises:
    errors.DataError: a missing or damaged file, ids out of range, or other numbers than published.
  """
  with prepare_lib.building(output) as target, engine.connected(target) as connection:
    sizes = [read_names(connection, kind, find(folder, file)) for kind, file in MAPPINGS.items()]
    for split in triples.SPLITS:
      path = find(folder, f'{split}.npz', f'{split}.pt')
      content = arrays.read(path)
      asked = ids(path, content, ('head', 'relation', 'tail'), (sizes[0], sizes[1], sizes[0]))
      with files.replacing(target / f'{split}.npy') as file:
        np.save(file, np.stack(asked, 1))
      sizes.append(len(asked[0]))
      connection.register('rows', pd.DataFrame(dict(zip('hrt', asked))))
      connection.execute(f'CREATE TABLE {split} AS FROM rows')
      connection.unregister('rows')
      if split != 'train':
        wrong = np.stack(ids(path, content, ('tail_neg', 'head_neg'), (sizes[0], sizes[0])))
        if wrong.shape[:2] != (2, sizes[-1]):
          raise errors.DataError(f'{path}: head_neg and tail_neg have {wrong.shape[1]} rows for {sizes[-1]} triples.')
        with files.replacing(target / f'{split}-candidates.npy') as file:
          np.save(file, wrong)
    if counts and tuple(sizes) != tuple(counts):
      raise errors.DataError(
        f'{folder}: holds {sizes} entities, relations and triples of train, valid and test, but '
        f'{list(counts)} were published. Get it again.'
      )
    prepare_lib.finish(connection, target, 'wikikg2', notes)


def find(folder: pathlib.Path, *names: str) -> pathlib.Path:
  """Returns the file of one of these names in a folder or below it, the first name that is there."""
  for name in names:
    if found := sorted(path for path in folder.rglob(name) if path.is_file()):
      return found[0]
  raise errors.DataError(
    f'{folder}: lacks {" or ".join(names)} of ogbl-wikikg2. Put it there, or leave data.root empty to download it.'
  )


def ids(
  path: pathlib.Path, content: Mapping[str, Shaped[np.ndarray, '...']], names: Sequence[str], sizes: Sequence[int]
) -> list[Int32[np.ndarray, '...']]:
  """Arrays of a file as int32; DataError unless they are there and their ids below the sizes."""
  missing = [name for name in names if name not in content]
  if missing:
    raise errors.DataError(f'{path}: lacks {", ".join(missing)}; it holds {", ".join(sorted(content)) or "no arrays"}.')
  for name, size in zip(names, sizes):
    if content[name].min(initial=0) < 0 or content[name].max(initial=0) >= size:
      raise errors.DataError(f'{path}: {name} holds ids outside of 0 to {size - 1}, which the mapping files lack.')
  return [content[name].astype(np.int32) for name in names]


def read_names(connection: engine.Connection, kind: str, path: pathlib.Path) -> int:
  """Makes the table of `kind` from a mapping file (index, name under a header line), and returns its size."""
  text = contents.read_text(path)  # raises the DataError that names a file which is missing or damaged, or no text
  try:
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
  except ValueError as error:  # what pandas raises is one
    raise errors.DataError(f'{path}: no table of indices and names ({error}). Get it again.') from error
  ids = pd.to_numeric(frame.iloc[:, 0], errors='coerce').to_numpy()
  if frame.shape[1] < 2 or not np.array_equal(np.sort(ids), np.arange(len(ids))):
    raise errors.DataError(f'{path}: the first column has to number its lines from 0, and the second to name them.')
  connection.register('rows', pd.DataFrame({'id': ids.astype(np.int32), 'name': frame.iloc[:, 1].astype(object)}))
  connection.execute(f'CREATE TABLE {kind} AS SELECT id, name, name AS label FROM rows')
  connection.unregister('rows')
  return len(ids)
