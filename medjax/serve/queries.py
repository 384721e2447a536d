"""Many queries at once, as a DataFrame or a file: columns head, relation and tail, of which each row lacks one."""

import io
import pathlib
from typing import Any, TYPE_CHECKING

import numpy as np
import pandas as pd

from medjax import errors
from medjax.data import contents
from medjax.saved.files import Path
from medjax.serve import answers, known
from medjax.serve.answers import Asking

if TYPE_CHECKING:
  from medjax.serve.model import Model

COLUMNS = ('head', 'relation', 'tail')
ASKED = '?'  # stands for what is asked, as a blank does
READERS = {
  '.csv': lambda content: pd.read_csv(content, dtype=str, keep_default_na=False),
  '.tsv': lambda content: pd.read_csv(content, sep='\t', dtype=str, keep_default_na=False),
  '.json': lambda content: pd.read_json(content, dtype=False),
  '.jsonl': lambda content: pd.read_json(content, lines=True, dtype=False),
}

DAMAGE = (ValueError, OSError, TypeError, LookupError, AttributeError, RecursionError)  # of pandas


def read(path: Path) -> pd.DataFrame:
  """Reads queries from a file: .csv or .tsv with a header, .json (a list of objects) or .jsonl.

  Raises:
    errors.DataError: a file that is not there or cannot be read, or has a column of another name.
  """
  path = pathlib.Path(path)
  if path.suffix not in READERS:
    raise errors.DataError(f'{path}: queries are read from {", ".join(READERS)}; rename or convert the file')
  if not path.is_file():
    raise errors.DataError(
      f'{path} is no file; write the queries into one' if path.exists() else f'{path}: there is no such file'
    )
  try:
    frame = READERS[path.suffix](io.BytesIO(contents.read_bytes(path, 'Ask in several files')))
  except DAMAGE as error:
    raise errors.DataError(f'{path} cannot be read as {path.suffix[1:]}: {error}') from None
  foreign = [str(name) for name in frame.columns if name not in COLUMNS]
  if foreign or not len(frame.columns):
    raise errors.DataError(
      f'{path}: its columns are {", ".join(map(str, frame.columns)) or "missing"}; '
      f'call them {", ".join(COLUMNS)}, and leave blank what is asked'
    )
  return frame


def answer(model: 'Model', queries: pd.DataFrame, asking: Asking) -> pd.DataFrame:
  """Returns the answers to a DataFrame of queries; see `Model.predict`."""
  given: dict[str, list[Any]] = {
    name: queries[name].tolist() if name in queries else [None] * len(queries) for name in COLUMNS
  }
  blank = {name: np.array([_is_blank(value) for value in values], bool) for name, values in given.items()}
  number = sum(blank.values(), np.zeros(len(queries), int))
  if (number != 1).any():
    row = int(np.flatnonzero(number != 1)[0])
    raise errors.UsageError(
      f'query {row + 1} asks for {number[row]} of head, relation and tail: '
      f'leave exactly one of them blank, or {ASKED!r}'
    )
  words = {'head': model.entities, 'relation': model.relations, 'tail': model.entities}
  parts = []
  for asked in COLUMNS:
    rows = np.flatnonzero(blank[asked])
    if not len(rows):
      continue
    ids = {name: words[name].find_all(given[name][i] for i in rows) for name in COLUMNS if name != asked}
    found = answers.answer(model, ids, asking)
    parts.append(_frame(model, rows, asked, ids, found))
  if not parts:
    return pd.DataFrame(columns=['query', *COLUMNS, 'score', 'rank'])
  return pd.concat(parts).sort_values(['query', 'rank'], kind='stable', ignore_index=True)


def _is_blank(value):
  return value is None or value in ('', ASKED) or (isinstance(value, float) and np.isnan(value))


def _frame(model, rows, asked, ids, found):
  words = {'head': model.entities, 'relation': model.relations, 'tail': model.entities}
  every = ids | {asked: None}
  named = {
    name: [words[name].labels[i] for i in (found.ids if name == asked else every[name][found.query]).tolist()]
    for name in COLUMNS
  }
  columns = {'query': rows[found.query], **named, 'asked': asked, 'score': found.scores, 'rank': found.ranks}
  if calibration := model.calibrations.get(model.width):
    columns['probability'] = calibration.probability(found.scores)
  if found.splits is not None:
    names = (*known.SPLITS, '')
    columns['known'] = [names[i] for i in found.splits.tolist()]
  return pd.DataFrame(columns)
