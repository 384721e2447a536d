"""The number of sub-models against quality and cost."""

from collections.abc import Iterable

import numpy as np

from medjax import errors
from medjax.core import widths as widths_lib
from medjax.report import collect, plots, tables
from medjax.report.collect import Row
from medjax.saved.files import Path


def series(rows: Iterable[Row]) -> list[tuple[int, Row]]:
  """Returns [(number of sub-models, row)] of the MED rows up to the same widest width, that of most of them.

  Rows that differ from the usual configuration in more than their widths are left out.
  """
  rows = [row for row in rows if row.runs[0].method == 'MED' and set(row.label.split()[1:]) <= words(row)]
  widest = [max(row.values('mrr')) for row in rows]
  most = collect.most_common(widest, max(widest)) if widest else 0
  number = lambda row: len(widths_lib.parse_widths(row.runs[0].fields['model.widths']))
  counted = [(number(row), row) for row, width in zip(rows, widest) if width == most]
  return sorted(counted, key=lambda pair: pair[0])


def words(row: Row) -> set[str]:
  """The words of a row's label that tell its widths."""
  return set(collect.told('model.widths', row.runs[0].fields['model.widths']).split())


def draw(rows: Iterable[Row], path: Path, title: str = '') -> None:
  """Draws the MRR of the shared widths, and the training's seconds, against the number of sub-models.

  Raises:
    errors.NothingSaved: fewer than two numbers of sub-models.
  """
  counted = series(rows)
  if len({count for count, _ in counted}) < 2:
    raise errors.NothingSaved(
      'there is one number of sub-models only; train MED with other --config.model.widths up to the same widest one'
    )
  counts = [count for count, _ in counted]
  widths = tables.few(sorted(set.intersection(*(set(row.values('mrr')) for _, row in counted))))
  with plots.panels(path, columns=2) as axes:
    for i, width in enumerate(widths):
      axes[0].plot(
        counts, [np.mean(row.values('mrr')[width]) for _, row in counted], label=f'width {width}', **plots.look(i)
      )
    axes[0].set_ylabel('filtered MRR, test')
    axes[0].legend(fontsize=8, frameon=False, loc='upper center', bbox_to_anchor=(0.5, -0.15), ncol=len(widths))
    seconds = [np.mean([run.cost['train_seconds'] for run in row.runs]) for _, row in counted]
    axes[1].plot(counts, seconds, **plots.look(0))
    axes[1].set_ylabel('training (seconds, wall clock)')
    axes[1].set_ylim(bottom=0)
    for panel in axes:
      plots.counts_axis(panel, counts)
      panel.set_xlabel('number of sub-models')
    axes[0].figure.suptitle(title, fontsize=10)
