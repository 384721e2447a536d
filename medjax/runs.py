"""What the command line can ask for: train, evaluate, crop, extract, predict."""
import contextlib
import json
import pathlib
import time

try:
  import fcntl
except ImportError:  # Windows
  fcntl = None

import numpy as np
import pandas as pd

from medjax import artifact
from medjax import checkpoint
from medjax import config as config_lib
from medjax import crop as crop_lib
from medjax import model as model_lib
from medjax import parallel
from medjax import scores
from medjax import teacher as teacher_lib
from medjax.baselines import extraction
from medjax.data import datasets
from medjax.evaluation import candidates as candidates_lib
from medjax.evaluation import evaluator
from medjax.report import cost
from medjax.report import metrics
from medjax.report import plots
from medjax.report import tables
from medjax.training import loop


FILES = ('graph.json', 'entities.tsv', 'relations.tsv', 'triples.npz', 'notes.txt', 'model.json', '.lock')


class UsageError(ValueError):
  """A command that lacks something or does not fit its workdir."""


def train(config, workdir, split='test'):
  """Trains (or goes on), evaluates every width, and leaves results.csv and results.png in the workdir.

  Args:
    config: the `Config`.
    workdir: a folder of the run's own.
    split: what it is evaluated on, see `evaluate`.

  Returns:
    The results as a DataFrame, one row per width; None in all but the first of several processes.
  """
  config, workdir = config_lib.resolve(config), pathlib.Path(workdir)
  check_folder(workdir)
  config, teacher = teacher_lib.find(config, workdir)
  new = artifact.read_config(workdir) is None
  graph = parallel.first_process_first(lambda: datasets.load(config.data)) if new else None
  with sole_trainer(workdir) if parallel.first() else contextlib.nullcontext():
    graph = parallel.first_process_first(lambda: open_workdir(config, workdir, graph))
    parallel.check_same(f'the triples of {graph.name}', graph_digest(graph))
    return _train(config, workdir, graph, split, teacher)


def _train(config, workdir, graph, split, teacher):
  description = artifact.read_description(workdir)
  score, widths = description.make_score(), description.make_widths()
  checkpoints = checkpoint.Checkpoints(workdir / 'checkpoints', config.train.keep)
  say = print if parallel.first() else lambda text: None
  validate = evaluator.validator(score, widths, graph, config.eval.valid_triples, config_lib.chosen_widths(config),
                                 config.eval.batch, config.eval.candidates)
  say(f'{graph.name}: {len(graph.train):,} / {len(graph.valid):,} / {len(graph.test):,} train / valid / test '
      f'triples, {graph.num_entities:,} entities, {graph.num_relations} relations')
  for note in graph.notes:
    say(f'  {note}')
  say(f'{score.name}: {len(widths.values)} sub-models of widths {config.model.widths}; workdir {workdir}'
      + (f'; going on from step {checkpoints.latest}' if checkpoints.latest else ''))
  writer = metrics.Writer if parallel.first() else metrics.Reader
  loop.fit(config, graph, score, widths, checkpoints, lambda step: writer(workdir, step), validate,
           teacher_lib.hired(config, teacher, graph))
  checkpoints.close()
  if not parallel.first():
    return None
  begun = time.perf_counter()
  results = evaluate(workdir, split)
  cost.write(workdir, config, time.perf_counter() - begun, **teacher_lib.costs(config, workdir))
  return results


def graph_digest(graph):
  """Numbers in which two graphs differ: counts, and sums over a thousand training triples."""
  rows = np.asarray(graph.train[np.linspace(0, len(graph.train) - 1, 1000).astype(int)], np.int64)
  return [graph.num_entities, graph.num_relations, *map(len, graph.splits),
          *(rows * np.arange(1, 1001)[:, None]).sum(0)]


