"""What a page says of runs, as plain values: texts of every width, what is missing and the command that adds it."""

from collections.abc import Iterable, Mapping, Sequence
import shlex
from typing import Any

import pandas as pd

from medjax import errors
from medjax.core import files
from medjax.core import widths as widths_lib
from medjax.report import choice, collect, tables
from medjax.report.page import numbers, questions
from medjax.report.page.folders import Saved

COLUMNS = 4  # widths whose answers stand side by side
FACTS = {  # {figure of cost.json: (name, how it is written)}
  'steps': ('steps', '{:,}'),
  'triples': ('triples seen', '{:,}'),
  'train_seconds': ('training', '{:,.0f} s'),
  'extraction_seconds': ('extraction', '{:,.1f} s'),
  'evaluation_seconds': ('evaluation', '{:,.1f} s'),
  'peak_memory_mib': ('peak memory', '{:,} MiB'),
  'hardware': ('hardware', '{}'),
  'medjax': ('medjax', '{}'),
  'jax': ('JAX', '{}'),
  'python': ('Python', '{}'),
}
Missing = tuple[str, str]  # (what is missing, the command that adds it, or '')


def page(runs: Sequence[Saved], widths: str | None = None) -> dict[str, Any]:
  """Returns everything that a page shows.

  Args:
    runs: in the order in which they stand.
    widths: whose answers stand side by side, as text; None chooses.

  Returns:
    {'title', 'widths' (all that can be picked), 'start' (the one that is picked at first), 'graphs', 'rows'}; a graph
    is a `graph_view`; 'rows' are the `numbers.rows` of the charts, by name.
  """
  columns = widths_lib.parse_widths(widths) if widths else None
  graphs: list[dict[str, Any]] = []
  rows: dict[str, Any] = {}
  for place, name in enumerate(dict.fromkeys(run.data for run in runs)):
    graph, frames = graph_view(str(place), name, [run for run in runs if run.data == name], columns)
    graphs.append(graph)
    rows |= {key: numbers.rows(frame) for key, frame in frames.items() if len(frame)}
  views = [view for graph in graphs for view in graph['runs']]
  pickable = sorted({width for view in views for width in view['shown'] or view['widths']})
  starts = [view['start'] for view in views if view['start']]
  return {
    'title': title(graphs, runs),
    'widths': pickable,
    'start': starts[0] if starts else pickable[-1] if pickable else 0,
    'graphs': graphs,
    'rows': rows,
  }


def graph_view(
  name: str, data: str, runs: Sequence[Saved], columns: Sequence[int] | None
) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
  """Returns what is said of the runs of one graph, and the rows of its charts, by name.

  Args:
    name: tells the graph apart on the page.
    data: the name of the graph.
    runs: of it.
    columns: widths whose answers stand side by side; None chooses.
  """
  frames: dict[str, pd.DataFrame] = {}
  for kind, make in (('quality', numbers.quality), ('categories', numbers.categories)):
    of_runs = [named(make(run), run, i) for i, run in enumerate(runs)]
    frames[f'{kind}-{name}'] = pd.concat(of_runs, ignore_index=True)
  views = []
  for i, run in enumerate(runs):
    views.append(run_view(run, f'{name}-{i}', i, columns))
    curves = {**numbers.training(run), 'reliability': numbers.reliability(run)}
    frames |= {f'{kind}-{name}-{i}': named(frame, run, i) for kind, frame in curves.items()}
  return {
    'id': name,
    'name': data,
    'runs': views,
    'choose': [view['choose'] for view in views if view['choose']],
    'ticks': tables.few(sorted({width for view in views for width in view['shown']})),
    'speed': any_number(frames[f'quality-{name}'], 'ms'),
    'interval': any_number(frames[f'quality-{name}'], 'mrr_interval'),
  }, frames


def any_number(frame: pd.DataFrame, column: str) -> bool:
  """Returns whether a column of a perhaps empty DataFrame holds a number."""
  return column in frame and bool(frame[column].notna().any())


