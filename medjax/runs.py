"""What the command line can ask for: train, evaluate, crop, predict."""
import pathlib


from medjax import artifact
from medjax import checkpoint
from medjax import config as config_lib
from medjax import crop as crop_lib
from medjax import model as model_lib
from medjax import scores
from medjax.data import datasets
from medjax.evaluation import evaluator
from medjax.report import metrics
from medjax.report import plots
from medjax.report import tables
from medjax.training import loop


class UsageError(ValueError):
  """A command that lacks something or does not fit its workdir."""


def train(config, workdir):
  """Trains (or goes on), evaluates every width on test, and leaves results.csv and results.png in the workdir.

  Returns:
    The results as a DataFrame, one row per width.
  """
  config, workdir = config_lib.resolve(config), pathlib.Path(workdir)
  widths = config_lib.model_widths(config)
  constants = scores.default_constants(config.model.gamma, widths.full)
  score = scores.make(config.model.score, constants)
  graph = open_workdir(config, workdir)
  artifact.write_description(workdir, artifact.Description(
      config.model.score, constants, widths.values, widths.block, source=graph.name))
  checkpoints = checkpoint.Checkpoints(workdir / 'checkpoints', config.train.keep)
  validate = evaluator.validator(score, widths, graph, config.eval.valid_triples, config_lib.chosen_widths(config),
                                 config.eval.batch)
  print(f'{graph.name}: {len(graph.train):,} / {len(graph.valid):,} / {len(graph.test):,} train / valid / test triples, '
        f'{graph.num_entities:,} entities, {graph.num_relations} relations')
  for note in graph.notes:
    print(f'  {note}')
  print(f'{score.name}: {len(widths.values)} sub-models of widths {config.model.widths}; workdir {workdir}'
        + (f'; going on from step {checkpoints.latest}' if checkpoints.latest else ''))
  loop.fit(config, graph, score, widths, checkpoints, lambda step: metrics.Writer(workdir, step), validate)
  checkpoints.close()
  return evaluate(workdir)


def open_workdir(config, workdir):
  """Returns the graph of a run; a new workdir is filled, an old one must hold the same configuration."""
  there = artifact.read_config(workdir)
  if there is None:
    graph = datasets.load(config.data)
    workdir.mkdir(parents=True, exist_ok=True)
    artifact.write_graph(workdir, graph)
    artifact.write_text(workdir / 'notes.txt', ''.join(f'{note}\n' for note in graph.notes))
    artifact.write_config(workdir, config)  # last: a workdir with a config is complete
    return graph
  different = config_lib.differences(there, config)
  if different:
    raise UsageError(f'{workdir} holds a run of another configuration:\n  ' + '\n  '.join(different)
                     + '\nName another --workdir, or delete this one to start anew.')
  return artifact.read_graph(workdir, artifact.read_description(workdir).source or config.data.name)


def evaluate(workdir, split='test', width=None):
  """Evaluates a run or cropped model; of a run's test split it writes results.csv, -detail.csv and .png.

  Args:
    workdir: a run or cropped model.
    split: 'valid' or 'test'.
    width: evaluate only this width and the narrower ones.
  """
  workdir = pathlib.Path(workdir)
  model = model_lib.load(workdir, width)
  settings = (artifact.read_config(workdir) or config_lib.Config()).eval
  widths = model.widths
  if settings.extra_widths:
    extra = [w for w in crop_lib.parse_widths(settings.extra_widths) if w < widths.full]
    widths = crop_lib.Widths(tuple(sorted({*widths.values, *extra})), widths.components)
  rows, counts = evaluator.evaluate(model.description.make_score(), model.params, widths, model.graph, split,
                                    settings.unseen, settings.batch)
  results = tables.results_frame(rows)
  stem = 'results' if split == 'test' else f'results-{split}'
  results.to_csv(workdir / f'{stem}.csv', index=False)
  rows.to_csv(workdir / f'{stem}-detail.csv', index=False)
  plots.quality_against_width(results, workdir / f'{stem}.png', f'{model.description.score} on {model.graph.name}, {split}')
  print(f'\n{split}: ' + ', '.join(f'{number:,} {name}' for name, number in counts.items()))
  print(tables.show(results))
  print(f'written: {workdir / stem}.csv, -detail.csv, .png')
  return results


def crop(workdir, width, output):
  """Writes the sub-model of a width as a standalone model, which can be cropped again."""
  if width is None or not output:
    raise UsageError('--mode=crop needs --width=N and --output=DIR')
  output = pathlib.Path(output)
  if output.exists() and any(output.iterdir()):
    raise UsageError(f'{output} is not empty; name a new --output')
  model = model_lib.load(workdir, width)
  model.save(output)
  size = sum(leaf.nbytes for table in model.params.values() for leaf in table.values())
  print(f'width {width} of {workdir} -> {output}: {crop_lib.num_numbers(model.params):,} numbers, {size / 2**20:.2f} MiB')
  return model


def predict(workdir, head, relation, tail, width=None, k=10, filter_known=False):
  """Prints the most plausible tails of (head, relation, ?) or heads of (?, relation, tail)."""
  if not relation or bool(head) == bool(tail):
    raise UsageError('--mode=predict needs --relation and one of --head and --tail')
  model = model_lib.load(workdir, width)
  if head:
    frame = model.predict_tails(head, relation, k, filter_known)
  else:
    frame = model.predict_heads(relation, tail, k, filter_known)
  print(f'{head or "?"} {relation} {tail or "?"} (width {model.width})')
  print(frame.to_string(index=False, formatters={'score': '{:.3f}'.format}))
  return frame