def check_folder(workdir):
  """Raises UsageError for a folder that holds something else than a run."""
  if not workdir.exists() or (workdir / 'config.json').exists():
    return
  if not workdir.is_dir():
    raise UsageError(f'--workdir={workdir} is a file; name a folder')
  foreign = sorted(entry.name for entry in workdir.iterdir() if entry.name not in FILES and entry.suffix != '.tmp')
  if foreign:
    raise UsageError(f'{workdir} is not empty and holds no run (there is {foreign[0]!r}); name another --workdir')


@contextlib.contextmanager
def sole_trainer(workdir):
  """Holds the workdir's lock, which ends with the process; raises UsageError if another process holds it."""
  workdir.mkdir(parents=True, exist_ok=True)
  with (workdir / '.lock').open('a') as file:
    try:
      if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
      raise UsageError(f'another process is training in {workdir}; wait for it, or name another --workdir') from None
    yield


def open_workdir(config, workdir, graph):
  """Returns the graph of a run; a new workdir is filled, an old one must hold the same configuration."""
  there = artifact.read_config(workdir)
  if there is None:
    widths = config_lib.model_widths(config)
    artifact.write_graph(workdir, graph)
    artifact.write_description(workdir, artifact.Description(
        config.model.score, scores.default_constants(config.model.gamma, widths.full, config.model.phase_scale),
        widths.values, widths.block, source=graph.name))
    artifact.write_config(workdir, config)  # last: a workdir with a config is complete
    return graph
  different = config_lib.differences(there, config)
  if different:
    raise UsageError(f'{workdir} holds a run of another configuration:\n  ' + '\n  '.join(different)
                     + '\nName another --workdir, or delete this one to start anew.')
  artifact.write_config(workdir, config)  # fields that do not touch the training may have changed
  return artifact.read_graph(workdir, artifact.read_description(workdir).source)


def prepare(config, output=None):
  """Turns the triples of a data configuration into a prepared graph, which is opened memory-mapped."""
  if not output:
    raise UsageError('--mode=prepare needs --output=FOLDER')
  graph = datasets.prepare(config.data, output)
  for note in graph.notes:
    print(f'  {note}')
  print(f'{graph.name}: {len(graph.train):,} / {len(graph.valid):,} / {len(graph.test):,} train / valid / test '
        f'triples, {graph.num_entities:,} entities, {graph.num_relations:,} relations; use --config.data.path={output}')
  return graph


def evaluate(workdir, split='test', width=None, ranks=False, candidates=None):
  """Evaluates a run or cropped model, and writes results.csv, -detail.csv and .png into its folder.

  The names tell another split (results-valid), a width (results-width-40) and candidates that are not all entities
  (results-candidates-500), so results.csv is always the full ranking.

  Args:
    workdir: a run or cropped model.
    split: 'valid' or 'test'.
    width: evaluate only this width and the narrower ones.
    ranks: also write the rank of every query (results-ranks.npz).
    candidates: see `config.EvalConfig`; None is what the run was configured with.
  """
  workdir = pathlib.Path(workdir)
  model = model_lib.load(workdir, width)
  description, widths = model.description, model.widths
  if description.extra_widths:
    widths = widths.with_extra(crop_lib.parse_widths(description.extra_widths))
  batch = (artifact.read_config(workdir) or config_lib.Config()).eval.batch
  candidates = description.candidates if candidates is None else candidates
  ranked = evaluator.rank_split(description.make_score(), model.params, widths, model.graph, split,
                                description.unseen, batch, candidates)
  rows = evaluator.summarize(ranked, model.params, widths, model.graph)
  rows['trained'] = rows['width'].isin(description.widths)
  results = tables.results_frame(rows)
  against = candidates_lib.describe(candidates)
  stem = ('results' + ('' if split == 'test' else f'-{split}') + ('' if width is None else f'-width-{width}')
          + ('' if not candidates else f'-candidates-{"given" if candidates < 0 else candidates}'))
  results.to_csv(workdir / f'{stem}.csv', index=False)
  rows.to_csv(workdir / f'{stem}-detail.csv', index=False)
  if ranks:
    with artifact.replacing(workdir / f'{stem}-ranks.npz') as file:  # ranks are halves: float32 holds them exactly
      np.savez_compressed(file, triples=ranked.triples, ranks=ranked.ranks.astype(np.float32),
                          widths=np.array(widths.values))
  plots.quality_against_width(results, workdir / f'{stem}.png', f'{description.score} on {model.graph.name}, {split}'
                              + (f', candidates: {against}' if candidates else ''))
  print(f'\n{split}: ' + ', '.join(f'{number:,} {name}' for name, number in ranked.counts.items())
        + (f'; NOT ranked among all entities, but among candidates: {against}' if candidates else ''))
  print(tables.show(results))
  print(f'written: {workdir / stem}.csv, -detail.csv, .png')
  return results