def title(graphs: Sequence[Mapping[str, Any]], runs: Sequence[Saved]) -> str:
  """Returns what the page is about."""
  if len(runs) == 1:
    return f'{runs[0].score} on {runs[0].data}'
  return f'{len(runs)} models of {", ".join(str(graph["name"]) for graph in graphs)}'


def named(frame: pd.DataFrame, run: Saved, place: int) -> pd.DataFrame:
  """Returns rows with the name of their run and its place among those of its graph, which decides on its colour."""
  return frame.assign(run=run.name, series=place) if len(frame) else frame


def run_view(run: Saved, name: str, place: int, columns: Sequence[int] | None) -> dict[str, Any]:
  """Returns what is said of one run or model.

  Args:
    run: what is saved of it.
    name: tells it apart on the page.
    place: among the runs of its graph.
    columns: widths whose answers stand side by side; None chooses.
  """
  frame, of_widths, curves = numbers.quality(run), choice.read(run.folder), numbers.training(run)
  asked, missing = None, lacking(run, frame, curves)
  try:
    asked = questions.ask(run)
  except errors.MedjaxError as error:
    missing.append((f'No sample answers: {error}', ''))
  if asked:
    fixed = columns or numbers.thinned(tables.few(list(asked['widths'])), COLUMNS)
    asked['columns'] = [width for width in fixed if width in asked['widths']]
  config = {field: str(value) for field, value in run.fields.items()}
  return {
    'id': name,
    'series': place,
    'name': run.name,
    'method': run.method,
    'score': run.score,
    'widths': list(run.widths),
    'sentence': '' if of_widths is None or of_widths['mrr'].isna().all() else sentence(of_widths),
    'start': start(frame, of_widths),
    'shown': texts(frame, numbers.log_losses(run)),
    'categories': category_table(run),
    'curves': list(curves),
    'reliability': (run.folder / 'reliability.csv').exists(),
    'questions': asked,
    'missing': missing,
    'choose': '' if len(frame) < 2 or frame['ms'].notna().any() else command(run, 'choose'),
    'command': run.cost.get('command', ''),
    'facts': [(said, how.format(run.cost[key])) for key, (said, how) in FACTS.items() if run.cost.get(key)],
    'changed': [(field, value) for field, value in config.items() if value != str(collect.DEFAULTS.get(field))],
    'config': list(config.items()),
    'notes': notes(run),
  }


def start(frame: pd.DataFrame, of_widths: pd.DataFrame | None) -> int | None:
  """Returns the narrowest width that keeps 95% of the full MRR (surely, where intervals are known), or None."""
  if of_widths is not None and of_widths['mrr'].notna().all():
    return int(choice.narrowest(of_widths, 0.95)['width'])
  if not len(frame):
    return None
  enough = frame[frame['mrr'] >= 0.95 * frame['mrr'].iloc[-1]]
  return int(frame['width'].iloc[-1] if enough.empty else enough['width'].iloc[0])


def sentence(of_widths: pd.DataFrame) -> str:
  """Returns `choice.sentence` as a page writes it."""
  said = choice.sentence(of_widths).replace('+-', '±')
  return f'{said[0].upper()}{said[1:]}.'


def texts(frame: pd.DataFrame, losses: Mapping[int, float]) -> dict[int, dict[str, str]]:
  """Returns {width: {figure: text}} of the rows of `numbers.quality`; a figure that is not there is ''."""
  found: dict[int, dict[str, str]] = {}
  for row in frame.to_dict('records'):
    full = frame.iloc[-1]
    says = lambda value, how: '' if pd.isna(value) else how.format(value)
    found[int(row['width'])] = {
      'mrr': says(row['mrr'], '{:.3f}') or '–',
      'interval': says(row['mrr_interval'], '± {:.3f}'),
      'kept': says(row['mrr'] / full['mrr'] if full['mrr'] else float('nan'), '{:.1%}'),
      'hits1': says(row['hits1'], '{:.1%}'),
      'hits3': says(row['hits3'], '{:.1%}'),
      'hits10': says(row['hits10'], '{:.1%}'),
      'size': size(int(row['bytes'])),
      'bytes': f'{int(row["bytes"]):,}',
      'share': says(row['bytes'] / full['bytes'], '{:.3g}x'),
      'ms': says(row['ms'], '{:.2f} ms'),
      'log_loss': says(losses.get(int(row['width'])), '{:.3f}'),
    }
  return found


