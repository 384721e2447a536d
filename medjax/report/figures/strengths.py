"""The strengths w1, w2 and w3 of the mechanisms over the training, and what they bring at every width."""

from collections.abc import Iterable
import pathlib

import pandas as pd

from medjax import errors
from medjax.report import metrics, plots, tables
from medjax.report.collect import Row, Run
from medjax.saved import files as files_lib
from medjax.saved.files import Path

NAMES = ('w1', 'w2', 'w3')


def course(run: Run) -> pd.DataFrame:
  """Returns a DataFrame of step, w1, w2, w3: learned ones as metrics.jsonl has them, else none."""
  lines = [line for line in metrics.read(run.folder) if all(name in line for name in NAMES)]
  start = {'step': 0} | {name: run.fields[f'objective.{name}'] for name in NAMES}
  frame = pd.DataFrame([start, *lines] if lines else [], columns=['step', *NAMES])
  return frame


def last(run: Run) -> dict[str, float]:
  """Returns {name: strength} at the end, of those that the run's objective uses."""
  used = {'w1': 'objective.evolutionary', 'w2': 'objective.evolutionary', 'w3': 'objective.dynamic'}
  ended, fields = course(run), run.fields
  value = lambda name: fields[f'objective.{name}'] if ended.empty else ended[name].iloc[-1]
  return {name: float(value(name)) for name in NAMES if fields[used[name]]}


def plain(runs: Iterable[Run]) -> Run | None:
  """Returns the run of no mechanism with strengths, beside which the others are judged, or None."""
  none = [run for run in runs if not last(run)]
  return none[0] if none else None


def table(runs: Iterable[Run]) -> pd.DataFrame:
  """Returns a DataFrame with a row per run: its strengths at the end, and its MRR at the widths of `tables.few`."""
  return pd.DataFrame(
    {'run': run.name}
    | {f'{name} at the end': value for name, value in last(run).items()}
    | {f'MRR at {width}': float(run.results['mrr'][width]) for width in tables.few(list(run.results.index))}
    for run in runs
  )


def draw(rows: Iterable[Row], path: Path, title: str = '') -> None:
  """Draws the courses of learned strengths, and the MRR of all runs beside that of the run without them.

  `table` is written as a CSV beside the PNG.

  Raises:
    errors.NothingSaved: no run learned strengths, or none is without.
  """
  runs = [run for row in rows for run in row.runs]
  learned = [run for run in runs if not course(run).empty]
  reference = plain(runs)
  if not learned or reference is None:
    raise errors.NothingSaved(
      'weights are compared of a run with --config.objective.weights=learned or adversarial, and of one without '
      'config.objective.evolutionary and config.objective.dynamic; one of them is missing'
    )
  files_lib.write_text(pathlib.Path(path).with_suffix('.csv'), table(runs).round(4).to_csv(index=False))
  with plots.panels(path, columns=2, size=(5.2, 4.0)) as axes:
    for i, run in enumerate(learned):
      frame = course(run)
      for j, name in enumerate(NAMES):
        look = plots.look(j) | {'linestyle': plots.LINES[i % 4], 'markevery': max(1, len(frame) // 8)}
        axes[0].plot(frame['step'], frame[name], label=f'{name}, {run.name}', **look)
    axes[0].set_xlabel('step')
    axes[0].set_ylabel('strength')
    for i, run in enumerate(run for run in runs if run is not reference):
      ahead = (run.results['mrr'] - reference.results['mrr']).dropna()
      axes[1].plot(ahead.index, ahead, label=run.name, **plots.look(i + len(NAMES)))
    axes[1].axhline(0, color='#999999', linewidth=1)
    plots.width_axis(axes[1], list(reference.results.index))
    axes[1].set_ylabel(f'filtered MRR, test, less that of {reference.name}')
    axes[0].grid(alpha=0.3)
    axes[0].legend(frameon=False, fontsize=8, loc='upper center', bbox_to_anchor=(0.5, -0.15), ncol=len(learned))
    axes[1].legend(frameon=False, fontsize=8, loc='upper center', bbox_to_anchor=(0.5, -0.15), ncol=len(runs))
    axes[0].figure.suptitle(title, fontsize=10)
