"""Quality against width of single runs, which widths each of them trained, and what the others lose as crops."""

from collections.abc import Iterable
import pathlib

import pandas as pd

from medjax import errors
from medjax.core import widths as widths_lib
from medjax.report import plots
from medjax.report.collect import Row, Run
from medjax.saved import files as files_lib
from medjax.saved.files import Path


def trained(run: Run) -> list[int]:
  """Returns the widths that a run trained, none of an extracted model; other crops are such that no loss ever saw."""
  if run.method.startswith('Ext-'):
    return []
  own = set(widths_lib.parse_widths(run.fields['model.widths']))
  return [int(width) for width in run.results.index if width in own]


def differences(runs: Iterable[Run], reference: Run) -> pd.DataFrame:
  """Returns a DataFrame of run, width, trained, mrr, and ahead: the MRR less that of a reference at the same width."""
  beside = reference.results['mrr']
  return pd.DataFrame(
    {
      'run': run.folder.name,
      'width': int(width),
      'trained': int(width) in set(trained(run)),
      'mrr': mrr,
      'ahead': mrr - beside[width],
    }
    for run in runs
    for width, mrr in run.results['mrr'].items()
    if width in beside.index
  )


def draw(rows: Iterable[Row], path: Path, title: str = '') -> None:
  """Draws the MRR, and the MRR beside that of the run with the most sub-models; trained widths have filled markers.

  The figure's numbers are written as a CSV beside the PNG.

  Raises:
    errors.NothingSaved: there are fewer than two runs of several widths.
  """
  runs = [run for row in rows for run in row.runs if len(trained(run)) > 1]
  if len(runs) < 2:
    raise errors.NothingSaved('there is one run of several widths; which widths to train is told by two')
  reference = max(runs, key=lambda run: len(trained(run)))
  frame = differences(runs, reference)
  shared = set.intersection(*(set(part['width']) for _, part in frame.groupby('run')))
  frame = frame[frame['width'].isin(shared)]
  files_lib.write_text(pathlib.Path(path).with_suffix('.csv'), frame.round(5).to_csv(index=False))
  with plots.panels(path, columns=2, size=(5.2, 4.0)) as axes:
    for panel, measure in zip(axes, ('mrr', 'ahead')):
      for i, (name, part) in enumerate(frame.groupby('run', sort=False)):
        look = plots.look(i)
        panel.plot(part['width'], part[measure], label=name, **look)
        crops = part[~part['trained']]
        panel.plot(crops['width'], crops[measure], **look | {'linestyle': '', 'markerfacecolor': 'white', 'zorder': 3})
      plots.width_axis(panel, shared)
    axes[0].set_ylabel('filtered MRR, test')
    axes[1].set_ylabel(f'filtered MRR, test, less that of {reference.folder.name}')
    axes[0].legend(frameon=False, fontsize=9, title='run (hollow: a width it did not train)', title_fontsize=8)
    axes[0].figure.suptitle(title, fontsize=10)