def crop(workdir, width=None, output=None):
  """Writes the sub-model of a width as a standalone model, which can be cropped again."""
  if width is None or not output:
    raise UsageError('--mode=crop needs --width=N and --output=DIR')
  output = new_folder(output)
  model = model_lib.load(workdir, width)
  model.save(output)
  size = sum(leaf.nbytes for table in model.params.values() for leaf in table.values())
  print(f'width {width} of {workdir} -> {output}: {crop_lib.num_numbers(model.params):,} numbers, '
        f'{size / 2**20:.2f} MiB')
  return model


def new_folder(output):
  """Returns the path of an output folder, which has to be new or empty."""
  output = pathlib.Path(output)
  if output.exists() and not (output.is_dir() and not any(output.iterdir())):
    raise UsageError(f'--output={output} is not an empty folder; name a new one')
  return output


def extract(workdir, by='loss', widths=None, output=None, seed=0):
  """Writes the most important components of a run's full model as a standalone model, and evaluates all its widths.

  Args:
    workdir: a run or cropped model.
    by: 'loss' (Ext-L), 'value' (Ext-V) or 'random', see `baselines.extraction`.
    widths: of the extracted models, as text; None is the run's own.
    output: the folder to write.
    seed: see `baselines.extraction.importance`.
  """
  if not output:
    raise UsageError('--mode=extract needs --output=DIR')
  output, workdir = new_folder(output), pathlib.Path(workdir)
  chosen = artifact.read_description(workdir).widths if widths is None else crop_lib.parse_widths(widths)
  if widths is None and len(chosen) == 1:
    raise UsageError(f'{workdir} has one width, {chosen[0]}; say which to extract, such as --widths=10,20,40')
  model = model_lib.load(workdir)
  config, begun = artifact.read_config(workdir), time.perf_counter()
  temperature = (config or config_lib.Config()).objective.adversarial_temperature
  values = extraction.importance(model, by, seed, temperature)
  order = extraction.ranked(values)
  extraction.extract(model, order, chosen).save(output)
  seconds = time.perf_counter() - begun
  pd.DataFrame({'component': order, 'importance': values[order]}).to_csv(output / 'importance.csv', index=False)
  artifact.write_text(output / 'extraction.json', json.dumps({
      'method': extraction.METHODS[by], 'by': by, 'seed': seed, 'full_width': model.width,
      'config': config and config_lib.flatten(config)}, indent=1) + '\n')
  begun = time.perf_counter()
  results = evaluate(output)
  source = cost.read(workdir)
  cost.save(output, steps=source.get('steps', 0), train_seconds=source.get('train_seconds', 0.0),
            extraction_seconds=round(seconds, 1), evaluation_seconds=round(time.perf_counter() - begun, 1))
  return results


def predict(workdir, head=None, relation=None, tail=None, width=None, k=10, new=False):
  """Prints the most plausible tails of (head, relation, ?) or heads of (?, relation, tail); `new`: unknown ones."""
  if not relation or bool(head) == bool(tail):
    raise UsageError('--mode=predict needs --relation and one of --head and --tail')
  model = model_lib.load(workdir, width)
  if head:
    frame = model.predict_tails(head, relation, k, new)
  else:
    frame = model.predict_heads(relation, tail, k, new)
  print(f'{head or "?"} {relation} {tail or "?"} (width {model.width})')
  print(frame.to_string(index=False, formatters={'score': '{:.3f}'.format}))
  return frame
