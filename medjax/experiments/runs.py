"""A run: trained, or gone on with, and evaluated at its end."""

from collections.abc import Callable, Sequence
import contextlib
import dataclasses
import pathlib
import sys
import time
from typing import cast

import jax
import numpy as np
import pandas as pd

from medjax import scores
from medjax.config.fields import Config, EvalConfig
from medjax.core import axes as axes_lib
from medjax.core import memory, terminal
from medjax.core.widths import Widths
from medjax.data import datasets, source, store
from medjax.data.graph import Graph
from medjax.evaluation import evaluator
from medjax.experiments import budget, evaluating, resumption, start
from medjax.experiments import teacher as teacher_lib
from medjax.kge import settings as settings_lib
from medjax.kge import task as task_lib
from medjax.report import cost, metrics
from medjax.report.trackers import following, function, names
from medjax.saved import artifact, checkpoint, checkpoint_folders, graph_files, manifest, sealing
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path
from medjax.scores.contract import Params, Score
from medjax.serve.model import Model
from medjax.training import loop, processes

NO_GRAPH = budget.Size(1, 1, 0, 0)  # what any training needs, before its graph is read


def train(
  config: Config, workdir: Path, split: str = 'test', tracker: function.Call | None = None
) -> pd.DataFrame | None:
  """Trains (or goes on), evaluates every width, and leaves results.csv and results.png in the workdir.

  A graph without validation triples is not validated, whatever eval.every says.

  Args:
    config: the `Config`.
    workdir: a folder of the run's own.
    split: what it is evaluated on, see `evaluating.evaluate`.
    tracker: a function of (step, {name: number}) that is told the metrics, beside those of train.tracker.

  Returns:
    The results as a DataFrame, one row per width; None in all but the first of several processes, and where the split
    holds no triples.
  """
  config, workdir = settings_lib.resolve(config), pathlib.Path(workdir)
  workdir_lib.check_folder(workdir)
  trackers = names.find(config, tracker) if processes.first() else {}
  config, teacher = teacher_lib.find(config, workdir)
  new = workdir_lib.read_config(workdir) is None
  fits(config, NO_GRAPH)
  files = files_of(config) if new else {}  # before they are read
  first = start.find(config) if new else None  # before the workdir is there
  graph = processes.first_process_first(lambda: datasets.load(config.data)) if new else None
  if graph is not None:
    fits(config, budget.size_of(graph))  # before the workdir is there
  with workdir_lib.sole_trainer(workdir) if processes.first() else contextlib.nullcontext():
    graph = processes.first_process_first(lambda: open_workdir(config, workdir, graph, files))
    for line in processes.first_process_first(lambda: made_ready(workdir)):
      terminal.say(f'warning: {line}', file=sys.stderr)
    if processes.first():
      store.check(graph)
    processes.check_same(f'the triples of {graph.name}', graph_digest(graph))
    with following.Following(trackers, config, workdir) as follow:
      return _train(config, workdir, graph, split, teacher, first, follow)


def _train(
  config: Config,
  workdir: pathlib.Path,
  graph: Graph,
  split: str,
  teacher: Model | None,
  first: Model | None,
  follow: following.Following,
) -> pd.DataFrame | None:
  description = artifact.read_description(workdir)
  score, widths = description.make_score(), description.make_widths()
  layout = task_lib.make_layout(config, widths)
  needed = fits(config, budget.size_of(graph))
  say = terminal.say if processes.first() else lambda text: None
  validate, evaluation = validation(config, score, widths, graph)
  task = task_lib.make_task(
    config, score, widths, graph, layout, validate, teacher_lib.load_teacher(config, teacher, graph)
  )
  checkpoints = checkpoint.Checkpoints(
    workdir / 'checkpoints', config.train.keep, axes=task.axes, beside=workdir / metrics.FILE
  )
  notes = graph.notes
  if checkpoints.latest is None and config.train.init_from:
    first = first or cast(Model, start.find(config))
    task, started = start.from_model(task, first, config, graph)
    notes += started
  for line in announced(config, score, widths, graph, workdir, needed, checkpoints.latest, notes):
    say(line)
  recorded = lambda step: checkpoints.grown(step) if checkpoints.latest == step else None
  open_writer: Callable[[int], loop.Writer] = lambda step: metrics.Reader(workdir, step, recorded(step))
  if processes.first():
    open_writer = lambda step: metrics.Writer(workdir, step, follow, recorded(step))
  reached = int(loop.fit(task, config.train, evaluation, layout, checkpoints, open_writer).step)
  checkpoints.close()
  if not processes.first():
    return None
  begun = time.perf_counter()
  results = evaluating.evaluate(workdir, split)
  if results is not None and len(results):
    follow.log(reached, metrics.of_results(results, split))
  with sealing.renewing(workdir, 'cost.json', metrics.FILE):
    cost.write(workdir, config, time.perf_counter() - begun, **teacher_lib.costs(config, workdir))
  return results


