"""A run of a croppable BERT: trained, or gone on with, and evaluated at its end."""

import dataclasses
import hashlib
import json
import pathlib
import sys
import time
from typing import Any, cast

import jax
import numpy as np
import pandas as pd

from medjax import bert, errors
from medjax.bert import classifier as classifier_lib
from medjax.bert import examples as examples_lib
from medjax.bert import glue, metrics
from medjax.bert import run as run_lib
from medjax.bert import settings as settings_lib
from medjax.bert import task as task_lib
from medjax.bert.examples import Examples
from medjax.bert.glue import Labelled, Source
from medjax.bert.model import Encoder
from medjax.bert.run import Learned
from medjax.bert.sentences import Sentences
from medjax.config.text import TextConfig
from medjax.core import axes as axes_lib
from medjax.core import terminal
from medjax.experiments import text
from medjax.report import cost
from medjax.report import metrics as lines_lib
from medjax.report.trackers import following, function, names
from medjax.saved import checkpoint, checkpoint_folders, manifest, sealing
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path
from medjax.training import loop, parallel
from medjax.training.task import Validate

REORDERED_BY = 512  # training sentences that say what matters most
KEPT = ('tokenizer.json', 'vocab.txt', 'tokenizer_config.json', 'special_tokens_map.json')  # of the encoder's files


def train(config: TextConfig, workdir: Path, split: str = 'dev', tracker: function.Call | None = None) -> pd.DataFrame:
  """Trains (or goes on), evaluates every width, and leaves results.csv and results.png in the workdir.

  Args:
    config: the `TextConfig`.
    workdir: a folder of the run's own.
    split: what it is evaluated on.
    tracker: a function of (step, {name: number}) that is told the metrics, beside those of train.tracker.

  Returns:
    The results as a DataFrame, one row per width.

  Raises:
    errors.MedjaxError: data, weights or fields that cannot be trained with, or a folder of another run.
  """
  config, workdir = settings_lib.resolve(config), pathlib.Path(workdir)
  trackers = names.find(cast(Any, config), tracker)
  workdir_lib.check_folder(workdir, workdir_lib.TEXT)
  source = glue.find(config.data)
  given, held = source.read('train'), source.read('valid') if config.data.hold_out else None
  config = settings_lib.filled(config, len(given.sentences))
  learned = learns(source, given)
  config, teacher = taught(config, given, workdir)
  there = run_lib.read_config(workdir)
  if there is not None:
    run_lib.against(there, config, workdir)
  with workdir_lib.sole_trainer(workdir):
    if there is None:
      encoder = start(config, given)
      run_lib.write(workdir, config, learned, encoder)
    else:
      check_data(workdir, learned)
      made_ready(workdir)
      run_lib.write_config(workdir, config)  # fields that do not touch the training may have changed
      encoder = run_lib.read_encoder(workdir, config)
      if not started(workdir):
        encoder = start(config, given)
    with following.Following(trackers, cast(Any, config), workdir) as follow:
      return _train(config, workdir, encoder, learned, given, held, teacher, split, follow)


