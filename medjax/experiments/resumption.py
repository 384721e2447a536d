"""Whether a run can go on under a configuration: what may differ from the one that it began with, and its data."""

import pathlib
from typing import cast

import numpy as np

from medjax import config as config_lib
from medjax import errors
from medjax.config.fields import Config
from medjax.data import datasets, source, store
from medjax.data.graph import Graph
from medjax.data.triples import SPLITS
from medjax.report import metrics
from medjax.saved import artifact, checkpoint, graph_files
from medjax.saved import workdir as workdir_lib

VALIDATIONS = ('eval.widths', 'eval.valid_triples', 'eval.candidates')  # fields that tell what a validation measures


def check(there: Config, now: Config, workdir: pathlib.Path) -> None:
  """Raises UsageError where a run cannot go on: the training would be another one, or its data have changed.

  Args:
    there: the configuration of the run.
    now: the resolved one under which it is to go on.
    workdir: the run's folder.

  Raises:
    errors.UsageError: it names the fields, or what the data differ in.
    errors.DataError: data under another name or path cannot be read.
  """
  lines = [
    f'{field}: {old!r} there, {new!r} now{reason}'
    for field, (old, new) in config_lib.differing(there, now).items()
    if not field.startswith('data.') and (reason := against(field, now, workdir)) is not None
  ]
  if lines:
    raise errors.UsageError(
      f'{workdir} holds a run of another configuration:\n  '
      + '\n  '.join(lines)
      + '\nName another --workdir, or delete this one to start anew.'
    )
  check_data(there, now, workdir)


def against(field: str, now: Config, workdir: pathlib.Path) -> str | None:
  """Returns why a field may not differ (empty: it changes the training), or None where it may."""
  if field == 'train.steps':
    if because := hangs_on_steps(now):
      return f'; {because}, so a training of another length is another training from its first step on'
    reached = checkpoint.Checkpoints(workdir / 'checkpoints', read_only=True).latest or 0
    return f'; the run is at step {reached} already' if now.train.steps < reached else None
  if field in VALIDATIONS:
    validated = any('valid_mrr' in line for line in metrics.read(workdir))
    return '; earlier validations of the run would not compare with later ones' if validated else None
  return ''


def hangs_on_steps(config: Config) -> str:
  """Returns what of a training depends on the number of its steps, in words; '' if nothing does."""
  if config.train.decay != 'constant':
    return (
      f'under train.decay={config.train.decay!r} the learning rate of every step depends on train.steps '
      "(under 'constant' it does not)"
    )
  if config.distill.method == 'dualde' or (config.distill.method == 'iterde' and config.distill.schedule != 'constant'):
    return f'under distill.method={config.distill.method!r} what a step learns depends on train.steps'
  return ''


def check_data(there: Config, now: Config, workdir: pathlib.Path) -> None:
  """Raises UsageError unless the data that a configuration names are those that the run began with.

  Files are compared by size, time and hash; the graph is read only where they or the fields of `data` differ. A run
  goes on with its own copy, whether or not the files are still there; a prepared graph may have moved.
  """
  changed = [field for field in config_lib.differing(there, now) if field.startswith('data.')]
  try:
    place = datasets.place(now.data)
  except errors.DataError:  # the folder of local copies is gone, which only other data would need
    if changed:
      raise
    return
  if place is not None and store.is_store(place):
    _check_store(place, workdir)
    return
  known = workdir_lib.read_source(workdir)
  if changed in ([], ['data.path']) and place is not None and known and source.unchanged(place, known):
    return
  if not changed and (known is None or place is None or not place.exists()):
    return
  files = source.fingerprint(place) if place is not None else {}
  graph = graph_files.read_graph(workdir, artifact.read_description(workdir).source)
  lines = difference(graph, datasets.load(now.data))
  if lines:
    raise _changed(place or now.data.name, workdir, lines)
  workdir_lib.write_source(workdir, files)


def _check_store(place, workdir):
  reference, graph = graph_files.read_reference(workdir), store.open_graph(place)
  opened = cast(store.Store, graph.store)
  if reference is None:
    lines = difference(graph_files.read_graph(workdir, artifact.read_description(workdir).source), graph)
  else:
    old, new = reference[1], opened.hash
    lines = [] if old == new else [f'prepared graph: {old[:12]} there, {new[:12]} now']
    if not lines and reference[0] != str(opened.folder):
      graph_files.write_graph(workdir, graph)
  if lines:
    raise _changed(place, workdir, lines)


def _changed(place, workdir, lines):
  return errors.UsageError(
    f'{place} does not hold the data that the run in {workdir} began with: they have changed, or are others:\n  '
    + '\n  '.join(lines)
    + '\nBring those data back, or name another --workdir to train on these; '
    '--mode=evaluate still evaluates the run, on its own copy.'
  )


def difference(there: Graph, now: Graph) -> list[str]:
  """Returns lines that tell in which entities, relations and triples two graphs differ; their order does not count."""
  lines, distinct = [], lambda triples: len(np.unique(triples, axis=0))
  for kind in ('entities', 'relations'):
    old, new = (list(getattr(graph, kind)) for graph in (there, now))
    if old != new:
      example = min(set(new) - set(old), default=None) or min(set(old) - set(new), default='')
      lines.append(f'{kind}: {len(old):,} there, {len(new):,} now; one that is on one side only is {example[:80]!r}')
  if lines:
    return lines
  for split in SPLITS:
    before, after = (np.asarray(getattr(graph, split)) for graph in (there, now))
    both = distinct(np.concatenate([before, after]))
    lost, added = both - distinct(after), both - distinct(before)
    if lost or added or len(before) != len(after):
      lines.append(
        f'{split}: {len(before):,} triples there, {len(after):,} now; {lost:,} are gone and {added:,} are new'
      )
  return lines
