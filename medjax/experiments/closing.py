"""The last lines of a training: what widths keep, the same questions asked at two of them, and what to do next."""

import pathlib
import shlex

import pandas as pd

from medjax.core import runtime, terminal
from medjax.report import choice, samples, tables
from medjax.saved.files import Path
from medjax.serve import loading
from medjax.serve.model import Model
from medjax.serve.vocabulary import Vocabulary

KEEP = 0.95  # of the full MRR, by the width that is told to crop to


def show(workdir: Path) -> None:
  """Prints the last lines of the training in a workdir."""
  model = loading.load(workdir)
  widths = model.widths.values
  parts = []
  if (frame := judged(workdir, model)) is not None:
    parts.append(choice.show(frame))
  if len(model.graph.test):
    parts.append(samples.table(model, sorted({widths[0], widths[-1]})))
  terminal.say('\n' + '\n\n'.join([*parts, next_steps(pathlib.Path(workdir), model)]))


def next_steps(workdir: pathlib.Path, model: Model) -> str:
  """Returns commands that work as they are printed: to ask, crop, choose and report, and to train on one's own."""
  small = small_width(workdir, model)
  triple = next(part[len(part) // 2] for part in model.graph.splits[::-1] if len(part))
  head, relation = name(model.entities, triple[0]), name(model.relations, triple[1])
  here = f'--workdir={workdir}'
  steps = {
    'ask': ['--mode=predict', here, f'--head={head}', f'--relation={relation}', f'--width={small}'],
    'crop': ['--mode=crop', here, f'--width={small}', f'--output={workdir}-{small}'],
  }
  if judged(workdir, model) is not None:
    steps['choose a width'] = ['--mode=choose', here, '--keep=0.9']
  if (workdir / 'results.csv').exists():
    steps['tables, figures'] = ['--mode=report', here]
  steps['look at your data'] = ['--mode=inspect', '--config.data.path=FILE']
  steps['train on them'] = ['--config.data.path=FILE', '--config.name=mine']
  lines = [f'  {what:18}{runtime.program()} {shlex.join(arguments)}' for what, arguments in steps.items()]
  return '\n'.join(['next', *lines, '  (FILE holds a head, a relation and a tail in every line; docs/data.md)'])


def judged(workdir: Path, model: Model) -> pd.DataFrame | None:
  """Returns what each trained width keeps, see `choice.table`; None without several widths and triples to judge by."""
  frame = choice.read(workdir)
  return None if frame is None else frame[frame['width'].isin(model.widths.values)].reset_index(drop=True)


def small_width(workdir: Path, model: Model) -> int:
  """Returns the narrowest width that is sure to keep `KEEP` of the MRR; the middle one where none but the full is."""
  frame = judged(workdir, model)
  if frame is not None and (width := int(choice.narrowest(frame, KEEP)['width'])) < model.width:
    return width
  few = tables.few(list(model.widths.values))
  return few[len(few) // 2]


def name(words: Vocabulary, row: int) -> str:
  """Returns the label by which a question finds an entity or a relation; its identifier where that is no label."""
  label = words.labels[row]
  return label if words.find(label) == row else words.identifiers[row]