def nearest(widths: Iterable[int], picked: int) -> int:
  """Returns the widest of some ascending widths that is not above the picked one, else the narrowest.

  >>> nearest([10, 40], 39), nearest([10, 40], 5)
  (10, 10)
  """
  widths = list(widths)
  return max((width for width in widths if width <= picked), default=widths[0])


def size(count: int) -> str:
  """Returns bytes in the unit that a person reads best.

  >>> size(600), size(150_150 * 4), size(38_438_400)
  ('600 B', '587 KiB', '36.7 MiB')
  """
  for unit, name in ((2**30, 'GiB'), (2**20, 'MiB'), (2**10, 'KiB')):
    if count >= unit:
      return f'{count / unit:.3g} {name}'
  return f'{count} B'


def category_table(run: Saved) -> list[list[str]]:
  """Returns rows of texts: side, category, queries, and the MRR at a few widths, whose names are the first row."""
  frame = numbers.categories(run)
  if not len(frame):
    return []
  widths = tables.few(sorted({int(width) for width in frame['width']}))
  rows = [['questions for', 'relations', 'questions', *(f'width {width}' for width in widths)]]
  for (side, category), part in frame[frame['side'] != 'both'].groupby(['side', 'category'], sort=True):
    mrr = part.set_index('width')['mrr']
    rows.append([f'the {side}', category, f'{part["queries"].iloc[0]:,}', *(f'{mrr[width]:.3f}' for width in widths)])
  return rows


def lacking(run: Saved, frame: pd.DataFrame, curves: Mapping[str, pd.DataFrame]) -> list[Missing]:
  """Returns what is missing of a run, each with the command that adds it."""
  if not (run.folder / 'model.json').exists():
    return [('Only results are saved in this folder, without the model.', run.cost.get('command', ''))]
  found: list[Missing] = []
  if run.results is None or run.detail is None:
    if run.has_triples:
      among_all = ['--candidates=0'] if any(run.folder.glob('results-candidates-*.csv')) else []
      found.append(('Not evaluated, so there is no quality to show.', command(run, 'evaluate', *among_all)))
    else:
      again = ['--mode=crop', '--workdir=RUN', f'--width={run.widths[-1]}', '--with_triples', f'--output={run.folder}']
      found.append(
        (
          'This crop carries no triples, so it cannot be evaluated. Crop it again with them, then evaluate it.',
          shlex.join(['python', 'launch.py', *again]),
        )
      )
  if not (run.folder / 'reliability.csv').exists() and run.has_triples:
    found.append(('Not calibrated, so scores are no probabilities.', command(run, 'calibrate')))
  if run.is_run and 'valid' not in curves:
    every = '--config.eval.every=' + str(max(1, run.fields.get('train.steps', 0) // 20))
    found.append(('No validation during the training, so there is no curve of it. Train a new run with', f'{every}'))
  return found


def command(run: Saved, mode: str, *more: str) -> str:
  """Returns the command line of a mode on a run or model."""
  return shlex.join(['python', 'launch.py', f'--mode={mode}', f'--workdir={run.folder}', *more])


def notes(run: Saved) -> list[str]:
  """Returns what was noted of the graph, such as its licence, without the folder that it was read from."""
  path = run.folder / 'notes.txt'
  lines = files.read_text(path).splitlines() if path.exists() else []
  return [line for line in lines if not line.startswith('read from ')]
