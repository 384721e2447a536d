"""DuckDB, which sorts and joins what does not fit in memory: the only module that imports it."""

from collections.abc import Iterator, Mapping
import contextlib
import glob
import pathlib
from typing import Any, TYPE_CHECKING

from jaxtyping import Shaped
import numpy as np

from medjax import errors
from medjax.data import tables

if TYPE_CHECKING:
  import duckdb

  Connection = duckdb.DuckDBPyConnection
else:
  Connection = Any  # DuckDB may be missing, and is loaded when it is needed

MEMORY = '4GB'  # what DuckDB holds before it goes to disk
VECTORS = 256  # DuckDB's unit of 2048 rows: so many are fetched at once


@contextlib.contextmanager
def connected(folder: pathlib.Path | None = None) -> Iterator[Connection]:
  """Yields a connection to a new database in a folder, where it spills too; None is one for reading alone.

  Raises:
    errors.DataError: DuckDB is not installed.
  """
  try:
    import duckdb
  except ImportError:
    raise errors.DataError("graphs larger than memory need DuckDB: pip install 'medjax[big]'") from None
  settings: dict[str, Any] = (
    {'memory_limit': MEMORY, 'preserve_insertion_order': False, 'temp_directory': str(folder / 'spill')}
    if folder
    else {}
  )
  with duckdb.connect(str(folder / 'work.duckdb') if folder else ':memory:', config=settings) as connection:
    yield connection


def read_triples(connection: Connection, table: str, path: pathlib.Path, columns: str, layout: tables.Layout) -> None:
  """Makes a table (h, r, t) of text from a file, exactly as its lines stand (blank ones are skipped).

  Raises:
    errors.DataError: what `tables.read_lines` finds wrong with a line.
  """
  import duckdb

  names = ', '.join(f"'{name}': 'VARCHAR'" for name in columns)
  quote = '"' if layout.quoted else ''
  packed = 'gzip' if tables.is_packed(path) else 'none'
  try:
    connection.execute(
      f'CREATE TABLE {table} AS SELECT h, r, t FROM read_csv($path, delim=$delim, quote=$quote, escape=$quote, '
      f"comment='', header=false, skip={int(bool(layout.header))}, columns={{{names}}}, auto_detect=false, "
      f"strict_mode=true, nullstr=$null, compression='{packed}')",
      {'path': glob.escape(str(path)), 'delim': layout.separator, 'quote': quote, 'null': '\0'},
    )
    faults = one(
      connection,
      f'SELECT count(*) FROM {table} WHERE '
      + ' OR '.join(f"{name} IS NULL OR trim({name}) = '' OR contains({name}, chr(0))" for name in 'hrt'),
    )
  except duckdb.Error as error:
    explain(path, layout)
    raise errors.DataError(
      f'{path}: cannot be read ({str(error).splitlines()[0]}). Write one triple a line, with line ends of one kind.'
    ) from error
  if faults:
    explain(path, layout)
    raise errors.DataError(
      f'{path}: {faults} lines have an empty field. Give every triple a head, a relation and a tail.'
    )
  if layout.header and not one(connection, f'SELECT count(*) FROM {table}'):
    raise tables.only_a_header(path, layout.header)


def explain(path: pathlib.Path, layout: tables.Layout) -> None:
  """Walks a file line by line, to name the first faulty one."""
  for _ in tables.read_lines(path, layout):
    pass


def one(connection: Connection, query: str, values: Mapping[str, Any] | None = None) -> Any:
  """Returns the first value of a query's only row."""
  return connection.execute(query, values or {}).fetchall()[0][0]


def write_array(connection: Connection, query: str, path: pathlib.Path, rows: int) -> None:
  """Streams a query's int32 columns into a .npy file [rows, columns]."""
  result = connection.execute(query)
  array: Any = None
  first = 0
  while len(chunk := result.fetch_df_chunk(VECTORS)):
    if array is None:
      array = np.lib.format.open_memmap(path, 'w+', np.int32, (rows, chunk.shape[1]))
    array[first : first + len(chunk)] = chunk.to_numpy()
    first += len(chunk)
  array.flush()


def write_parquet(connection: Connection, query: str, path: pathlib.Path) -> None:
  """Writes a query's rows, in its order, as Parquet."""
  target = str(path).replace("'", "''")
  connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def read_parquet(path: pathlib.Path, column: str) -> Shaped[np.ndarray, ' rows']:
  """Returns a column of a Parquet file in its order, as a numpy array."""
  with connected() as connection:
    return connection.execute(
      f'SELECT {column} FROM read_parquet($path)', {'path': glob.escape(str(path))}
    ).fetchnumpy()[column]
