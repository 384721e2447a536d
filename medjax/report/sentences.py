"""Tables and a figure of the methods on tasks of labelled sentences, from a CSV of runs (`python -m benchmarks.glue`).

Rows have task, arm, width, seed, split, chosen and score; the arms 'NAME-WIDTH' are one method of several trainings.
"""

import re

import pandas as pd

from medjax.report import plots
from medjax.report.tables import TextTable
from medjax.saved.files import Path

NAMES = {
  'med': 'MED',
  'hat': 'HAT-style',
  'sandwich': 'HAT-style, sandwich',
  'hat-long': 'HAT-style, a step for each width',
  'direct': 'direct',
  'distilled': 'distilled from the full width',
}


def judged(frame: pd.DataFrame) -> pd.DataFrame:
  """Returns the dev rows of the chosen rates in points, each with its `method`."""
  rows = frame[frame['chosen'] & (frame['split'] == 'dev')]
  return rows.assign(method=rows['arm'].str.replace(r'-\d+$', '', regex=True), score=100 * rows['score'])


def said(scores: pd.Series) -> str:
  """Returns the mean of some scores, and their range where there are several.

  >>> said(pd.Series([80.0, 82.0])), said(pd.Series([80.0]))
  ('81.0 (80.0 to 82.0)', '80.0')
  """
  mean = f'{scores.mean():.1f}'
  return f'{mean} ({scores.min():.1f} to {scores.max():.1f})' if len(scores) > 1 else mean


def score_table(frame: pd.DataFrame) -> TextTable:
  """Returns (header, rows): the points of every method on every task, by width."""
  rows = judged(frame)
  rows, widths = rows[rows['method'].isin(NAMES)], sorted(set(rows['width']))
  found = []
  for (task, method), part in rows.groupby(['task', 'method'], sort=False):
    at = dict(iter(part.groupby('width')['score']))
    seeds = part['seed'].nunique()
    found.append([task, NAMES[method], *(said(at[width]) if width in at else '' for width in widths), str(seeds)])
  return ['task', 'method', *map(str, widths), 'seeds'], found


def ahead(rows: pd.DataFrame, method: str, other: str) -> pd.Series:
  """Returns by how many points a method is ahead of another, by task and width: means over the seeds that both have."""
  of = lambda name: rows[rows['method'] == name].set_index(['task', 'width', 'seed'])['score']
  return (of(method) - of(other)).dropna().groupby(['task', 'width']).mean()


def goal_table(frame: pd.DataFrame) -> TextTable:
  """Returns (header, rows): by how many points MED is ahead of others, and what was aimed at, where something was."""
  rows = judged(frame)
  tasks, found = list(dict.fromkeys(rows['task'])), []
  least, most = min(rows['width']), max(rows['width'])
  asked: tuple[tuple[str, int, float | None], ...] = (
    ('hat', least, 3.0),
    ('hat-long', least, None),
    ('direct', least, None),
    ('direct', most, -0.5),
  )
  for other, width, goal in asked:
    differences = ahead(rows, 'med', other)
    gains = {task: differences[task, width] for task in tasks if (task, width) in differences.index}
    if gains:
      mean = sum(gains.values()) / len(gains)
      cells = [f'{gains[task]:+.1f}' if task in gains else '' for task in tasks]
      reached = ['', ''] if goal is None else [f'{goal:+.1f}', 'yes' if mean >= goal else 'no']
      found.append([f'{NAMES[other]}, width {width}', *cells, f'{mean:+.1f}', *reached])
  return ['MED is ahead of', *tasks, 'mean', 'goal, at least', 'reached'], found


def ablation_table(frame: pd.DataFrame) -> TextTable:
  """Returns (header, rows): the points of MED, and by how much its variants differ from it, by width, see `ahead`."""
  rows = judged(frame)
  tasks = set(rows[rows['method'].str.startswith('med-')]['task'])
  rows, widths = rows[rows['task'].isin(tasks)], sorted(set(rows['width']))
  found = []
  for task, part in rows.groupby('task', sort=False):
    base = part[part['method'] == 'med'].groupby('width')['score'].mean()
    found.append([str(task), NAMES['med'], *(f'{base[width]:.1f}' for width in widths), f'{base.mean():.1f}'])
    for method in dict.fromkeys(part['method']):
      if method.startswith('med-'):
        gains = ahead(part, method, 'med')[task]
        name = re.sub('^med-', 'MED, ', method).replace('-', ' ')
        found.append([str(task), name, *(f'{gains[width]:+.1f}' for width in widths), f'{gains.mean():+.1f}'])
  return ['task', 'training', *map(str, widths), 'mean'], found


def reordering_table(frame: pd.DataFrame) -> TextTable:
  """Returns (header, rows): the points of crops with and without reordering, before a training and after it."""
  rows = judged(frame)
  named = {
    'untrained': 'no training, as stored',
    'untrained-reordered': 'no training, reordered',
    'med': 'MED, as stored',
    'med-reordered': 'MED, reordered',
  }
  tasks = set(rows[rows['method'].str.endswith('-reordered')]['task'])
  rows = rows[rows['task'].isin(tasks)]
  widths = sorted(set(rows['width']))
  means = rows.groupby(['task', 'method', 'width'], sort=False)['score'].mean()
  there = [(task, method) for task in tasks for method in named if (task, method, widths[0]) in means.index]
  cells = lambda task, method: [f'{means[task, method, width]:.1f}' for width in widths]
  return ['task', 'training', *map(str, widths)], [[task, named[one], *cells(task, one)] for task, one in there]


def settings(frame: pd.DataFrame) -> TextTable:
  """Returns (header, rows): what the trainings of every task had in common, and their rates."""
  columns = ['layers', 'dropout', 'examples', 'epochs', 'batch', 'lengths']
  rows = frame.groupby('task', sort=False)
  rates = lambda part: ', '.join(f'{rate:g}' for rate in sorted(set(part['rate']) - {0.0}))
  found = [[str(task), *(str(part[column].iloc[0]) for column in columns), rates(part)] for task, part in rows]
  return ['task', *columns, 'learning rates'], found


def draw(frame: pd.DataFrame, path: Path) -> None:
  """Draws the points of the methods against width, a panel a task, with the range over seeds.

  Args:
    frame: rows of a CSV of runs.
    path: the PNG to write.
  """
  rows = judged(frame)
  rows = rows[rows['method'].isin(NAMES)]
  tasks = list(dict.fromkeys(rows['task']))
  with plots.panels(path, columns=len(tasks), size=(4.8, 4.6)) as axes:
    for panel, task in zip(axes, tasks):
      own = rows[rows['task'] == task]
      for place, (method, name) in enumerate(NAMES.items()):
        part = own[own['method'] == method]
        if len(part):
          scores = part.groupby('width')['score']
          mean = scores.mean().reindex(sorted(set(own['width'])))  # no line over widths that were not trained
          spread = [mean - scores.min(), scores.max() - mean] if part['seed'].nunique() > 1 else None
          panel.errorbar(mean.index, mean, yerr=spread, label=name, capsize=3, **plots.look(place))
      plots.counts_axis(panel, sorted(set(own['width'])))
      panel.set_xlabel('width (numbers per token)')
      panel.set_title(f'{task}, points on dev', fontsize=10)
      panel.legend(fontsize=8)
