"""Triples in Parquet; the only module that imports pyarrow."""

import pathlib

from medjax.data import columns as columns_lib
from medjax.data import limits, tables
from medjax.errors import DataError

SUFFIXES = ('.parquet',)
ROW = 12  # bytes that a triple takes at least


def read(path: str | pathlib.Path, columns: str = 'hrt', header: str = 'auto') -> tables.Table:
  """Reads the triples of a Parquet file.

  Args:
    path: the file.
    columns: see `tables.read_table`; the names are those of the columns. An index that pandas stored is none of them.
    header: 'no' takes the columns by their order, whatever their names are.

  Raises:
    DataError: pyarrow is not installed; no Parquet; columns that are neither text nor whole numbers, or have gaps;
      more than three columns of which nothing says which are meant.
  """
  try:
    import pyarrow
    from pyarrow import parquet, types
  except ImportError:
    raise DataError(f"{path}: reading Parquet needs pyarrow: pip install 'medjax[parquet]'") from None
  path = pathlib.Path(path)
  columns_lib.check(columns, header)
  try:
    with parquet.ParquetFile(path) as file:
      names = [name for name in file.schema_arrow.names if not name.startswith('__index_level_')]
      choice = columns_lib.choose(path, [names], columns, header)
      rows = file.metadata.num_rows
      limits.check_unpacked(path, ROW * rows)
      limits.check_text(path, 3 * rows, 0)
      table = file.read([names[place] for place in choice.places])
      table.validate(full=True)  # that no row names a word of a dictionary that is not there
  except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
    raise DataError(f'{path}: cannot be read as Parquet ({str(error).splitlines()[0]}). Write it again.') from error
  chosen = []
  for place in choice.places:
    column = table.column(names[place])
    if types.is_dictionary(column.type):
      column = column.cast(column.type.value_type)
    if not (types.is_string(column.type) or types.is_large_string(column.type) or types.is_integer(column.type)):
      raise DataError(
        f'{path}: the column {names[place]!r} holds {column.type}, but names are text or whole numbers. Choose other '
        f'columns by --config.data.columns, of {", ".join(names)}, or convert it.'
      )
    values = column.to_pylist()
    for row, value in enumerate(values, 1):
      if value is None or not str(value).strip():
        raise DataError(
          f'{path}, row {row}: {names[place]!r} is empty. Give every triple a head, a relation and a tail.'
        )
    chosen.append([str(value) for value in values])
  if not chosen[0]:
    raise DataError(f'{path}: the file is empty. It should hold one triple a row.')
  notes = []
  titles = [names[place] for place in choice.places]
  if titles[1] in set(chosen[1]):
    notes.append(f'{path.name}: the columns are called {", ".join(titles)}, which may be a triple: is there no header?')
  order = choice.order or ', '.join(
    f'{role} {names[place]}' for role, place in zip(('head', 'relation', 'tail'), choice.places)
  )
  return tables.Table(
    chosen[0],
    chosen[1],
    chosen[2],
    range(1, len(chosen[0]) + 1),
    f'Parquet, columns {", ".join(names)}',
    notes=(f'{path.name}: read as Parquet; {order}', *notes),
    unit='row',
  )
