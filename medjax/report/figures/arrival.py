"""When every width has nearly what it ends with: validation MRR over the steps, and its share of the last value."""

import pathlib

import numpy as np
import pandas as pd

from medjax import errors
from medjax.report import plots, tables
from medjax.report.figures import curves
from medjax.saved import files as files_lib
from medjax.saved.files import Path

SHARE = 0.95  # of a width's own last value: it has arrived


def table(found: dict[int, tuple[list[int], list[float]]]) -> pd.DataFrame:
  """Returns a DataFrame of width, arrival, last, best, best_step and fallen.

  `arrival` is the first validated step at which a width has `SHARE` of its last MRR, `fallen` by how much the last is
  below the best.

  Args:
    found: {width: ([step], [MRR])} as `curves.series` gives it.
  """
  rows = []
  for width, (steps, values) in sorted(found.items()):
    place = int(np.argmax(values))
    arrived = np.asarray(values) >= SHARE * values[-1]
    rows.append(
      {
        'width': width,
        'arrival': steps[int(np.argmax(arrived))],
        'last': values[-1],
        'best': values[place],
        'best_step': steps[place],
        'fallen': values[place] - values[-1],
      }
    )
  return pd.DataFrame(rows)


def draw(folder: Path, path: Path) -> None:
  """Draws a run's validation MRR and its share of the last value, and writes `table` as a CSV beside the PNG.

  Raises:
    errors.NothingSaved: the run was validated fewer than two times.
  """
  found = curves.series(folder, 'valid_mrr_by_width')
  if not found or len(next(iter(found.values()))[0]) < 2:
    raise errors.NothingSaved(
      f'{pathlib.Path(folder) / "metrics.jsonl"} holds no curve of validations; train with --config.eval.every=100'
    )
  frame = table(found)
  named = frame.rename(
    columns={
      'arrival': f'step at {SHARE:.0%} of the last MRR',
      'last': 'last MRR',
      'best': 'best MRR',
      'best_step': 'step of the best',
      'fallen': 'best less last',
    }
  )
  files_lib.write_text(pathlib.Path(path).with_suffix('.csv'), named.round(4).to_csv(index=False))
  chosen = tables.few(sorted(found))
  with plots.panels(path, columns=2, size=(5.0, 4.0)) as axes:
    for i, width in enumerate(chosen):
      steps, values = np.array(found[width][0]), np.array(found[width][1])
      look = plots.look(i, len(chosen)) | {'markevery': max(1, len(steps) // 8)}
      axes[0].plot(steps, values, label=f'width {width}', **look)
      axes[1].plot(steps, 100 * values / values[-1], **look)
    axes[1].axhline(100 * SHARE, color='#999999', linewidth=1)
    axes[1].annotate(f'{SHARE:.0%}', (1, 100 * SHARE), xycoords=('axes fraction', 'data'), fontsize=8, ha='right')
    axes[1].set_ylim(50, 105)
    axes[0].set_ylabel('validation MRR')
    axes[1].set_ylabel("% of the width's own last validation MRR")
    for panel in axes:
      panel.set_xlabel('step')
      panel.grid(alpha=0.3)
    axes[0].legend(fontsize=8, frameon=False, loc='lower right')