def _train(
  config: TextConfig,
  workdir: pathlib.Path,
  encoder: Encoder,
  learned: Learned,
  given: Labelled,
  held: Labelled | None,
  teacher: Any,
  split: str,
  follow: following.Following,
) -> pd.DataFrame:
  widths, lengths = settings_lib.widths_of(config), settings_lib.lengths_of(config)
  encode = lambda labelled: examples_lib.encode(
    encoder.tokens, labelled.sentences, in_training(labelled, learned), lengths, config.data.max_length
  )
  examples, needed = encode(given)
  examples, plan = examples_lib.by_length(examples._replace(teacher=teacher), needed, config.train.batch)
  task = task_lib.make_task(
    config,
    encoder.config,
    encoder.params,
    widths,
    examples,
    plan,
    learned.outputs,
    learned.number,
    no_validation if held is None else validator(config, encoder, learned, held, *encode(held)),
  )
  checkpoints = checkpoint.Checkpoints(
    workdir / 'checkpoints', config.train.keep, axes=task.axes, beside=workdir / lines_lib.FILE
  )
  recorded = lambda step: checkpoints.grown(step) if checkpoints.latest == step else None
  terminal.say(told(config, encoder, learned, given, workdir, checkpoints.latest))
  state = loop.fit(
    task,
    config.train.loop(),
    config.eval.loop(),
    parallel.ONE,
    checkpoints,
    lambda step: lines_lib.Writer(workdir, step, follow, recorded(step)),
  )
  checkpoints.close()
  begun = time.perf_counter()
  results = text.evaluate(workdir, split)
  follow.log(
    int(state.step),
    {f'{split}_score/{width}': float(score) for width, score in zip(results['width'], results['score'])},
  )
  lines = lines_lib.read(workdir)
  with sealing.renewing(workdir, 'cost.json', lines_lib.FILE):
    cost.save(
      workdir,
      steps=int(state.step),
      examples=int(state.step) * config.train.batch,
      train_seconds=round(sum(line.get('seconds', 0) for line in lines), 1),
      evaluation_seconds=round(time.perf_counter() - begun, 1),
    )
  return results


def made_ready(workdir: pathlib.Path) -> None:
  """Puts damaged checkpoints aside and takes metrics.jsonl, which will grow, off the manifest."""
  for line in checkpoint_folders.set_damaged_aside(workdir / 'checkpoints'):
    terminal.say(f'warning: {line}', file=sys.stderr)
  if manifest.read(workdir) is None and not started(workdir):
    run_lib.seal(workdir)  # it was killed as it began
  sealing.drop(workdir, [lines_lib.FILE])


def start(config: TextConfig, given: Labelled) -> Encoder:
  """Returns the encoder that a training starts from: cropped to its widest width, perhaps reordered."""
  whole = bert.load(settings_lib.weights_folder(config.bert.weights), layers=config.bert.layers or None)
  if config.bert.reorder:
    whole = whole.reorder(given.sentences[:REORDERED_BY])
  encoder = whole.crop(settings_lib.widths_of(config).full)
  shares: dict[str, Any] = {
    'hidden_dropout_prob': config.bert.dropout,
    'attention_probs_dropout_prob': config.bert.dropout,
  }
  files = {name: content for name, content in encoder.files.items() if name in KEPT}
  length = min(config.data.max_length, encoder.tokens.max_length)
  limits = json.loads(files.get('tokenizer_config.json', b'{}')) | {'model_max_length': length}
  files['tokenizer_config.json'] = (json.dumps(limits, indent=2) + '\n').encode()
  for width in settings_lib.widths_of(config).values:
    encoder.config.cropped(width)  # refuses what cannot be
  return dataclasses.replace(
    encoder,
    config=dataclasses.replace(encoder.config, **shares),
    tokens=dataclasses.replace(encoder.tokens, max_length=length, lower=False),
    sentences=Sentences(),
    files=files,
    dtype=config.bert.dtype,
  )


def started(workdir: pathlib.Path) -> bool:
  """Whether a run has a checkpoint to go on from."""
  if not (workdir / 'checkpoints').exists():
    return False
  checkpoints = checkpoint.Checkpoints(workdir / 'checkpoints', read_only=True)
  latest = checkpoints.latest
  checkpoints.close()
  return latest is not None


def learns(source: Source, given: Labelled) -> Learned:
  """Returns what a run learns of its training examples."""
  form = source.form
  mean, deviation = (float(given.labels.mean()), float(given.labels.std())) if form.number else (0.0, 1.0)
  if not deviation:
    raise errors.DataError(f'{source.folder}: all training examples have the number {mean}; there is nothing to learn')
  return Learned(source.name, glue.digest(given), form.classes, form.metrics, mean, deviation)


