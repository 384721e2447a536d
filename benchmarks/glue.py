"""Croppable BERTs on GLUE: MED beside HAT's training, its sandwich, direct fine-tuning and distillation of every width.

  python -m benchmarks.glue --tasks=sst2,cola,mrpc --seeds=0,1,2 --output=docs/studies

Every arm has the same examples, the same steps and the same learning rates to choose from; only 'hat-long' has a step
for each width where MED has one for all, so that every width is trained as often and computes as much. The first seed
of each rate is judged on what is held out of the training examples; the rate with the best mean score over the arm's
widths is trained with the other seeds too, and only it is judged on dev. A student learns from the direct fine-tuning
of the full width that was chosen, of the same seed. On the tasks of `--ablated`, more arms take a mechanism out of MED
or put one in, one reorders the encoder by importance first, and rows 'untrained' tell what crops before a training are
good for. `--arms` names some of all these.

glue.csv has the rows of every run as soon as it is done, and keeps those of other tasks and arms. Runs that are there
are not trained again, so the same command goes on after an interruption, and one with more seeds or rates adds those.
"""

import argparse
from collections.abc import Iterator, Sequence
import dataclasses
import itertools
import json
import pathlib
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from medjax import config as config_lib
from medjax.bert import glue, metrics
from medjax.bert import settings as settings_lib
from medjax.bert.sentences import Sentences
from medjax.config import rules, TextConfig
from medjax.core import axes as axes_lib
from medjax.core import runtime
from medjax.experiments import text, text_training

SETTINGS = {  # what a row says of its training
  'layers': 'bert.layers',
  'dropout': 'bert.dropout',
  'examples': 'data.examples',
  'epochs': 'train.epochs',
  'batch': 'train.batch',
  'lengths': 'train.lengths',
}
SHOWN = 1000  # training sentences whose vectors make the means of classes
COLUMNS = ('task', 'arm', 'rate', 'seed', 'split', 'chosen', 'width', 'score', 'params', 'train_seconds', *SETTINGS)


class Arm(NamedTuple):
  """A way to have some widths.

  Attributes:
    name: as the table calls it.
    widths: that a run trains.
    fields: of its runs, by dotted name.
  """

  name: str
  widths: str
  fields: dict[str, Any]


MECHANISMS = {
  'med-without-mutual': {'objective.mutual': False},
  'med-without-evolutionary': {'objective.evolutionary': False},
  'med-with-dynamic': {'objective.dynamic': True},
  'med-without-any': {'objective.mutual': False, 'objective.evolutionary': False},
  'med-reordered': {'bert.reorder': True},
}


def arms(base: TextConfig, ablated: bool = False) -> list[Arm]:
  """Returns the arms; the full width is fine-tuned directly before it teaches."""
  *narrow, full = settings_lib.widths_of(base).values
  named = lambda objective: {'objective.name': objective}
  found = [Arm('med', base.bert.widths, {}), Arm(f'direct-{full}', str(full), named('direct'))]
  found += [Arm(name, base.bert.widths, named(name)) for name in ('hat', 'sandwich')]
  long = {'train.epochs': base.train.epochs * (len(narrow) + 1)}
  found += [Arm('hat-long', base.bert.widths, named('hat') | long)]
  for width in narrow:
    found += [Arm(f'{name}-{width}', str(width), named(name)) for name in ('direct', 'distilled')]
  return found + [Arm(name, base.bert.widths, fields) for name, fields in MECHANISMS.items() if ablated]


def configured(base: TextConfig, arm: Arm, rate: float, seed: int, teacher: str = '') -> TextConfig:
  """Returns the configuration of a run."""
  fields = {
    'objective.teacher': teacher,
    'bert.widths': arm.widths,
    'train.learning_rate': rate,
    'train.seed': seed,
  }
  return config_lib.updated(TextConfig(), config_lib.flatten(base) | fields | arm.fields)


def judged(config: TextConfig, folder: pathlib.Path, split: str) -> pd.DataFrame:
  """Returns the results of a run on a split, which is trained and evaluated where that lacks."""
  path = folder / ('results.csv' if split == 'dev' else f'results-{split}.csv')
  if not (folder / 'cost.json').exists():
    text_training.train(config, folder, split)
  elif not path.exists():
    text.evaluate(folder, split)
  return pd.read_csv(path)


def study(
  base: TextConfig, chosen: Sequence[Arm], rates: Sequence[float], seeds: Sequence[int], workdir: pathlib.Path
) -> Iterator[dict[str, Any]]:
  """Yields the rows of a task's runs."""
  full, teachers = settings_lib.widths_of(base).full, {}
  for arm in chosen:
    merit: dict[float, float] = {}
    place = lambda rate, seed, arm=arm: workdir / arm.name / f'rate-{rate:g}-seed{seed}'

    def rows(rate, seed, split, chosen, arm=arm, place=place):
      teacher = str(teachers[seed]) if arm.name.startswith('distilled') else ''
      config = configured(base, arm, rate, seed, teacher)
      results = judged(config, place(rate, seed), split)
      seconds = json.loads((place(rate, seed) / 'cost.json').read_text(encoding='utf-8'))['train_seconds']
      run = {'task': base.data.task, 'arm': arm.name, 'rate': rate, 'seed': seed, 'split': split, 'chosen': chosen}
      given = {name: rules.get(config, field) for name, field in SETTINGS.items()} | {'train_seconds': seconds}
      return [run | row | given for row in results.to_dict('records')]

    found = []
    for rate in rates:
      found += rows(rate, seeds[0], 'valid', False)
      merit[rate] = sum(row['score'] for row in found if row['rate'] == rate)
    best = max(merit, key=lambda rate: merit[rate])
    yield from (row | {'chosen': row['rate'] == best} for row in found)
    for seed in seeds:
      yield from rows(best, seed, 'dev', True)
      if arm.name == f'direct-{full}':
        teachers[seed] = place(best, seed)


