"""Which width to crop to: what each keeps, weighs and takes, and the best within limits."""

import pathlib
import time

import numpy as np
import pandas as pd

from medjax import errors
from medjax.core import terminal
from medjax.data.graph import Graph
from medjax.experiments import evaluating
from medjax.report import choice, cost
from medjax.saved.files import Path
from medjax.serve import loading
from medjax.serve.model import Model

QUESTIONS = 40  # that are timed at each width


def choose(
  workdir: Path, keep: float = 0.95, max_bytes: int | None = None, max_ms: float | None = None
) -> pd.DataFrame:
  """Prints what every width keeps of the full MRR, its bytes and milliseconds, and which to take.

  The milliseconds stay in speed.csv, with the hardware that they were measured on.

  Args:
    workdir: a run or cropped model that was evaluated.
    keep: the share of the full MRR that is to be kept.
    max_bytes: the most that tables may weigh, or None.
    max_ms: the most that a question may take here, or None.

  Returns:
    DataFrame with width, mrr, mrr_interval, kept, kept_interval, bytes and ms.

  Raises:
    errors.UsageError: a share that is none, or a model that cannot be evaluated.
  """
  if not 0 < keep <= 1:
    raise errors.UsageError(f'--keep={keep}: the share of the MRR to keep is above 0 and at most 1')
  workdir = pathlib.Path(workdir)
  frame = choice.read(workdir)
  if frame is None:
    evaluating.evaluate(workdir)
    frame = choice.read(workdir)
  if frame is None:
    raise errors.UsageError(f'{workdir} has one width, or no triples to judge widths by; there is nothing to choose')
  model = loading.load(workdir)
  trained = frame['width'].isin(model.widths.values)
  frame = frame[trained].reset_index(drop=True)
  frame['ms'] = [milliseconds(model.crop(int(width)), model.graph) for width in frame['width']]
  choice.save_speed(workdir, frame, cost.hardware())
  terminal.say(choice.show(frame))
  terminal.say(choice.sentence(frame, keep))
  for name, column, most, unit in (('--max_bytes', 'bytes', max_bytes, 'bytes'), ('--max_ms', 'ms', max_ms, 'ms')):
    if most is None:
      continue
    row = choice.best_under(frame, column, most)
    if row is None:
      terminal.say(f'no width has at most {most:,} {unit}: the least are {frame[column].min():,.3g} ({name})')
    else:
      terminal.say(f'the best with at most {most:,} {unit} is width {row["width"]:.0f}: MRR {row["mrr"]:.4f}')
  return frame


def milliseconds(model: Model, graph: Graph) -> float:
  """Returns the median milliseconds of a question for tails, asked of this process."""
  size = max(len(graph.entities), 1)
  heads = np.linspace(0, size - 1, QUESTIONS).astype(int)
  took = []
  for head in [0, *heads]:
    begun = time.perf_counter()
    model.predict_tails(graph.entities[head], graph.relations[int(head) % len(graph.relations)])
    took.append(time.perf_counter() - begun)
  return 1e3 * float(np.median(took[1:]))
