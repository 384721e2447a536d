"""Which width: the quality that each keeps of the full one, with what it weighs and what a question of it costs."""

import pathlib

from jaxtyping import Float64
import numpy as np
import pandas as pd

from medjax.report import plots, tables
from medjax.saved import sealing
from medjax.saved.files import Path, read_table, write_text

FILE = 'widths.csv'
FILES = (FILE, 'widths.png')
SPEED = 'speed.csv'
Z = 1.96  # of a 95% interval


def kept(reciprocal_ranks: Float64[np.ndarray, 'Q N']) -> tuple[Float64[np.ndarray, ' N'], Float64[np.ndarray, ' N']]:
  """Returns (share of the full width's MRR that each width keeps [N], half of its 95% interval over triples [N]).

  A triple is asked at every width, so the interval is that of a ratio of paired means (the delta method).

  >>> share, half = kept(np.array([[0.5, 1.0], [0.25, 0.5], [0.5, 1.0]]))
  >>> share.tolist(), half.round(6).tolist()
  ([0.5, 1.0], [0.0, 0.0])

  Args:
    reciprocal_ranks: of Q triples under N widths, the mean over their queries; the last width is the full one.
  """
  mean = reciprocal_ranks.mean(0)
  share = mean / max(mean[-1], np.finfo(float).tiny)
  residual = reciprocal_ranks - share * reciprocal_ranks[:, -1:]
  spread = residual.std(0, ddof=1) if len(residual) > 1 else np.full(len(mean), np.nan)
  return share, Z * spread / np.sqrt(len(residual)) / max(mean[-1], np.finfo(float).tiny)


def table(ranks: Float64[np.ndarray, '2 Q N'], widths: list[int], numbers: list[int]) -> pd.DataFrame:
  """Returns one row per width: width, mrr, mrr_interval, kept, kept_interval, bytes.

  Args:
    ranks: of the tail and the head queries.
    widths: increasing.
    numbers: float32 numbers that a model of each width stores.
  """
  each = (1 / ranks).mean(0)
  share, half = kept(each)
  error = Z * each.std(0, ddof=1) / np.sqrt(len(each)) if len(each) > 1 else np.full(len(widths), np.nan)
  return pd.DataFrame(
    {
      'width': widths,
      'mrr': each.mean(0),
      'mrr_interval': error,
      'kept': share,
      'kept_interval': half,
      'bytes': 4 * np.array(numbers, np.int64),
    }
  )


def narrowest(frame: pd.DataFrame, share: float) -> pd.Series:
  """Returns the row of the narrowest width that keeps a share of the MRR, even at the lower end of its interval."""
  lower = frame['kept'] - frame['kept_interval'].fillna(0)
  return frame[lower >= min(share, lower.iloc[-1])].iloc[0]


def best_under(frame: pd.DataFrame, column: str, most: float) -> pd.Series | None:
  """Returns the row of the highest MRR of those with at most so much in a column, or None."""
  fitting = frame[frame[column] <= most]
  return None if fitting.empty else fitting.loc[fitting['mrr'].idxmax()]


def sentence(frame: pd.DataFrame, share: float = 0.95) -> str:
  """Returns what a person needs to know to choose."""
  row, full = narrowest(frame, share), frame.iloc[-1]
  mebibytes = lambda one: f'{one["bytes"] / 2**20:.2f} MiB'
  if row['width'] == full['width']:
    return f'no width below {full["width"]:.0f} ({mebibytes(full)}) is sure to keep {share:.0%} of its MRR'
  return (
    f'width {row["width"]:.0f} is the narrowest that is sure to keep {share:.0%} of the MRR of width '
    f'{full["width"]:.0f}: {row["kept"]:.1%} +- {row["kept_interval"]:.1%}, in {mebibytes(row)} instead of '
    f'{mebibytes(full)}'
  )


def show(frame: pd.DataFrame) -> str:
  """Returns a few widths as text: of many those that are a factor of two apart; milliseconds where they were taken."""
  named = frame[frame['width'].isin(tables.few(list(frame['width'])))]
  columns = {
    'width': named['width'],
    'MRR': [f'{mrr:.4f} +- {half:.4f}' for mrr, half in zip(named['mrr'], named['mrr_interval'])],
    'kept': [f'{kept:.1%} +- {half:.1%}' for kept, half in zip(named['kept'], named['kept_interval'])],
    'MiB': [f'{size / 2**20:.2f}' for size in named['bytes']],
  }
  if 'ms' in named:
    columns['ms a question'] = [f'{ms:.2f}' for ms in named['ms']]
  return pd.DataFrame(columns).to_string(index=False)


def save(folder: Path, frame: pd.DataFrame, title: str) -> None:
  """Writes widths.csv and widths.png."""
  folder = pathlib.Path(folder)
  write_text(folder / FILE, frame.to_csv(index=False))
  plots.quality_against_bytes(frame, folder / 'widths.png', title)


def read(folder: Path) -> pd.DataFrame | None:
  """Returns what `save` wrote, or None if there is nothing."""
  return _read(pathlib.Path(folder) / FILE)


def save_speed(folder: Path, frame: pd.DataFrame, hardware: str) -> None:
  """Writes speed.csv: the ms of a question to each width, and the hardware that they were measured on."""
  with sealing.renewing(folder, SPEED):
    write_text(pathlib.Path(folder) / SPEED, frame[['width', 'ms']].assign(hardware=hardware).to_csv(index=False))


def read_speed(folder: Path) -> pd.DataFrame | None:
  """Returns what `save_speed` wrote, or None if there is nothing."""
  return _read(pathlib.Path(folder) / SPEED)


def _read(path: pathlib.Path) -> pd.DataFrame | None:
  return read_table(path) if path.exists() else None