def check_data(workdir: pathlib.Path, learned: Learned) -> None:
  """Raises UsageError where the training examples are others than those that a run began with."""
  if run_lib.read_learned(workdir) != learned:
    raise errors.UsageError(
      f'{workdir} began with other training examples than those of now; bring them back, or name another --workdir'
    )


def taught(config: TextConfig, given: Labelled, workdir: pathlib.Path) -> tuple[TextConfig, Any]:
  """Returns (the configuration with the teacher's hash, what the teacher says of the training examples, or None).

  Raises:
    errors.TeacherError: the teacher is of other classes, or another than the one that the run began with.
  """
  objective = config.objective
  if not objective.teacher:
    return config, None
  teacher = run_lib.load(objective.teacher)
  digest = hashlib.sha256()
  for path, leaf in jax.tree_util.tree_leaves_with_path(teacher.params):
    digest.update(jax.tree_util.keystr(path).encode() + np.ascontiguousarray(leaf).tobytes())
  found, there = digest.hexdigest()[:16], run_lib.read_config(workdir)
  if there is not None and there.objective.teacher_hash != found:
    raise errors.TeacherError(
      f'config.objective.teacher={objective.teacher!r}: its weights have the hash {found}, but {workdir} learns from '
      f'those of hash {there.objective.teacher_hash}; bring that teacher back, or name another --workdir'
    )
  source = glue.find(config.data)
  if teacher.classes != source.form.classes:
    raise errors.TeacherError(
      f'config.objective.teacher={objective.teacher!r}: it tells {", ".join(teacher.classes) or "a number"}, and the '
      f'student learns {", ".join(source.form.classes) or "a number"}'
    )
  learned = learns(source, given)
  said = (teacher.scores(given.sentences, batch=config.eval.batch) - np.float32(learned.mean)) / np.float32(
    learned.deviation
  )
  return dataclasses.replace(config, objective=dataclasses.replace(objective, teacher_hash=found)), said


def no_validation(params: Any) -> tuple[float, dict[int, float]]:
  """The `validate` of a training that holds nothing out."""
  raise ValueError('this run holds no training examples out, but eval.every asks for a validation')


def validator(
  config: TextConfig, encoder: Encoder, learned: Learned, held: Labelled, given: Examples, lengths: tuple[int, ...]
) -> Validate:
  """Returns parameters -> (mean score over the widths, {width: score}) on what is held out."""
  widths = settings_lib.widths_of(config).values

  def validate(params):
    said = classifier_lib.scores(params, encoder.config, widths, given, lengths, config.eval.batch, config.bert.dtype)
    labels = in_training(held, learned)
    each = {
      width: metrics.judge(classifier_lib.answers(said[..., place], learned.number), labels, learned.metrics)['score']
      for place, width in enumerate(widths)
    }
    return float(np.mean(list(each.values()))), each

  return validate


def told(
  config: TextConfig, encoder: Encoder, learned: Learned, given: Labelled, workdir: pathlib.Path, step: int | None
) -> str:
  """Returns what is trained on what, in a line or two."""
  widths = settings_lib.widths_of(config).values
  return (
    f'training a BERT of {encoder.config.num_hidden_layers} layers on {learned.task}: '
    + (f'{len(widths)} sub-models of widths {config.bert.widths}, ' if len(widths) > 1 else f'width {widths[0]}, ')
    + f'{axes_lib.num_numbers(encoder.params):,} parameters of the encoder, {config.train.steps:,} steps of '
    f'{config.train.batch:,} examples, {config.bert.dtype}; workdir {workdir}'
    + (f', going on from step {step:,}' if step else '')
    + f'\n{learned.task}: {len(given.sentences):,} training examples'
    + (f'; {given.left_out} lines without all columns are left out' if given.left_out else '')
  )


def in_training(labelled: Labelled, learned: Learned) -> Any:
  """Returns labels as a training takes them: numbers of mean 0 and deviation 1."""
  return (
    (labelled.labels - np.float32(learned.mean)) / np.float32(learned.deviation) if learned.number else labelled.labels
  )
