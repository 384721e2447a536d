"""Readable names of entities and relations, from optional files that lie beside the triples."""

import collections
from collections.abc import Sequence
import json
import pathlib

from medjax import errors
from medjax.data import tables

# WordNet files carry both `synset` and `name`. A synset, land_reform.n.01, names one entity, tells its part
# of speech and is what people type; a quarter of WN18RR's entities share their bare name with another one.
LABEL_COLUMNS = ('label', 'synset', 'name')


def read_labels(
  folder: str | pathlib.Path, kind: str, identifiers: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
  """Looks for labels of `identifiers` in a folder.

  The first of `<kind>.tsv`, `<kind>.en.tsv` and `<kind>.json` that exists is read. A .tsv has a header line;
  its first column is the identifier, and the label is the column called label, synset or name, else the
  second one. A .json maps identifiers to labels, or to objects with the key `label`.

  Args:
    folder: where the triples are.
    kind: 'entities' or 'relations'.
    identifiers: tuple of str.

  Returns:
    labels: tuple of str in the order of `identifiers`, the identifier itself where no label is known.
    notes: tuple of str: which file was read and how many labels it knew; () without a file.

  Raises:
    DataError: a label file that has no second column or is no JSON object.
  """
  path = find_labels(folder, kind)
  if path is None:
    return tuple(identifiers), ()
  known = read_file(path)
  labels = tuple(known.get(identifier) or identifier for identifier in identifiers)
  count = sum(bool(known.get(identifier)) for identifier in identifiers)
  return labels, (f'{path.name}: labels for {count} of {len(identifiers)} {kind}',)


def find_labels(folder: str | pathlib.Path, kind: str) -> pathlib.Path | None:
  """Returns the file of labels that `read_labels` would read in a folder, or None."""
  paths = (pathlib.Path(folder) / f'{kind}{suffix}' for suffix in ('.tsv', '.en.tsv', '.json'))
  return next((path for path in paths if path.is_file()), None)


def read_file(path: pathlib.Path) -> dict[str, str]:
  """Returns {identifier: label} of a file of labels, by its suffix; a .txt is one of aliases, as of Wikidata5M."""
  return {'.json': _read_json, '.txt': _read_aliases}.get(path.suffix, _read_tsv)(path)


def unique_labels(labels: Sequence[str], identifiers: Sequence[str]) -> tuple[str, ...]:
  """Tells equal labels apart by appending the identifier in parentheses.

  Args:
    labels: sequence of str.
    identifiers: sequence of distinct str, of the same length.

  Returns:
    A tuple of distinct str; labels that were unique already are unchanged wherever possible.
  """
  labels = list(labels)
  while True:
    counts = collections.Counter(labels)
    if len(counts) == len(labels):
      return tuple(labels)
    labels = [
      f'{label} ({identifier})' if counts[label] > 1 else label
      for label, identifier in zip(labels, identifiers, strict=True)
    ]


def _read_tsv(path: pathlib.Path) -> dict[str, str]:
  lines = tables.read_text(path).replace('\r\n', '\n').rstrip('\n').split('\n')
  header = [name.strip().lower() for name in lines[0].split('\t')]
  if len(header) < 2:
    raise errors.DataError(
      f'{path}, line 1: the header {lines[0][:120]!r} has one column. A label file '
      'starts with a line such as identifier<tab>label; mend it or take it away.'
    )
  column = next((header.index(name) for name in LABEL_COLUMNS if name in header[1:]), 1)
  rows = (line.split('\t') for line in lines[1:])
  return {row[0]: row[column].strip() for row in rows if len(row) > column}


def _read_aliases(path: pathlib.Path) -> dict[str, str]:
  """The first alias of every line: identifier<tab>alias<tab>alias..., without a header."""
  with tables.opened(path) as file:
    rows = (line.decode('utf-8', 'replace').rstrip('\r\n').split('\t', 2) for line in file)
    return {row[0]: row[1].strip() for row in rows if len(row) > 1}


def _read_json(path: pathlib.Path) -> dict[str, str]:
  try:
    content = json.loads(tables.read_text(path))
  except json.JSONDecodeError as error:
    raise errors.DataError(f'{path}, line {error.lineno}: no JSON ({error.msg}). Mend it or take it away.') from error
  if not isinstance(content, dict):
    raise errors.DataError(f'{path}: holds a {type(content).__name__}, but has to map identifiers to labels.')
  labels = {key: value.get('label') if isinstance(value, dict) else value for key, value in content.items()}
  return {key: label.strip() for key, label in labels.items() if isinstance(label, str)}
