"""Tables and a figure of the applications' results.csv (see `applications.command`)."""

from collections.abc import Sequence
import pathlib

import pandas as pd

from medjax.report import plots, quality, tables
from medjax.report.tables import TextTable
from medjax.saved import files
from medjax.saved.files import Path

SHOWN = ('mean accuracy', 'mean macro F1', 'NDCG@5', 'NDCG@10', 'Hit@10', 'recall@20', 'facts MRR', 'facts Hits@10')
DRAWN = {'mean accuracy': 'labels, accuracy', 'NDCG@5': 'items, NDCG@5', 'facts MRR': 'facts, filtered MRR'}
MIB = 2**20


def metric_table(results: pd.DataFrame, metric: str) -> TextTable:
  """Returns (header, rows) of one metric: a method a row, means and half ranges over seeds, the best of a width bold.

  Args:
    results: rows of a results.csv.
    metric: its name; what has no width stands in a column of its own.
  """
  chosen = results[results['metric'] == metric]
  means = chosen.groupby(['method', 'width'], sort=False)['value'].mean().round(3)
  best, widths = means.groupby('width').max(), sorted(set(chosen['width']))
  rows = []
  for method, part in chosen.groupby('method', sort=False):
    of_width = {width: list(values) for width, values in part.groupby('width')['value']}
    cells = [
      quality.figure(means[method, w], quality.spread(of_width[w]), means[method, w] == best[w] and w > 0)
      if w in of_width
      else ''
      for w in widths
    ]
    rows.append([str(method), *cells, str(part['seed'].nunique())])
  return [metric, *('any' if w == 0 else str(w) for w in widths), 'seeds'], rows


def beside_table(results: pd.DataFrame, ours: str, other: str, metrics: Sequence[str] = SHOWN) -> TextTable:
  """Returns (header, rows): how many times another method's mean ours is, at every width that both have.

  `ahead` is where the worst seed of ours is above the best of the other, `behind` the reverse, and between them the two
  are level. A method with one seed has no spread, and nothing is said of it.

  Args:
    results: rows of a results.csv.
    ours, other: names of methods.
    metrics: of which a row each is made, if both have it.
  """
  ours_of, other_of = (
    results[results['method'] == name].groupby(['metric', 'width'])['value'] for name in (ours, other)
  )
  both = [key for key in ours_of.groups if key in other_of.groups]
  widths = sorted({width for _, width in both})
  rows = []
  for metric in (metric for metric in metrics if metric in {name for name, _ in both}):
    keys = [(metric, width) for width in widths]
    cells = [compared(ours_of.get_group(key), other_of.get_group(key)) if key in both else '' for key in keys]
    rows.append([metric, *cells])
  return [f'{ours} : {other}', *map(str, widths)], rows


def compared(ours: 'pd.Series[float]', other: 'pd.Series[float]') -> str:
  """Returns the ratio of two means and, of several seeds each, 'ahead', 'behind' or 'level', see `beside_table`."""
  ratio = f'{ours.mean() / other.mean():.2f}'
  if min(len(ours), len(other)) < 2:
    return ratio
  return f'{ratio} ' + ('ahead' if ours.min() > other.max() else 'behind' if ours.max() < other.min() else 'level')


def cost_table(results: pd.DataFrame) -> TextTable:
  """Returns (header, rows): of what recommends, MiB of its file and milliseconds per user, at every width."""
  chosen = results[results['metric'] == 'NDCG@5']
  widths, rows = sorted(set(chosen['width'])), []
  for method, part in chosen.groupby('method', sort=False):
    at = part.groupby('width')[['bytes', 'ms']].median()
    cells = [f'{at.loc[w, "bytes"] / MIB:.2f} MiB, {at.loc[w, "ms"]:.2f} ms' if w in at.index else '' for w in widths]
    rows.append([str(method), *cells])
  return ['file, time per user', *('any' if w == 0 else str(w) for w in widths)], rows


def relation_table(results: pd.DataFrame, methods: Sequence[str] = ('MED', 'DT')) -> TextTable:
  """Returns (header, rows): the MRR of every relation and category under some methods, means over seeds."""
  chosen = results[results['metric'].str.match('(?:relation|facts ).* MRR') & results['method'].isin(methods)]
  table = chosen.pivot_table(index='metric', columns=['method', 'width'], values='value', sort=False)
  columns = [column for method in methods for column in sorted(table.columns) if column[0] == method]
  rows = [
    [str(name).removesuffix(' MRR'), *(quality.figure(line[column]) for column in columns)]
    for name, line in table.iterrows()
  ]
  return ['MRR', *(f'{method} {width}' for method, width in columns)], rows


def text(results: pd.DataFrame) -> str:
  """Returns the tables of all shown metrics that were measured, and of the cost, as Markdown."""
  there = set(results['metric'])
  shown = [tables.markdown(*metric_table(results, metric)) for metric in SHOWN if metric in there]
  beside = [beside_table(results, 'MED', other) for other in ('DT', 'BPR-MF', 'ALS')]
  made = [*shown, *(tables.markdown(*table) for table in beside if table[1]), tables.markdown(*cost_table(results))]
  return '\n\n'.join(made)


def draw(results: pd.DataFrame, path: Path) -> None:
  """Draws quality against width, a panel for each application; what has no width is a line across.

  Args:
    results: rows of a results.csv.
    path: the PNG to write.
  """
  methods = list(dict.fromkeys(results['method']))
  shown = {metric: title for metric, title in DRAWN.items() if metric in set(results['metric'])}
  with plots.panels(path, columns=len(shown), size=(4.8, 5.0)) as axes:
    for panel, (metric, title) in zip(axes, shown.items()):
      chosen = results[results['metric'] == metric]
      for method, part in chosen.groupby('method', sort=False):
        look, means = plots.look(methods.index(method)), part.groupby('width')['value'].mean()
        if 0 in means.index:
          panel.axhline(means[0], label=method, **look | {'marker': None})
        else:
          panel.plot(means.index, means, label=method, **look)
      plots.width_axis(panel, {width for width in chosen['width'] if width})
      plots.from_zero(panel)
      panel.set_title(title, fontsize=10)
      panel.legend(frameon=False, fontsize=7, loc='upper center', bbox_to_anchor=(0.5, -0.14), ncols=2)


def write(results: pd.DataFrame, folder: Path, name: str) -> str:
  """Writes report.md and report.png into a folder; returns the tables.

  Args:
    results: rows of a results.csv.
    folder: that has them.
    name: of the shop.
  """
  folder, tables_of = pathlib.Path(folder), text(results)
  draw(results, folder / 'report.png')
  files.write_text(
    folder / 'report.md',
    f'# {name}\n\n{tables_of}\n\n{tables.markdown(*relation_table(results))}\n\n![Quality against width](report.png)\n',
  )
  return tables_of
