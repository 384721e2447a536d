"""What the command line can ask for beside trainings: inspect, prepare, crop, export, import, extract."""

import dataclasses
import json
import pathlib
import time

import pandas as pd

from medjax import config as config_lib
from medjax import errors
from medjax.config.fields import Config
from medjax.core import axes as axes_lib
from medjax.core import files as files_lib
from medjax.core import terminal
from medjax.core import widths as widths_lib
from medjax.data import datasets, inspection
from medjax.data.graph import Graph
from medjax.experiments import evaluating, extraction
from medjax.report import cost
from medjax.saved import artifact, sealing
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path
from medjax.serve import loading
from medjax.serve.interop import exports, hub, imports
from medjax.serve.model import Model


def inspect(config: Config) -> inspection.Inspection:
  """Prints what was understood of the graph of a data configuration, what it is like, and what to think about."""
  found = inspection.inspect(datasets.load(config.data))
  terminal.say(inspection.describe(found))
  return found


def prepare(config: Config, output: Path | None = None) -> Graph:
  """Turns the triples of a data configuration into a prepared graph, which is opened memory-mapped."""
  if not output:
    raise errors.UsageError('--mode=prepare needs --output=FOLDER')
  graph = datasets.prepare(config.data, output)
  for note in graph.notes:
    terminal.say(f'  {note}')
  terminal.say(
    f'{graph.name}: {len(graph.train):,} / {len(graph.valid):,} / {len(graph.test):,} train / valid / test '
    f'triples, {graph.num_entities:,} entities, {graph.num_relations:,} relations; use --config.data.path={output}'
  )
  return graph


def crop(
  workdir: Path,
  width: int | None = None,
  output: Path | None = None,
  with_triples: bool = False,
  dtype: str = 'float32',
) -> Model:
  """Writes the sub-model of a width as a standalone model, which can be cropped again.

  Args:
    workdir: a run or cropped model.
    width: a trained width.
    output: the folder to write.
    with_triples: also write the triples that the model was trained and judged on, by which it tells what is known and
      can be evaluated again.
    dtype: how it stores numbers: 'float32', 'float16' or 'int8'; see `saved.small`.
  """
  if width is None or not output:
    raise errors.UsageError('--mode=crop needs --width=N and --output=DIR')
  output = new_folder(output)
  model = loading.load(workdir, width)
  if with_triples and not model.has_triples:
    raise errors.UsageError(f'--with_triples: {workdir} carries none; crop the run itself')
  if not with_triples:
    model = dataclasses.replace(model, graph=model.graph.without_triples())
  with files_lib.building(output) as partial:
    exports.export(model, partial, 'safetensors', dtype)
  size = (output / artifact.WEIGHTS).stat().st_size
  terminal.say(
    f'width {width} of {workdir} -> {output}: {axes_lib.num_numbers(model.params):,} numbers, {size / 2**20:.2f} MiB'
    + ('' if with_triples else '; without triples')
  )
  return model


