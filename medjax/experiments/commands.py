"""What the command line can ask for beside trainings: prepare, crop, extract."""

import dataclasses
import json
import pathlib
import time

import pandas as pd

from medjax import config as config_lib
from medjax import errors
from medjax.config.fields import Config
from medjax.core import axes as axes_lib
from medjax.core import widths as widths_lib
from medjax.data import datasets
from medjax.data.graph import Graph
from medjax.experiments import extraction, runs
from medjax.report import cost
from medjax.saved import artifact
from medjax.saved import files as files_lib
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path
from medjax.serve import model as model_lib
from medjax.serve.model import Model


def prepare(config: Config, output: Path | None = None) -> Graph:
  """Turns the triples of a data configuration into a prepared graph, which is opened memory-mapped."""
  if not output:
    raise errors.UsageError('--mode=prepare needs --output=FOLDER')
  graph = datasets.prepare(config.data, output)
  for note in graph.notes:
    print(f'  {note}')
  print(
    f'{graph.name}: {len(graph.train):,} / {len(graph.valid):,} / {len(graph.test):,} train / valid / test '
    f'triples, {graph.num_entities:,} entities, {graph.num_relations:,} relations; use --config.data.path={output}'
  )
  return graph


def crop(workdir: Path, width: int | None = None, output: Path | None = None, with_triples: bool = False) -> Model:
  """Writes the sub-model of a width as a standalone model, which can be cropped again.

  Args:
    workdir: a run or cropped model.
    width: a trained width.
    output: the folder to write.
    with_triples: also write the triples that the model was trained and judged on, by which it tells what is known and
      can be evaluated again.
  """
  if width is None or not output:
    raise errors.UsageError('--mode=crop needs --width=N and --output=DIR')
  output = new_folder(output)
  model = model_lib.load(workdir, width)
  if with_triples and not model.has_triples:
    raise errors.UsageError(f'--with_triples: {workdir} carries none; crop the run itself')
  if not with_triples:
    model = dataclasses.replace(model, graph=model.graph.without_triples())
  model.save(output)
  size = sum(leaf.nbytes for table in model.params.values() for leaf in table.values())
  print(
    f'width {width} of {workdir} -> {output}: {axes_lib.num_numbers(model.params):,} numbers, {size / 2**20:.2f} MiB'
    + ('' if with_triples else '; without triples')
  )
  return model


def new_folder(output: Path) -> pathlib.Path:
  """Returns the path of an output folder, which has to be new or empty."""
  output = pathlib.Path(output)
  if output.exists() and not (output.is_dir() and not any(output.iterdir())):
    raise errors.UsageError(f'--output={output} is not an empty folder; name a new one')
  return output


def extract(
  workdir: Path, by: str = 'loss', widths: str | None = None, output: Path | None = None, seed: int = 0
) -> pd.DataFrame:
  """Writes the most important components of a run's full model as a standalone model, and evaluates all its widths.

  Args:
    workdir: a run or cropped model.
    by: 'loss' (Ext-L), 'value' (Ext-V) or 'random', see `experiments.extraction`.
    widths: of the extracted models, as text; None is the run's own.
    output: the folder to write.
    seed: see `experiments.extraction.importance`.
  """
  if not output:
    raise errors.UsageError('--mode=extract needs --output=DIR')
  output, workdir = new_folder(output), pathlib.Path(workdir)
  chosen = artifact.read_description(workdir).widths if widths is None else widths_lib.parse_widths(widths)
  if widths is None and len(chosen) == 1:
    raise errors.UsageError(f'{workdir} has one width, {chosen[0]}; say which to extract, such as --widths=10,20,40')
  model = model_lib.load(workdir)
  if not model.has_triples:
    raise errors.UsageError(
      f'{workdir} carries no triples, by which components are chosen and judged; extract from the run itself, or '
      'from a crop that was made with --with_triples'
    )
  config, begun = workdir_lib.read_config(workdir), time.perf_counter()
  temperature = (config or config_lib.Config()).objective.adversarial_temperature
  values = extraction.importance(model, by, seed, temperature)
  order = extraction.ranked(values)
  extraction.extract(model, order, chosen).save(output)
  seconds = time.perf_counter() - begun
  pd.DataFrame({'component': order, 'importance': values[order]}).to_csv(output / 'importance.csv', index=False)
  files_lib.write_text(
    output / 'extraction.json',
    json.dumps(
      {
        'method': extraction.METHODS[by],
        'by': by,
        'seed': seed,
        'full_width': model.width,
        'config': config and config_lib.flatten(config),
      },
      indent=1,
    )
    + '\n',
  )
  begun = time.perf_counter()
  results = runs.evaluate(output)
  source = cost.read(workdir)
  cost.save(
    output,
    steps=source.get('steps', 0),
    train_seconds=source.get('train_seconds', 0.0),
    extraction_seconds=round(seconds, 1),
    evaluation_seconds=round(time.perf_counter() - begun, 1),
  )
  return results
