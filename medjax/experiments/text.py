"""What a trained croppable BERT is used for: evaluated at every width, asked, cropped and exported."""

import json
import pathlib
from typing import Any, cast

import numpy as np
import pandas as pd

from medjax import errors
from medjax.bert import classifier as classifier_lib
from medjax.bert import examples as examples_lib
from medjax.bert import glue, metrics
from medjax.bert import run as run_lib
from medjax.bert import settings as settings_lib
from medjax.bert.tokens import Sentence
from medjax.config.text import TextConfig
from medjax.core import files, terminal
from medjax.experiments import commands
from medjax.report import plots
from medjax.saved import sealing
from medjax.saved.files import Path

SHOWN = {'score': '{:.4f}'.format, 'params': '{:,}'.format} | dict.fromkeys(metrics.METRICS, '{:.4f}'.format)


def evaluate(workdir: Path, split: str = 'dev', width: int | None = None) -> pd.DataFrame:
  """Judges a run at every width on a split, and writes results.csv and .png, of other splits than dev with their name.

  Args:
    workdir: a run.
    split: train, valid (what is held out of it), dev, dev_mismatched or test, as far as the task has it.
    width: judge only this trained width.

  Returns:
    The results as a DataFrame, one row per width.

  Raises:
    errors.UsageError: the folder is no run, or has not trained that width.
    errors.DataError: there is no such split.
  """
  workdir = pathlib.Path(workdir)
  config = run_lib.read_config(workdir)
  if config is None:
    raise errors.UsageError(
      f'{workdir} is no run, and has no data to be judged by; evaluate the run that it is cut out of'
    )
  learned, labelled = run_lib.read_learned(workdir), glue.find(config.data).read(split)
  widths = settings_lib.widths_of(config)
  chosen = widths.values if width is None else (widths.values[widths.index(width)],)
  model = run_lib.load(workdir, chosen[-1])
  encoder = model.encoder
  lengths = settings_lib.lengths_of(config)
  given, needed = examples_lib.encode(encoder.tokens, labelled.sentences, None, lengths, config.data.max_length)
  said = classifier_lib.scores(
    model.params, encoder.config, chosen, given, needed, config.eval.batch, config.bert.dtype
  )
  rows = []
  for place, each in enumerate(chosen):
    judged = metrics.judge(classifier_lib.answers(said[..., place], learned.number), labelled.labels, learned.metrics)
    rows.append({'width': each} | judged | {'params': model.crop(each).num_params, 'examples': len(labelled.sentences)})
  results = pd.DataFrame(rows)
  stem = ('results' if split == 'dev' else f'results-{split}') + ('' if width is None else f'-width-{width}')
  with sealing.renewing(workdir, f'{stem}.csv', f'{stem}.png'):
    files.write_text(workdir / f'{stem}.csv', results.to_csv(index=False))
    judges = ' and '.join(learned.metrics)
    plots.score_against_width(results, workdir / f'{stem}.png', f'{learned.task}, {split}', judges)
  terminal.say(f'\n{split}: {len(labelled.sentences):,} examples')
  terminal.say(results.to_string(index=False, formatters={name: SHOWN[name] for name in results if name in SHOWN}))
  terminal.say(f'written: {workdir / stem}.csv, .png')
  return results


def show(workdir: Path) -> None:
  """Prints the commands to go on with after a training."""
  config = cast(TextConfig, run_lib.read_config(workdir))
  width = settings_lib.widths_of(config).values[0]
  terminal.say(
    f'\nnext\n  ask     --mode=predict --workdir={workdir} --text=SENTENCE --width={width}\n'
    f'  crop    --mode=crop --workdir={workdir} --width={width} --output={workdir}-{width}'
  )


def crop(workdir: Path, width: int | None = None, output: Path | None = None) -> classifier_lib.Classifier:
  """Writes the sub-model of a width as a folder that `bert.load_classifier` and transformers load.

  Args:
    workdir: a run, or such a folder.
    width: a hidden size of whole heads; of a run, a trained one.
    output: the folder to write.

  Raises:
    errors.UsageError: no width or folder is named, the folder has files, or a run has not trained the width.
  """
  if width is None or not output:
    raise errors.UsageError('--mode=crop needs --width=N and --output=DIR')
  output = commands.new_folder(output)
  model = sub_model(workdir, width)
  with files.building(output) as partial:
    model.save(partial)
  size = (output / 'model.safetensors').stat().st_size
  terminal.say(f'width {model.width} of {workdir} -> {output}: {model.num_params:,} numbers, {size / 2**20:.2f} MiB')
  return model


def export(
  workdir: Path, width: int | None = None, output: Path | None = None, format: str | None = None
) -> pathlib.Path:
  """Writes a sub-model as transformers reads it, as `crop` does; the widest one if no width is named."""
  if format != 'huggingface' or not output:
    raise errors.UsageError('--mode=export of a BERT needs --output=DIR and --format=huggingface')
  output = commands.new_folder(output)
  model = sub_model(workdir, width)
  with files.building(output) as partial:
    model.save(partial)
  terminal.say(f'{workdir} -> {output} ({format}): {", ".join(sorted(path.name for path in output.iterdir()))}')
  return output


def predict(
  workdir: Path, text: str | None = None, second: str | None = None, width: int | None = None, format: str = 'table'
) -> list[dict[str, Any]]:
  """Answers a sentence, or a pair of them, and prints the answer.

  Args:
    workdir: a run, or a folder of Hugging Face.
    text: the sentence.
    second: the second one of a pair.
    width: of the sub-model.
    format: 'table', or 'json' or 'csv'.

  Returns:
    A row for every class, the most probable first; or one with the number.
  """
  if text is None:
    raise errors.UsageError('--mode=predict of a BERT needs --text=SENTENCE, and of a task of pairs --second=SENTENCE')
  model = sub_model(workdir, width)
  sentence: Sentence = text if second is None else (text, second)
  config = run_lib.read_config(workdir)
  if config is not None and bool(glue_second(config)) != (second is not None):
    raise errors.UsageError(
      '--second: this model was trained on pairs; give the second sentence too'
      if second is None
      else '--second: this model was trained on single sentences; leave it out'
    )
  if model.classes:
    found = model.probabilities([sentence])[0]
    rows = [{'class': model.classes[place], 'probability': float(found[place])} for place in np.argsort(-found)]
  else:
    rows = [{'number': float(model.scores([sentence])[0, 0])}]
  frame = pd.DataFrame(rows)
  if format == 'json':
    terminal.put(json.dumps(rows) + '\n')
  elif format == 'csv':
    terminal.put(frame.to_csv(index=False))
  elif format == 'table':
    terminal.say(frame.to_string(index=False, float_format='{:.4f}'.format))
  else:
    raise errors.UsageError(f'--format={format}: answers are written as table, json or csv')
  return rows


def glue_second(config: TextConfig) -> str:
  """Returns the column of the second sentence of a run's data, '' where there is none."""
  return glue.FORMS[config.data.task].second if config.data.task else config.data.second


def sub_model(workdir: Path, width: int | None) -> classifier_lib.Classifier:
  """Returns the classifier of a width; raises errors.WidthError for one that a run has not trained."""
  config = run_lib.read_config(workdir)
  if config is not None and width is not None:
    settings_lib.widths_of(config).index(width)
  return run_lib.load(workdir, width)
