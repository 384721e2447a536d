"""Tables of what the charts of a page show: plain rows, a column for every name."""

from collections.abc import Sequence
from typing import Any, TypeVar

import pandas as pd

from medjax.report import choice, tables
from medjax.report.figures import curves
from medjax.report.page import folders
from medjax.report.page.folders import Saved

MEASURES = {'mrr': 'MRR', 'hits1': 'Hits@1', 'hits3': 'Hits@3', 'hits10': 'Hits@10'}
CATEGORIES = ('1-1', '1-N', 'N-1', 'N-N')
NO_END = 10**9  # a width that no model has
POINTS = 200  # of a curve
DIGITS = 6
T = TypeVar('T')


def spans(widths: Sequence[int]) -> dict[int, tuple[int, int]]:
  """Returns {width: (first, end)}: the widths that a person may pick for which it is the one to show.

  It is the widest that is not above the picked one, and the narrowest below all.

  >>> spans([10, 40])
  {10: (0, 40), 40: (40, 1000000000)}
  """
  firsts = [0, *widths[1:]]
  return {width: (first, end) for width, first, end in zip(widths, firsts, [*widths[1:], NO_END])}


def thinned(values: Sequence[T], most: int) -> list[T]:
  """Returns at most so many of some values, evenly apart, the last among them.

  >>> thinned(range(10), 4)
  [0, 3, 6, 9]
  """
  step = max(1, -(-len(values) // most))
  return list(values)[::-1][::step][::-1]


def quality(run: Saved) -> pd.DataFrame:
  """Returns a row per width: first, end, width, the measures, mrr_interval, kept, kept_interval, bytes, ms.

  Intervals are halves of 95% intervals. What was not saved is NaN.
  """
  if run.results is None:
    return pd.DataFrame()
  frame = run.results.reset_index()[['width', *MEASURES]].assign(bytes=4 * run.results['params'].to_numpy())
  of_widths = choice.read(run.folder)
  speed = choice.read_speed(run.folder)
  for beside, columns in ((of_widths, ['mrr_interval', 'kept', 'kept_interval']), (speed, ['ms'])):
    if beside is None:
      frame = frame.assign(**dict.fromkeys(columns, float('nan')))
    else:
      frame = frame.merge(beside[['width', *columns]], how='left', on='width')
  return with_spans(frame)


def categories(run: Saved) -> pd.DataFrame:
  """Returns a row per width, side of the questions and category of relations: first, end, the measures, queries."""
  if run.detail is None:
    return pd.DataFrame()
  frame = run.detail[run.detail['category'].isin(CATEGORIES) & (run.detail['queries'] > 0)]
  return with_spans(frame[['width', 'side', 'category', 'queries', *MEASURES]])


def training(run: Saved) -> dict[str, pd.DataFrame]:
  """Returns {'valid': rows, 'loss': rows} of those curves that were saved: step, width, value, of a few widths."""
  found = {}
  for name, source in (('valid', 'valid_mrr_by_width'), ('loss', 'width_loss')):
    of_width = curves.series(run.folder, source)
    rows = [
      (step, width, value)
      for width in tables.few(sorted(of_width))
      for step, value in thinned(list(zip(*of_width[width])), POINTS)
    ]
    if rows:
      found[name] = with_spans(pd.DataFrame(rows, columns=['step', 'width', 'value']))
  return found


def reliability(run: Saved) -> pd.DataFrame:
  """Returns a row per width and range of probabilities: said, true, triples; empty where none were saved."""
  frame = folders.table(run.folder / 'reliability.csv')
  return pd.DataFrame() if frame is None else with_spans(frame)


def log_losses(run: Saved) -> dict[int, float]:
  """Returns {width: held-out log-loss of its probabilities}."""
  frame = folders.table(run.folder / 'calibration.csv')
  return {} if frame is None else dict(zip(frame['width'], frame['log_loss']))


def with_spans(frame: pd.DataFrame) -> pd.DataFrame:
  """Returns rows with the `spans` of their widths as first and end."""
  found = spans(sorted({int(width) for width in frame['width']}))
  return frame.assign(
    first=[found[width][0] for width in frame['width']], end=[found[width][1] for width in frame['width']]
  )


def rows(frame: pd.DataFrame) -> dict[str, Any]:
  """Returns a DataFrame as {'columns': names, 'values': rows}, rounded; what is no number is None."""
  plain = frame.round(DIGITS).astype(object)
  return {'columns': list(frame.columns), 'values': plain.where(frame.notna(), None).to_numpy().tolist()}