def validation(
  config: Config, score: Score, widths: Widths, graph: Graph
) -> tuple[Callable[[Params], tuple[float, dict[int, float]]], EvalConfig]:
  """Returns (tables -> (mean MRR, {width: MRR}) on the validation triples, how often); without such triples, never."""
  if not len(graph.valid):
    return task_lib.no_validation, dataclasses.replace(config.eval, every=0, patience=0)
  validate = evaluator.validator(
    score,
    widths,
    graph,
    config.eval.valid_triples,
    settings_lib.chosen_widths(config),
    config.eval.batch,
    config.eval.candidates,
  )
  return validate, config.eval


def announced(
  config: Config,
  score: Score,
  widths: Widths,
  graph: Graph,
  workdir: pathlib.Path,
  needed: float,
  latest: int | None,
  notes: Sequence[str],
) -> list[str]:
  """Returns the lines that are told before a training.

  Args:
    config, score, widths, graph, workdir: of the training.
    needed: bytes, see `fits`.
    latest: the step of the checkpoint that it goes on from.
    notes: what a person should know of how the graph was read.
  """
  lines = [
    described(config, score, widths, graph)
    + f', about {memory.words(needed)} of memory; workdir {workdir}'
    + (f', going on from step {latest:,}' if latest else ''),
    f'{graph.name}: {len(graph.train):,} / {len(graph.valid):,} / {len(graph.test):,} train / valid / test '
    f'triples, {graph.num_entities:,} entities, {graph.num_relations} relations',
    *(f'  {note}' for note in notes),
  ]
  if config.eval.every and not len(graph.valid):
    lines.append(f'  config.eval.every={config.eval.every} is left out: there are no validation triples')
  return lines


def made_ready(workdir: pathlib.Path) -> list[str]:
  """Puts damaged checkpoints aside and takes metrics.jsonl, which will grow, off the manifest; returns what to tell."""
  lines = checkpoint_folders.set_damaged_aside(workdir / 'checkpoints')
  sealing.drop(workdir, [metrics.FILE])
  return lines


def fits(config: Config, size: budget.Size) -> float:
  """Returns the bytes that a training needs, by an estimate; raises TooLarge where that is hopeless."""
  widths = settings_lib.model_widths(config)
  layout = task_lib.make_layout(config, widths)
  score = scores.make(config.model.score, settings_lib.model_constants(config))
  needed = budget.training(config, score, widths, size, layout.data, layout.width)
  budget.check(
    needed,
    f'a training of config.model.widths={config.model.widths} with config.train.batch={config.train.batch} and '
    f'config.train.negatives={config.train.negatives} on {size.entities:,} entities',
  )
  return needed.total


def described(config: Config, score: Score, widths: Widths, graph: Graph) -> str:
  """Returns what is trained on what, in a line."""
  shapes = jax.eval_shape(lambda: score.init(jax.random.key(0), graph.num_entities, graph.num_relations, widths.full))
  several = len(widths.values) > 1
  return (
    f'training {score.name} on {graph.name}: '
    + (f'{len(widths.values)} sub-models of widths {config.model.widths}, ' if several else '')
    + f'{axes_lib.num_numbers(shapes):,} parameters at width {widths.full}, '
    f'{config.train.steps:,} steps of {config.train.batch:,} triples'
  )


def graph_digest(graph: Graph) -> list[int]:
  """Numbers in which two graphs differ: counts, and sums over a thousand training triples."""
  rows = np.asarray(graph.train[np.linspace(0, len(graph.train) - 1, 1000).astype(int)], np.int64)
  return [
    graph.num_entities,
    graph.num_relations,
    *map(len, graph.splits),
    *(rows * np.arange(1, 1001)[:, None]).sum(0),
  ]


def files_of(config: Config) -> source.Files:
  """Returns the `source.fingerprint` of a configuration's files; {} for a prepared graph, which has a hash."""
  place = datasets.place(config.data)
  return {} if place is None or store.is_store(place) else source.fingerprint(place)


def open_workdir(config: Config, workdir: pathlib.Path, graph: Graph | None, files: source.Files) -> Graph:
  """Returns the graph of a run; a new workdir is filled, an old one must hold a run that can go on."""
  there = workdir_lib.read_config(workdir)
  if there is None:
    widths = settings_lib.model_widths(config)
    graph = cast(Graph, graph)  # `train` has loaded it
    graph_files.write_graph(workdir, graph)
    workdir_lib.write_source(workdir, files)
    artifact.write_description(
      workdir,
      artifact.Description(
        config.model.score, settings_lib.model_constants(config), widths.values, widths.block, source=graph.name
      ),
    )
    workdir_lib.write_config(workdir, config)  # last: a workdir that has one is complete
    sealing.write(workdir, [*artifact.FILES, *workdir_lib.OWN])
    return graph
  resumption.check(there, config, workdir)
  if manifest.read(workdir) is None and not checkpoint_folders.steps_in(workdir / 'checkpoints'):
    sealing.write(workdir, [*artifact.FILES, *workdir_lib.OWN])  # it was killed as it began
  if there != config:  # fields that do not touch the training may have changed
    workdir_lib.write_config(workdir, config)
  return graph_files.read_graph(workdir, artifact.read_description(workdir).source)
