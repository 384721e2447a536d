"""One file of triples, whatever it is written in: text, RDF or Parquet."""

import pathlib

from medjax.data import contents, layouts, parquet, rdf, tables
from medjax.errors import DataError

SUFFIXES = (*tables.SUFFIXES, *rdf.SUFFIXES, *parquet.SUFFIXES)
_OTHER = {  # what a file may be by its suffix, and what to do
  '.json': ('JSON', 'Export the triples as .csv or .tsv, one a line'),
  '.jsonl': ('lines of JSON', 'Export the triples as .csv or .tsv, one a line'),
  '.ndjson': ('lines of JSON', 'Export the triples as .csv or .tsv, one a line'),
  '.graphml': ('GraphML', 'Export the edges as .csv'),
  '.gexf': ('GEXF', 'Export the edges as .csv'),
  '.obo': ('OBO', 'Convert it to OWL, e.g. with `robot convert --input FILE --output NEW.owl`'),
  '.omn': ('OWL in Manchester syntax', 'Convert it, e.g. with `robot convert --input FILE --output NEW.ttl`'),
  '.ofn': ('OWL in functional syntax', 'Convert it, e.g. with `robot convert --input FILE --output NEW.ttl`'),
  '.hdt': ('HDT', 'Convert it to N-Triples, e.g. with `hdt2rdf`'),
}


def read(path: str | pathlib.Path, columns: str = 'hrt', header: str = 'auto', comments: str = 'auto') -> tables.Table:
  """Returns the `tables.Table` of a file; RDF in a .txt or .tsv is recognised by its first lines.

  Args:
    path: the file, plain or packed (.gz, .bz2, .xz).
    columns, header, comments: see `tables.read_table`; RDF has none.

  Raises:
    DataError: what `tables.read_table`, `rdf.read` and `parquet.read` refuse, and formats that are not read, by name.
  """
  path = pathlib.Path(path)
  layouts.check(columns, header, comments)
  kind = kind_of(path)
  if kind == 'parquet':
    return parquet.read(path, columns, header)
  if kind == 'rdf':
    return rdf.read(path)
  return tables.read_table(path, columns, header, comments)


def kind_of(path: str | pathlib.Path) -> str:
  """'text', 'rdf' or 'parquet': what a file is, by its suffix and its first lines.

  Raises:
    DataError: a format that is not read, by name.
  """
  path = pathlib.Path(path)
  suffix = contents.file_suffix(path)
  if suffix in parquet.SUFFIXES:
    return 'parquet'
  if suffix in rdf.SUFFIXES:
    return 'rdf'
  text = contents.decode(path, contents.read_head(path))
  if suffix in _OTHER:
    name, remedy = _OTHER[suffix]
    raise DataError(f'{path}: this is {name}, which is not read. {remedy}.')
  form = None if suffix == '.csv' else rdf.recognise(text)
  if form == 'XML':
    raise DataError(f'{path}: this is XML, but not RDF/XML. Export the triples as .csv or .tsv, one a line.')
  if suffix not in tables.SUFFIXES and text.lstrip().startswith('{'):
    name, remedy = _OTHER['.json']
    raise DataError(f'{path}: this is {name}, which is not read. {remedy}.')
  return 'rdf' if form else 'text'
