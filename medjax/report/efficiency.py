"""The time that every method takes to give a model of every width."""

import collections
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from medjax.report.collect import Group, Row, Run
from medjax.report.tables import TextTable


def target_widths(rows: Iterable[Row]) -> tuple[int, ...]:
  """Returns the widths that are wanted: those of the run that gives the most."""
  return max(
    (tuple(map(int, run.results.index)) for row in rows for run in row.runs),
    key=lambda widths: (len(widths), widths[-1]),
  )


def seconds_of(run: Run) -> float:
  """Seconds of a run's training, and of its extraction from another."""
  return run.cost['train_seconds'] + run.cost.get('extraction_seconds', 0.0)


def of_row(row: Row, wanted: Sequence[int]) -> dict[str, Any] | None:
  """Returns what a method needs for all wanted widths, or None where its runs tell too little.

  Methods that train a width at a time are measured where there is a run for every width. Else each missing width's
  seconds per step are interpolated, linearly over width, between those of the runs that exist (beyond them, the line
  through the two nearest goes on) and multiplied by the steps of a run. The teachers of distilled runs count once each,
  and give their own widths. A method whose runs give several widths is taken as it is.

  Returns:
    dict: 'method', 'given' (the widths that it gives), 'widths' (how many of the wanted those are), 'trainings',
    'steps', 'seconds', 'kind' ('measured' or 'extrapolated'), 'basis' (the widths that it is extrapolated from);
    figures are means over seeds.
  """
  runs = [run for run in row.runs if run.cost.get('steps') and 'train_seconds' in run.cost]
  if not runs:
    return None
  first = {'method': row.label, 'kind': 'measured', 'basis': ''}
  several = [run for run in runs if len(run.results) > 1]
  if several:
    given = set(map(int, several[0].results.index))
    return first | {
      'given': sorted(given),
      'widths': len(given & set(wanted)),
      'trainings': 1,
      'steps': np.mean([run.cost['steps'] for run in several]),
      'seconds': np.mean([seconds_of(run) for run in several]),
    }
  by_width = collections.defaultdict(list)
  for run in runs:
    by_width[int(run.results.index[0])].append(run)
  known = sorted(by_width)
  per_step = [np.mean([seconds_of(run) / run.cost['steps'] for run in by_width[width]]) for width in known]
  steps = np.mean([run.cost['steps'] for run in runs])
  teachers = teachers_of([run for width in wanted for run in by_width.get(width, [])])
  taught_by = {teacher['width'] for teacher in teachers}
  missing = [width for width in wanted if width not in by_width and width not in taught_by]
  if missing and len(known) < 2:
    return None
  seconds = sum(np.mean([seconds_of(run) for run in by_width[width]]) for width in wanted if width in by_width)
  seconds += steps * sum(line(width, known, per_step) for width in missing)
  seeds = len({run.seed for run in runs})
  seconds += sum(teacher['train_seconds'] for teacher in teachers) / seeds
  if missing:
    first |= {'kind': 'extrapolated', 'basis': ', '.join(map(str, known))}
  own = len(missing) + len(by_width.keys() & set(wanted))
  return first | {
    'given': list(wanted),
    'widths': len(wanted),
    'trainings': own + round(len(teachers) / seeds),
    'steps': steps * own + sum(teacher['steps'] for teacher in teachers) / seeds,
    'seconds': seconds,
  }


def teachers_of(runs: Sequence[Run]) -> list[dict[str, Any]]:
  """Returns the teachers, and their teachers, that runs had besides each other; each once, as in cost.json."""
  known = {run.cost.get('hash') for run in runs}
  return list(
    {
      teacher['hash']: teacher
      for run in runs
      for teacher in run.cost.get('teacher', [])
      if teacher['hash'] not in known
    }.values()
  )


def line(x: float, known_x: Sequence[float], known_y: Sequence[float]) -> float:
  """Linear interpolation, continued beyond both ends and never below 0."""
  i = int(np.clip(np.searchsorted(known_x, x) - 1, 0, len(known_x) - 2))
  slope = (known_y[i + 1] - known_y[i]) / (known_x[i + 1] - known_x[i])
  return max(known_y[i] + slope * (x - known_x[i]), 0.0)


def long_table(groups: Mapping[Group, Sequence[Row]]) -> pd.DataFrame:
  """Returns the costs of all groups as a DataFrame; `ratio` is against direct training of the same widths."""
  found = []
  for (data, score), rows in groups.items():
    wanted = target_widths(rows)
    costs = [cost for row in rows if (cost := of_row(row, wanted))]
    direct = next((row for row in rows if row.label == 'DT'), None)
    for cost in costs:
      beside = direct and of_row(direct, cost['given'])
      found.append(
        {'dataset': data, 'score': score, 'wanted': len(wanted)}
        | cost
        | {
          'ratio': cost['seconds'] / beside['seconds'] if beside else np.nan,
          'ratio_kind': beside['kind'] if beside else '',
        }
      )
  columns = [
    'dataset',
    'score',
    'wanted',
    'method',
    'widths',
    'trainings',
    'steps',
    'seconds',
    'kind',
    'basis',
    'ratio',
    'ratio_kind',
  ]
  return pd.DataFrame(found, columns=columns).round(4)


def table(costs: pd.DataFrame) -> TextTable:
  """Returns (header, rows of text cells) of one group of `long_table`."""
  body = []
  for cost in costs.itertuples():
    about, against = ('≈ ' if kind == 'extrapolated' else '' for kind in (cost.kind, cost.ratio_kind))
    kind = cost.kind + (f' from widths {cost.basis}' if cost.basis else '')
    body.append(
      [
        cost.method,
        f'{cost.widths} of {cost.wanted}',
        f'{cost.trainings}',
        f'{cost.steps:,.0f}',
        f'{about}{cost.seconds / 60:.1f} min',
        f'{1000 * cost.seconds / cost.steps:.1f} ms',
        '' if np.isnan(cost.ratio) else f'{against}{cost.ratio:.2f}',
        kind,
      ]
    )
  return ['method', 'widths', 'trainings', 'steps', 'time', 'per step', 'of DT of these widths', 'how'], body
