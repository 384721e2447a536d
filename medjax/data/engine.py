"""DuckDB, which sorts and joins what does not fit in memory: the only module that imports it."""

from collections.abc import Iterator, Mapping
import contextlib
import errno
import glob
import os
import pathlib
import shutil
from typing import Any, TYPE_CHECKING

from jaxtyping import Shaped
import numpy as np

from medjax import errors
from medjax.core import files
from medjax.data import columns as columns_lib
from medjax.data import contents, records, tables

if TYPE_CHECKING:
  import duckdb

  Connection = duckdb.DuckDBPyConnection
else:
  Connection = Any  # DuckDB may be missing, and is loaded when it is needed

MEMORY = '4GB'  # what DuckDB holds before it goes to disk
UNWRITABLE = {
  'No space left': errno.ENOSPC,
  'max_temp_directory_size': errno.ENOSPC,
  'File too large': errno.EFBIG,
}
VECTORS = 256  # DuckDB's unit of 2048 rows: so many are fetched at once


@contextlib.contextmanager
def connected(folder: pathlib.Path | None = None) -> Iterator[Connection]:
  """Yields a connection to a new database; None is one for reading alone.

  Args:
    folder: has a folder `work` meanwhile, for the database and what does not fit into memory.

  Raises:
    errors.DataError: DuckDB is not installed.
    OSError: the disk is full.
  """
  try:
    import duckdb
  except ImportError:
    raise errors.DataError("graphs larger than memory need DuckDB: pip install 'medjax[big]'") from None
  if folder is None:
    with duckdb.connect(':memory:') as connection:
      yield connection
    return
  work = folder / 'work'
  work.mkdir()
  settings: dict[str, Any] = {
    'memory_limit': MEMORY,
    'preserve_insertion_order': False,
    'temp_directory': str(work / 'spill'),
  }
  try:
    with duckdb.connect(str(work / 'work.duckdb'), config=settings) as connection:
      yield connection
  except duckdb.Error as error:
    if number := unwritable(error):
      raise OSError(number, os.strerror(number), str(folder)) from error
    raise
  finally:
    shutil.rmtree(work)  # on a full disk, DuckDB leaves its log beside the database


def unwritable(error: Exception) -> int:
  """Returns the system's number of what kept DuckDB from writing, as its error tells it, or 0."""
  return next((number for words, number in UNWRITABLE.items() if words in str(error)), 0)


def read_triples(
  connection: Connection, table: str, path: pathlib.Path, layout: records.Layout, folder: pathlib.Path
) -> list[str]:
  """Makes a table (h, r, t) of text from a file, exactly as its lines stand (blank ones are skipped).

  Args:
    connection: to the database.
    table: the name of the new table.
    path, layout: the file and its `records.Layout`.
    folder: takes a plain copy of a file that DuckDB cannot unpack, or that has lines to be skipped.

  Returns:
    Notes on what was skipped.

  Raises:
    errors.DataError: what `records.of_file` finds wrong with a line.
  """
  import duckdb

  names = ', '.join(f"'c{i}': 'VARCHAR'" for i in range(layout.width))
  chosen = ', '.join(f'c{place} AS {name}' for name, place in zip('hrt', layout.places))
  quote = '"' if layout.quoted else ''
  source, packed, skip = path, contents.packing(path), layout.header_line
  skipped: list[tuple[int, str]] = []
  hashes = layout.comments and records.has_hashes(path)
  if packed and not layout.comments:
    contents.walk(path)  # DuckDB would unpack without end
  if hashes or packed not in ('', 'gzip'):
    source, packed, skip = folder / 'plain', '', 0
    with files.replacing(source) as file:
      file.writelines(f'{text}\n'.encode() for _, text, _ in records.of_file(path, layout, skipped))
  try:
    connection.execute(
      f'CREATE TABLE {table} AS SELECT {chosen} FROM read_csv($path, delim=$delim, quote=$quote, escape=$quote, '
      f"comment='', header=false, skip={skip}, columns={{{names}}}, auto_detect=false, "
      f"strict_mode=true, nullstr=$null, compression='{packed or 'none'}')",
      {'path': glob.escape(str(source)), 'delim': layout.separator, 'quote': quote, 'null': '\0'},
    )
    faults = one(
      connection,
      f'SELECT count(*) FROM {table} WHERE '
      + ' OR '.join(f"{name} IS NULL OR trim({name}) = '' OR contains({name}, chr(0))" for name in 'hrt'),
    )
  except duckdb.Error as error:
    if unwritable(error):
      raise
    explain(path, layout)
    raise errors.DataError(
      f'{path}: cannot be read ({str(error).splitlines()[0]}). Write one triple a line, with line ends of one kind.'
    ) from error
  finally:
    (folder / 'plain').unlink(missing_ok=True)
  if faults:
    explain(path, layout)
    raise errors.DataError(
      f'{path}: {faults} lines have an empty field. Give every triple a head, a relation and a tail.'
    )
  comments = (
    delete(connection, table, commented(connection, table, layout.lead)) if hashes and layout.lead is not None else 0
  )
  titles = dict(zip('hrt', layout.titles))
  copies = delete(connection, table, 'h = $h AND r = $r AND t = $t', titles) if titles else 0
  if not one(connection, f'SELECT count(*) FROM {table}'):
    raise records.only_a_header(path, layout.header) if layout.header else records.empty(path)
  return tables.skip_notes(path.name, len(skipped) + comments, min(skipped, default=(0, '')), copies)


