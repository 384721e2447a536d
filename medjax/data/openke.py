"""Folders in the form of OpenKE: numbered triples, with the names of the numbers beside them."""

import pathlib
import re

from medjax.data import contents, tables
from medjax.errors import DataError

FILES = {'train': 'train2id.txt', 'valid': 'valid2id.txt', 'test': 'test2id.txt'}
VOCABULARIES = {'entities': 'entity2id.txt', 'relations': 'relation2id.txt'}
NUMBER = '[0-9]{1,18}'  # Python reads no numbers of thousands of digits, and no superscripts
FORM = "OpenKE's numbered triples (head, tail, relation)"


def is_folder(folder: str | pathlib.Path) -> bool:
  """Whether a folder holds train2id.txt."""
  return (pathlib.Path(folder) / FILES['train']).is_file()


def read(folder: str | pathlib.Path) -> dict[str, tables.Table]:
  """Returns {split: Table} of the splits that a folder holds, with names for numbers where it holds them.

  Raises:
    DataError: a count that is not that of its lines, a line that is not three numbers, a number without a name.
  """
  folder = pathlib.Path(folder)
  names = {kind: read_names(folder / file) for kind, file in VOCABULARIES.items() if (folder / file).is_file()}
  return {split: _read(folder / file, names) for split, file in FILES.items() if (folder / file).is_file()}


def read_names(path: pathlib.Path) -> dict[int, str]:
  """Returns {number: name} of entity2id.txt or relation2id.txt: a count, then a name and its number a line.

  Raises:
    DataError: a line without a number, a number or a name that is given twice, a count that is wrong.
  """
  lines = [(i, line) for i, line in enumerate(contents.read_text(path).splitlines(), 1) if line.strip()]
  count, lines = _count(lines)
  names: dict[int, str] = {}
  for number, line in lines:
    match = re.fullmatch(rf'(.*\S)\s+({NUMBER})\s*', line)
    if not match or int(match[2]) in names:
      fault = 'no name and number' if not match else f'the number {match[2]} a second time'
      raise DataError(f'{path}, line {number}: {fault}: {line[:120]!r}. Write a name, a tab and its number.')
    names[int(match[2])] = match[1]
  _check_count(path, count, len(names))
  if len(set(names.values())) != len(names):
    raise DataError(f'{path}: {len(names) - len(set(names.values()))} names are given twice. Give each one number.')
  return names


def _read(path: pathlib.Path, names: dict[str, dict[int, str]]) -> tables.Table:
  lines = [(i, line) for i, line in enumerate(contents.read_text(path).splitlines(), 1) if line.strip()]
  count, lines = _count(lines)
  rows = []
  for number, line in lines:
    fields = line.split()
    if len(fields) != 3 or not all(re.fullmatch(NUMBER, field) for field in fields):
      raise DataError(f'{path}, line {number}: {line[:120]!r} is not the numbers of a head, a tail and a relation.')
    rows.append([int(field) for field in fields])
  _check_count(path, count, len(rows))
  columns: list[list[str]] = []
  for kind, place in (('entities', 0), ('relations', 2), ('entities', 1)):
    numbers = [row[place] for row in rows]
    known = names.get(kind)
    if known is None:
      columns.append([str(value) for value in numbers])
      continue
    unknown = next((i for i, value in enumerate(numbers) if value not in known), None)
    if unknown is not None:
      raise DataError(
        f'{path}, line {lines[unknown][0]}: {VOCABULARIES[kind]} has no number {numbers[unknown]} among its '
        f'{len(known)} {kind}. The columns are head, tail, relation; check their order.'
      )
    columns.append([known[value] for value in numbers])
  lacking = [file for kind, file in VOCABULARIES.items() if kind not in names]
  notes = [f'{path.name}: read as {FORM}'] if path.name == FILES['train'] else []
  if lacking and notes:
    notes.append(f'{" and ".join(lacking)}: not there, so numbers stand for names')
  heads, relations, tails = columns
  return tables.Table(heads, relations, tails, [number for number, _ in lines], FORM, notes=tuple(notes))


def _count(lines: list[tuple[int, str]]) -> tuple[int | None, list[tuple[int, str]]]:
  """(the count in the first line or None, the other lines)."""
  return (int(lines[0][1]), lines[1:]) if lines and re.fullmatch(NUMBER, lines[0][1].strip()) else (None, lines)


def _check_count(path: pathlib.Path, count: int | None, rows: int) -> None:
  if count is not None and count != rows:
    raise DataError(
      f'{path}, line 1: the count is {count}, but {rows} lines follow. Correct it, or get the file again.'
    )
