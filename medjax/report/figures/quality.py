"""MRR and Hits@10 against width, for all methods of a group of runs."""

from collections.abc import Sequence

import numpy as np

from medjax.report import plots, quality
from medjax.report.collect import Row
from medjax.saved.files import Path


def draw(rows: Sequence[Row], path: Path, title: str = '') -> None:
  """Draws the means over seeds of `collect.Row`s; bars are half the range, methods of few widths are markers."""
  widths = {width for row in rows for width in row.values('mrr')}
  with plots.panels(path, columns=2, size=(4.6, 4.2)) as axes:
    for panel, measure, label in zip(axes, ('mrr', 'hits10'), ('filtered MRR', 'filtered Hits@10')):
      for i, row in enumerate(rows):
        values = row.values(measure)
        spreads = np.nan_to_num([quality.spread(each) for each in values.values()])
        style = plots.look(i) | ({'linestyle': ''} if len(values) == 1 else {})
        every = max(1, len(values) // 12)
        panel.errorbar(
          list(values),
          [np.mean(each) for each in values.values()],
          spreads if spreads.any() else None,
          capsize=2,
          markevery=every,
          errorevery=every,
          markerfacecolor='white' if i % 2 else None,
          label=row.label,
          **style,
        )
      plots.width_axis(panel, widths)
      panel.set_ylabel(label)
      plots.from_zero(panel)
    figure = axes[0].figure
    figure.suptitle(title, fontsize=10)
    figure.legend(*axes[0].get_legend_handles_labels(), loc='outside lower center', ncols=3, fontsize=8, frameon=False)
