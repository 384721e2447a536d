"""Readable names of entities and relations, from optional files that lie beside the triples."""

import collections
from collections.abc import Mapping, Sequence
import json
import pathlib
import types
from typing import NamedTuple

from medjax import errors
from medjax.data import contents, limits, openke

# WordNet files carry both `synset` and `name`. A synset, land_reform.n.01, names one entity, tells its part
# of speech and is what people type; a quarter of WN18RR's entities share their bare name with another one.
LABEL_COLUMNS = ('label', 'synset', 'name')


class Known(NamedTuple):
  """What a file of labels says.

  Attributes:
    labels: {identifier: label}.
    numbered: it maps names to numbers, or numbers to names, so `labels` are those of the numbers.
  """

  labels: dict[str, str]
  numbered: bool = False


def read_labels(
  folder: str | pathlib.Path,
  kind: str,
  identifiers: Sequence[str],
  given: Mapping[str, str] = types.MappingProxyType({}),
) -> tuple[tuple[str, ...], tuple[str, ...]]:
  """Looks for labels of `identifiers` in a folder.

  The first of `<kind>.tsv`, `<kind>.en.tsv`, `<kind>.json`, `<kind>.dict` and `entity2id.txt` (`relation2id.txt`) that
  exists is read. The first column of a .tsv is the identifier, and the label is the column called label, synset or
  name, else the second one; a header is optional. A .json maps identifiers to labels, or to objects with the key
  `label`. A file that maps names to numbers, or numbers to names, labels the numbers: where the triples hold the
  names themselves, it labels nothing.

  Args:
    folder: where the triples are.
    kind: 'entities' or 'relations'.
    identifiers: tuple of str.
    given: {identifier: label} that the triples' own files brought, for what no file beside them labels.

  Returns:
    labels: tuple of str in the order of `identifiers`, the identifier itself where no label is known.
    notes: tuple of str: which file was read and how many labels it knew; () without a file.

  Raises:
    DataError: a label file that has no second column or is no JSON object.
  """
  path = find_labels(folder, kind)
  known = read_file(path) if path else Known({})
  labels = tuple(known.labels.get(identifier) or given.get(identifier) or identifier for identifier in identifiers)
  notes = []
  if path:
    count = sum(bool(known.labels.get(identifier)) for identifier in identifiers)
    notes += label_notes(path, known, count, len(identifiers), kind)
  if count := sum(bool(given.get(identifier)) for identifier in identifiers):
    notes.append(f'labels in the files of triples: for {count} of {len(identifiers)} {kind}')
  return labels, tuple(notes)


def label_notes(path: pathlib.Path, known: Known, count: int, size: int, kind: str) -> list[str]:
  """What a note tells of a file that labels `count` of `size` entities or relations."""
  if count or not known.numbered:
    return [f'{path.name}: labels for {count} of {size} {kind}']
  if path.suffix != '.tsv':
    return []
  return [f'{path.name}: numbers the names of {kind}, which are no labels; the names in the triples are kept']


def find_labels(folder: str | pathlib.Path, kind: str) -> pathlib.Path | None:
  """Returns the file of labels that `read_labels` would read in a folder, or None."""
  names = [f'{kind}{suffix}' for suffix in ('.tsv', '.en.tsv', '.json', '.dict')] + [openke.VOCABULARIES[kind]]
  return next((path for name in names if (path := pathlib.Path(folder) / name).is_file()), None)


def read_file(path: pathlib.Path) -> Known:
  """Returns what a file of labels says, by its suffix; a .txt is one of aliases, as of Wikidata5M."""
  if path.name in openke.VOCABULARIES.values():
    return Known({str(number): name for number, name in openke.read_names(path).items()}, numbered=True)
  return {'.json': _read_json, '.txt': _read_aliases}.get(path.suffix, _read_tsv)(path)


def unique_labels(labels: Sequence[str], identifiers: Sequence[str]) -> tuple[str, ...]:
  """Tells equal labels apart by appending the identifier in parentheses.

  Args:
    labels: sequence of str.
    identifiers: sequence of distinct str, of the same length.

  Returns:
    A tuple of distinct str; labels that were unique already are unchanged wherever possible.

  Raises:
    errors.DataError: identifiers that are not distinct, by which nothing is told apart.
  """
  labels = list(labels)
  if len(set(labels)) < len(labels) and len(set(identifiers)) < len(identifiers):
    twice = collections.Counter(identifiers).most_common(1)[0][0]
    raise errors.DataError(f'several entries have the identifier {twice!r}; give each one of its own')
  while True:
    counts = collections.Counter(labels)
    if len(counts) == len(labels):
      return tuple(labels)
    labels = [
      f'{label} ({identifier})' if counts[label] > 1 else label
      for label, identifier in zip(labels, identifiers, strict=True)
    ]


def _read_tsv(path: pathlib.Path) -> Known:
  lines = contents.read_text(path).replace('\r\n', '\n').strip('\n').split('\n')
  rows = [line.split('\t') for line in lines]
  header = [name.strip().lower() for name in rows[0]]
  if len(header) < 2:
    raise errors.DataError(
      f'{path}, line 1: the header {lines[0][:120]!r} has one column. A label file '
      'starts with a line such as identifier<tab>label; mend it or take it away.'
    )
  titled = next((header.index(name, 1) for name in LABEL_COLUMNS if name in header[1:]), 0)
  column = titled or 1
  if (numbered := _numbered([(row[0], row[column]) for row in rows if len(row) > column], bool(titled))) is not None:
    return Known(numbered, numbered=True)
  # without a known title, the first line may be a label like the others; else it is that of no identifier
  return Known({row[0]: row[column].strip() for row in rows[bool(titled) :] if len(row) > column})


def _numbered(rows: Sequence[Sequence[str]], titled: bool) -> dict[str, str] | None:
  """{number: name} of rows that give names numbers, in either order and perhaps below a header; None: they do not."""
  for number, name in ((1, 0), (0, 1)):
    body = rows[not rows[0][number].strip().isdigit() :]
    numbers = [row[number].strip() for row in body]
    counted = set(map(str, range(len(body)))), set(map(str, range(1, len(body) + 1)))
    if not numbers or not all(value.isdigit() for value in numbers) or len(set(numbers)) < len(numbers):
      continue
    if set(numbers) in counted or (number == 1 and not titled):
      names = {row[name].strip() for row in body}
      return {value: row[name].strip() for value, row in zip(numbers, body) if value not in names}
  return None


def _read_aliases(path: pathlib.Path) -> Known:
  """The first alias of every line: identifier<tab>alias<tab>alias..., without a header."""
  rows = (line.decode('utf-8', 'replace').rstrip('\r\n').split('\t', 2) for line in contents.read_lines(path))
  return Known({row[0]: row[1].strip() for row in rows if len(row) > 1})


def _read_json(path: pathlib.Path) -> Known:
  try:
    text = contents.read_text(path)
    limits.check_json(path, text)
    content = json.loads(text)
  except json.JSONDecodeError as error:
    raise errors.DataError(f'{path}, line {error.lineno}: no JSON ({error.msg}). Mend it or take it away.') from error
  except (ValueError, RecursionError) as error:  # numbers of thousands of digits, and records in records
    raise errors.DataError(f'{path}: no JSON of labels ({error}). Mend it or take it away.') from error
  if not isinstance(content, dict):
    raise errors.DataError(f'{path}: holds a {type(content).__name__}, but has to map identifiers to labels.')
  labels = {key: value.get('label') if isinstance(value, dict) else value for key, value in content.items()}
  return Known({key: label.strip() for key, label in labels.items() if isinstance(label, str)})