def export(
  workdir: Path,
  format: str | None = None,
  output: Path | None = None,
  width: int | None = None,
  dtype: str = 'float32',
  push_to: str | None = None,
  with_triples: bool = False,
) -> pathlib.Path:
  """Writes a sub-model in the format of another library, see `serve.interop.exports`.

  Args:
    workdir: a run or cropped model.
    format: one of `exports.FORMATS`.
    output: the folder to write.
    width: a trained width; None is the full one.
    dtype: how numbers are stored.
    push_to: OWNER/NAME on the Hugging Face Hub, for the format hub.
    with_triples: the page of the format web carries the triples, to tell which answers are known.
  """
  if not format or not output:
    raise errors.UsageError(f'--mode=export needs --output=DIR and --format, one of {", ".join(exports.FORMATS)}')
  if push_to and format != 'hub':
    raise errors.UsageError(f'--push_to={push_to}: only --format=hub can be uploaded, not {format}')
  if with_triples and format != 'web':
    raise errors.UsageError(f'--with_triples: only --format=web chooses whether triples go along, not {format}')
  output = new_folder(output)
  model = loading.load(workdir, width)
  if with_triples and not model.has_triples:
    raise errors.UsageError(f'--with_triples: {workdir} carries none; export the run itself')
  if format == 'web' and not with_triples:
    model = dataclasses.replace(model, graph=model.graph.without_triples())
  with files_lib.building(output) as partial:
    exports.export(model, partial, format, dtype)
    if format == 'hub':
      with sealing.renewing(partial, 'README.md', 'training.json'):
        hub.write_card(model, partial, dtype, workdir)
  files = sorted(path for path in output.iterdir() if path.is_file())
  size = sum(path.stat().st_size for path in files)
  terminal.say(f'width {model.width} of {workdir} -> {output} ({format}, {size / 2**20:.2f} MiB): ', end='')
  terminal.say(', '.join(path.name for path in files))
  if push_to:
    terminal.say(f'uploaded: {hub.push(output, push_to)}')
  return output


def new_folder(output: Path) -> pathlib.Path:
  """Returns the path of an output folder, which has to be new or empty."""
  output = pathlib.Path(output)
  if output.exists() and not (output.is_dir() and not any(output.iterdir())):
    raise errors.UsageError(f'--output={output} is not an empty folder; name a new one')
  return output


def import_model(
  config: Config,
  source: Path | None = None,
  format: str | None = None,
  output: Path | None = None,
  score: str = '',
) -> Model:
  """Writes another library's trained model as one of medjax, which can be evaluated, extracted and trained on.

  Args:
    config: its section `data` names the graph that the model was trained on.
    source: the library's folder or file.
    format: one of `imports.READERS`.
    output: the folder to write.
    score: what a PyKEEN state_dict is of.
  """
  if not source or not format or not output:
    raise errors.UsageError(
      f'--mode=import needs --source=FOLDER_OR_FILE, --output=DIR and --format, one of {", ".join(imports.READERS)}'
    )
  output, graph = new_folder(output), datasets.load(config.data)
  with files_lib.building(output) as partial:
    read, notes = imports.import_model(source, format, graph, partial, score)
  for note in notes:
    terminal.say(f'  {note}')
  model = loading.load(output)
  terminal.say(
    f'{read.path} -> {output}: {read.score} of width {model.width}, {graph.num_entities:,} entities and '
    f'{graph.num_relations:,} relations of {graph.name}'
  )
  return model


def extract(
  workdir: Path, by: str = 'loss', widths: str | None = None, output: Path | None = None, seed: int = 0
) -> pd.DataFrame | None:
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
  model = loading.load(workdir)
  if not model.has_triples:
    raise errors.UsageError(
      f'{workdir} carries no triples, by which components are chosen and judged; extract from the run itself, or '
      'from a crop that was made with --with_triples'
    )
  config, begun = workdir_lib.read_config(workdir), time.perf_counter()
  temperature = (config or config_lib.Config()).objective.adversarial_temperature
  values = extraction.importance(model, by, seed, temperature)
  order = extraction.ranked(values)
  with files_lib.building(output) as partial:
    extraction.extract(model, order, chosen).save(partial)
    important = pd.DataFrame({'component': order, 'importance': values[order]})
    files_lib.write_text(partial / 'importance.csv', important.to_csv(index=False))
    files_lib.write_text(
      partial / 'extraction.json',
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
  seconds = time.perf_counter() - begun
  begun = time.perf_counter()
  results = evaluating.evaluate(output)
  source = cost.read(workdir)
  cost.save(
    output,
    steps=source.get('steps', 0),
    train_seconds=source.get('train_seconds', 0.0),
    extraction_seconds=round(seconds, 1),
    evaluation_seconds=round(time.perf_counter() - begun, 1),
  )
  sealing.add(output, ['importance.csv', 'extraction.json', 'cost.json'])
  return results