def untrained(base: TextConfig) -> Iterator[dict[str, Any]]:
  """Yields rows of crops before any training, as the weights have their numbers and reordered by importance.

  A sentence gets the class whose training sentences have the mean vector that is most like its own.
  """
  source = glue.find(base.data)
  given, dev = source.read('train'), source.read('dev')
  shown = given.take(np.arange(min(len(given.sentences), SHOWN)))
  for name, reorder in (('untrained', False), ('untrained-reordered', True)):
    fields = config_lib.flatten(base) | {'bert.reorder': reorder, 'bert.dtype': 'float32'}
    encoder = text_training.start(settings_lib.resolve(config_lib.updated(TextConfig(), fields)), given)
    encoder = dataclasses.replace(encoder, sentences=Sentences('mean', normalise=True))
    for width in settings_lib.widths_of(base).values:
      crop = encoder.crop(width)
      vectors = crop.encode(shown.sentences)
      means = np.stack([vectors[shown.labels == label].mean(0) for label in range(len(source.form.classes))])
      means /= np.linalg.norm(means, axis=1, keepdims=True)
      said = (crop.encode(dev.sentences) @ means.T).argmax(1)
      judged = metrics.judge(said, dev.labels, source.form.metrics)
      run = {'task': base.data.task, 'arm': name, 'rate': 0.0, 'seed': 0, 'split': 'dev', 'chosen': True}
      size = {'width': width, 'params': axes_lib.num_numbers(crop.params), 'train_seconds': 0.0}
      yield run | judged | size | {name: rules.get(base, field) for name, field in SETTINGS.items()}


def table(frame: pd.DataFrame) -> str:
  """Returns the mean dev scores of the chosen rates, over seeds, with the seconds of a training."""
  dev = frame[frame['split'] == 'dev']
  scores = dev.pivot_table(index=['task', 'arm'], columns='width', values='score', aggfunc='mean', sort=False)
  runs = dev.groupby(['task', 'arm'], sort=False)
  scores['rate'], scores['seeds'] = runs['rate'].first(), runs['seed'].nunique()
  scores['train_seconds'] = runs['train_seconds'].mean().round(1)
  return scores.reset_index().to_string(index=False, na_rep='', float_format='{:.4g}'.format)


def main(argv: Sequence[str] | None = None) -> None:
  """Runs what lacks and writes glue.csv and glue.txt."""
  default = TextConfig()
  parser = argparse.ArgumentParser(
    'python -m benchmarks.glue', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--tasks', default='sst2,cola,mrpc')
  parser.add_argument('--ablated', default='sst2', help='tasks on which mechanisms are taken out, too')
  parser.add_argument('--arms', default='', help='those of these names; all if not given')
  parser.add_argument('--seeds', default='0,1,2')
  parser.add_argument('--rates', default='3e-4,1e-4')
  parser.add_argument('--weights', default=default.bert.weights)
  parser.add_argument('--widths', default=default.bert.widths)
  parser.add_argument('--layers', type=int, default=0, help='how many of the first layers; 0: all')
  parser.add_argument('--dropout', type=float, default=default.bert.dropout)
  parser.add_argument('--examples', type=int, default=0, help='of the training file, drawn; 0: all')
  parser.add_argument('--epochs', type=float, default=default.train.epochs)
  parser.add_argument('--batch', type=int, default=default.train.batch)
  parser.add_argument('--lengths', default=default.train.lengths, help='the last one is the most tokens, too')
  parser.add_argument('--workdir', default='runs/glue')
  parser.add_argument('--output', default='.')
  given = parser.parse_args(argv)
  rates, seeds = [float(rate) for rate in given.rates.split(',')], [int(seed) for seed in given.seeds.split(',')]
  output, tasks = pathlib.Path(given.output), given.tasks.split(',')
  output.mkdir(parents=True, exist_ok=True)
  path, done = output / 'glue.csv', set()
  rows = pd.read_csv(path).to_dict('records') if path.exists() else []
  places = {(row['task'], row['arm']): None for row in rows}
  for task in tasks:
    fields = {
      'name': f'glue-{task}',
      'data.task': task,
      'data.examples': given.examples,
      'data.max_length': int(given.lengths.split(',')[-1]),
      'bert.weights': given.weights,
      'bert.widths': given.widths,
      'bert.layers': given.layers,
      'bert.dropout': given.dropout,
      'train.epochs': given.epochs,
      'train.batch': given.batch,
      'train.lengths': given.lengths,
      'train.tracker': '',
    }
    base = config_lib.updated(TextConfig(), fields)
    chosen = [
      arm for arm in arms(base, task in given.ablated.split(',')) if not given.arms or arm.name in given.arms.split(',')
    ]
    named = not given.arms or 'untrained' in given.arms.split(',')
    crops = untrained(base) if named and task in given.ablated.split(',') else ()
    for row in itertools.chain(study(base, chosen, rates, seeds, pathlib.Path(given.workdir) / task), crops):
      arm = row['task'], row['arm']
      rows = [other for other in rows if arm in done or (other['task'], other['arm']) != arm] + [row]
      done.add(arm)
      places[arm] = None
      rows.sort(key=lambda row, order=list(places): order.index((row['task'], row['arm'])))
      pd.DataFrame(rows)[list(COLUMNS)].to_csv(path, index=False)
  said = table(pd.DataFrame(rows))
  (output / 'glue.txt').write_text(said + '\n', encoding='utf-8')
  print(said)


if __name__ == '__main__':
  runtime.use_huge_pages()
  runtime.cache_compilations()
  main()
