"""A run or cropped model, evaluated at every width: ranked, summed up, and written beside it."""

from collections.abc import Mapping
import pathlib

import numpy as np
import pandas as pd

from medjax import config as config_lib
from medjax.core import terminal
from medjax.core import widths as widths_lib
from medjax.core.widths import Widths
from medjax.data.datasets import DataConfig
from medjax.evaluation import candidates as candidates_lib
from medjax.evaluation import evaluator
from medjax.experiments import asked as asked_lib
from medjax.experiments import budget
from medjax.experiments.asked import Asked
from medjax.report import choice, plots, tables
from medjax.saved import files as files_lib
from medjax.saved import sealing
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path
from medjax.serve import loading
from medjax.serve.model import Model


def evaluate(
  workdir: Path,
  split: str = 'test',
  width: int | None = None,
  ranks: bool = False,
  candidates: int | None = None,
  triples: Path | None = None,
  relation: str | None = None,
  data: DataConfig | None = None,
) -> pd.DataFrame | None:
  """Evaluates a run or cropped model, and writes results.csv, -detail.csv and .png into its folder.

  The names tell another split (results-valid), other triples or data (results-triples-more.tsv), a relation, a width
  (results-width-40) and candidates that are not all entities (results-candidates-500), so results.csv is always the
  full ranking.

  Args:
    workdir: a run or cropped model.
    split: 'train', 'valid' or 'test'.
    width: evaluate only this width and the narrower ones.
    ranks: also write the rank of every query (results-ranks.npz).
    candidates: see `config.EvalConfig`; None is what the run was configured with.
    triples, relation, data: what is ranked instead of a split of its own graph, see `asked.find`.

  Returns:
    The results as a DataFrame, one row per width; None, and no file, where the split holds no triples.
  """
  workdir = pathlib.Path(workdir)
  model = loading.load(workdir, width)
  asked = asked_lib.find(model, split, triples, relation, data)
  if asked.triples is None and not len(getattr(asked.graph, asked.split)):
    terminal.say(f'\n{split}: {nothing_held(asked)}')
    return None
  candidates = model.description.candidates if candidates is None else candidates
  widths, batch = evaluated_widths(model), (workdir_lib.read_config(workdir) or config_lib.Config()).eval.batch
  ranked = rank(model, asked, widths, batch, candidates)
  rows = evaluator.summarize(ranked, model.params, widths, asked.graph)
  rows['trained'] = rows['width'].isin(model.description.widths)
  results = tables.results_frame(rows)
  against = candidates_lib.describe(candidates) if candidates else ''
  stem = asked.stem + ('' if width is None else f'-width-{width}') + stem_of(candidates)
  title = f'{model.description.score} on {model.graph.name}'
  terminal.say(
    f'\n{asked.name}: '
    + ', '.join(f'{number:,} {name}' for name, number in ranked.counts.items())
    + (f'; NOT ranked among all entities, but among candidates: {against}' if against else '')
  )
  terminal.say(tables.show(results) + ('' if len(ranked.triples) else nothing_because(ranked.counts, asked)))
  written = [f'{stem}{end}' for end in ('.csv', '-detail.csv', '.png', *(['-ranks.npz'] if ranks else []))]
  if sole := stem == 'results' and len(ranked.triples) and len(results) > 1:
    written += choice.FILES
  with sealing.renewing(workdir, *written):
    files_lib.write_text(workdir / f'{stem}.csv', results.to_csv(index=False))
    files_lib.write_text(workdir / f'{stem}-detail.csv', rows.to_csv(index=False))
    plots.quality_against_width(
      results, workdir / f'{stem}.png', f'{title}, {asked.name}' + (f', candidates: {against}' if against else '')
    )
    if ranks:
      write_ranks(workdir / f'{stem}-ranks.npz', ranked, widths)
    terminal.say(f'written: {workdir / stem}.csv, -detail.csv, .png')
    if sole:
      chosen = choice.table(ranked.ranks, list(results['width']), list(results['params']))
      choice.save(workdir, chosen, title)
      terminal.say(choice.sentence(chosen))
  return results


def rank(model: Model, asked: Asked, widths: Widths, batch: int, candidates: int) -> evaluator.Ranked:
  """Returns the `evaluator.Ranked` of what is asked of a model; raises TooLarge where memory is hopeless."""
  description = model.description
  score = description.make_score()
  needed = budget.evaluation(score, widths, budget.size_of(asked.graph), batch)
  budget.check(needed._replace(tables=needed.tables / 2), f'an evaluation of width {widths.full}')  # one copy is there
  return evaluator.rank_split(
    score,
    model.params,
    widths,
    asked.graph,
    asked.split,
    description.unseen,
    batch,
    candidates,
    asked.triples,
    asked.relation,
  )


def evaluated_widths(model: Model) -> Widths:
  """Returns the widths at which a model is evaluated: its trained ones, and `eval.extra_widths`."""
  extra = model.description.extra_widths
  return model.widths.with_extra(widths_lib.parse_widths(extra)) if extra else model.widths


def write_ranks(path: pathlib.Path, ranked: evaluator.Ranked, widths: Widths) -> None:
  """Writes the rank of every query at every width; ranks are halves, which float32 holds exactly."""
  ranks = ranked.ranks.astype(np.float32)
  with files_lib.replacing(path) as file:
    np.savez_compressed(file, triples=ranked.triples, ranks=ranks, widths=np.array(widths.values))


def stem_of(candidates: int) -> str:
  """Returns what candidates add to the names of files."""
  return f'-candidates-{"given" if candidates < 0 else candidates}' if candidates else ''


def nothing_held(asked: Asked) -> str:
  """Returns that a graph has no triples in the split that is asked for, and where it has some, in words."""
  held = [name for name in ('valid', 'test') if len(getattr(asked.graph, name))]
  return f'{asked.graph.name} holds no {asked.split} triples, so nothing is evaluated' + (
    f'; --mode=evaluate --split={held[0]} evaluates on {held[0]}' if held else ''
  )


def nothing_because(counts: Mapping[str, int], asked: Asked) -> str:
  """Returns why an evaluation has no triples to rank, in words."""
  if counts['skipped']:
    return ': all of them name an entity unseen in training, and eval.unseen=skip leaves these out'
  return ': there are none' + (' of that relation' if asked.relation is not None else '')