def commented(connection: Connection, table: str, lead: int) -> str:
  """The condition of the rows of a table that are comments, as `tables.read_table` tells them from triples.

  Args:
    connection: to the database.
    table: with the columns h, r and t.
    lead: which of them, 0 to 2, a line begins with.
  """
  first, (other, another) = 'hrt'[lead], [name for name in 'hrt' if name != 'hrt'[lead]]
  others = (
    f'SELECT {other} FROM {table} UNION SELECT {another} FROM {table} UNION '
    f"SELECT {first} FROM {table} WHERE {first} NOT LIKE '#%'"
  )
  marked, known = f"{first} LIKE '#%'", f"ltrim({first}, '# ') IN ({others})"
  named = one(
    connection,
    f"SELECT EXISTS (FROM {table} WHERE {other} LIKE '#%' OR {another} LIKE '#%') OR EXISTS "
    f'(SELECT {first} FROM {table} WHERE {marked} AND NOT {known} GROUP BY {first} HAVING count(*) > 1)',
  )
  return f'{marked} AND {known}' if named else marked


def look(connection: Connection, table: str, path: pathlib.Path, layout: records.Layout) -> columns_lib.Look:
  """Returns the `columns.Look` of a file, of which a table (h, r, t) was made that holds more than nothing."""
  count = lambda query: one(connection, f'SELECT count(*) FROM ({query})')
  distinct = lambda *names: ' INTERSECT '.join(f'SELECT DISTINCT {name} FROM {table}' for name in names)
  line, _, (head, relation, tail) = next(records.of_file(path, layout))
  words = sum(
    one(connection, f'SELECT count(*) FROM {table} WHERE {name} = $word', {'word': word})
    for name in 'hrt'
    for word in {head, relation, tail}
  )
  times = one(connection, f'SELECT count(*) FROM {table} WHERE r = $word', {'word': relation})
  heads, relations, tails, *common = (count(distinct(*names)) for names in ('h', 'r', 't', 'rh', 'rt', 'ht'))
  return columns_lib.Look(
    count(f'FROM {table}'),
    heads,
    relations,
    tails,
    common[0],
    common[1],
    common[2],
    line,
    (head, relation, tail),
    (times, words),
  )


def delete(connection: Connection, table: str, condition: str, values: Mapping[str, Any] | None = None) -> int:
  """Deletes the rows of a table that a condition holds for; returns how many."""
  return one(connection, f'DELETE FROM {table} WHERE {condition}', values)


def explain(path: pathlib.Path, layout: records.Layout) -> None:
  """Walks a file line by line, to name the first faulty one."""
  for _ in records.of_file(path, layout):
    pass


def one(connection: Connection, query: str, values: Mapping[str, Any] | None = None) -> Any:
  """Returns the first value of a query's only row."""
  return connection.execute(query, values or {}).fetchall()[0][0]


def write_array(connection: Connection, query: str, path: pathlib.Path, rows: int) -> None:
  """Streams a query's int32 columns into a .npy file [rows, columns]."""
  result = connection.execute(query)
  header = {'descr': '<i4', 'fortran_order': False, 'shape': (rows, len(result.description))}
  with files.replacing(path) as file:
    np.lib.format.write_array_header_1_0(file, header)
    while len(chunk := result.fetch_df_chunk(VECTORS)):
      file.write(np.ascontiguousarray(chunk.to_numpy(), '<i4').data)


def write_parquet(connection: Connection, query: str, path: pathlib.Path) -> None:
  """Writes a query's rows, in its order, as Parquet."""
  with files.replacing_path(path) as partial:
    target = str(partial).replace("'", "''")
    connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def read_parquet(path: pathlib.Path, column: str) -> Shaped[np.ndarray, ' rows']:
  """Returns a column of a Parquet file in its order, as a numpy array; raises errors.DataError for a damaged file."""
  import duckdb

  with connected() as connection:
    try:
      return connection.execute(
        f'SELECT {column} FROM read_parquet($path)', {'path': glob.escape(str(path))}
      ).fetchnumpy()[column]
    except duckdb.Error as error:
      raise errors.DataError(
        f'{path}: cannot be read ({str(error).splitlines()[0]}). Prepare the graph anew, or restore it from a copy.'
      ) from error
