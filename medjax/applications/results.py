"""What applications measure, as rows of one CSV file; whatever is there already is not measured again."""

from collections.abc import Callable, Iterable
import pathlib
from typing import NamedTuple

import pandas as pd

from medjax.saved import files

COLUMNS = ('application', 'method', 'width', 'seed', 'metric', 'value', 'spread', 'params', 'bytes', 'ms')


class Result(NamedTuple):
  """One figure.

  Attributes:
    application: 'labelling', 'recommendation' or 'completion'.
    metric: its name.
    value: on the test split.
    spread: its standard deviation over users drawn again (a bootstrap); NaN where there is none.
    ms: milliseconds per user, where they were taken.
  """

  application: str
  metric: str
  value: float
  spread: float = float('nan')
  ms: float = float('nan')


class Subject(NamedTuple):
  """What was measured.

  Attributes:
    method: its name.
    width: numbers per entity; 0 of what has none.
    seed: of its training.
    params: numbers that it holds.
    bytes: of its file; 0 where there is none.
  """

  method: str
  width: int
  seed: int
  params: int = 0
  bytes: int = 0


def frame(subject: Subject, results: Iterable[Result]) -> pd.DataFrame:
  """Returns the rows of one subject."""
  return pd.DataFrame([subject._asdict() | result._asdict() for result in results], columns=list(COLUMNS))


def once(path: pathlib.Path, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
  """Returns what a file holds; makes and writes it, whole, if there is none."""
  if not path.exists():
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, make().to_csv(index=False))
  return pd.read_csv(path)
