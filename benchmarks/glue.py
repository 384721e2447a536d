"""Croppable BERTs on GLUE: MED beside HAT's training, its sandwich, direct fine-tuning and distillation of every width.

  python -m benchmarks.glue --tasks=cola,mrpc,sst2 --seeds=0,1,2 --output=docs/benchmarks

Every arm has the same steps and the same learning rates to choose from. The first seed of each rate is judged on what
is held out of the training examples; the rate with the best mean score over the arm's widths is trained with the other
seeds too, and only it is judged on dev. A student learns from the direct fine-tuning of the full width that was chosen,
of the same seed. Runs that are there are not trained again, so the same command goes on after an interruption.
"""

import argparse
from collections.abc import Iterator, Sequence
import json
import pathlib
from typing import Any, NamedTuple

import pandas as pd

from medjax import config as config_lib
from medjax.bert import settings as settings_lib
from medjax.config import TextConfig
from medjax.experiments import text

COLUMNS = ('task', 'arm', 'rate', 'seed', 'split', 'chosen', 'width', 'score', 'params', 'train_seconds')


class Arm(NamedTuple):
  """A way to have some widths.

  Attributes:
    name: as the table calls it.
    objective: of its runs.
    widths: that a run trains.
  """

  name: str
  objective: str
  widths: str


def arms(base: TextConfig) -> list[Arm]:
  """Returns the arms; the full width is fine-tuned directly before it teaches."""
  *narrow, full = settings_lib.widths_of(base).values
  together = [Arm(name, name, base.bert.widths) for name in ('med', 'hat', 'sandwich')]
  direct = [Arm(f'direct-{width}', 'direct', str(width)) for width in (full, *narrow)]
  return together + direct + [Arm(f'distilled-{width}', 'distilled', str(width)) for width in narrow]


def configured(base: TextConfig, arm: Arm, rate: float, seed: int, teacher: str = '') -> TextConfig:
  """Returns the configuration of a run."""
  fields = {
    'objective.name': arm.objective,
    'objective.teacher': teacher,
    'bert.widths': arm.widths,
    'train.learning_rate': rate,
    'train.seed': seed,
  }
  return config_lib.updated(TextConfig(), config_lib.flatten(base) | fields)


def judged(config: TextConfig, folder: pathlib.Path, split: str) -> pd.DataFrame:
  """Returns the results of a run on a split, which is trained and evaluated where that lacks."""
  path = folder / ('results.csv' if split == 'dev' else f'results-{split}.csv')
  if not (folder / 'cost.json').exists():
    text.train(config, folder, split)
  elif not path.exists():
    text.evaluate(folder, split)
  return pd.read_csv(path)


def study(
  base: TextConfig, rates: Sequence[float], seeds: Sequence[int], workdir: pathlib.Path
) -> Iterator[dict[str, Any]]:
  """Yields the rows of a task's runs."""
  full, teachers = settings_lib.widths_of(base).full, {}
  for arm in arms(base):
    merit: dict[float, float] = {}
    place = lambda rate, seed, arm=arm: workdir / arm.name / f'rate-{rate:g}-seed{seed}'

    def rows(rate, seed, split, chosen, arm=arm, place=place):
      teacher = str(teachers[seed]) if arm.objective == 'distilled' else ''
      results = judged(configured(base, arm, rate, seed, teacher), place(rate, seed), split)
      seconds = json.loads((place(rate, seed) / 'cost.json').read_text(encoding='utf-8'))['train_seconds']
      run = {'task': base.data.task, 'arm': arm.name, 'rate': rate, 'seed': seed, 'split': split, 'chosen': chosen}
      return [run | row | {'train_seconds': seconds} for row in results.to_dict('records')]

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


def table(frame: pd.DataFrame) -> str:
  """Returns the mean dev scores of the chosen rates, over seeds, with the seconds of a training."""
  dev = frame[frame['split'] == 'dev']
  scores = dev.pivot_table(index=['task', 'arm'], columns='width', values='score', aggfunc='mean', sort=False)
  runs = dev.groupby(['task', 'arm'], sort=False)
  scores['rate'], scores['seeds'] = runs['rate'].first(), runs['seed'].nunique()
  scores['train_seconds'] = runs['train_seconds'].mean().round(1)
  return scores.reset_index().to_string(index=False, na_rep='', float_format='{:.4g}'.format)


def main() -> None:
  """Runs what lacks and writes glue.csv and glue.txt."""
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--tasks', default='cola,mrpc,sst2')
  parser.add_argument('--seeds', default='0,1,2')
  parser.add_argument('--rates', default='3e-5,1e-4,3e-4')
  parser.add_argument('--epochs', type=float, default=3.0)
  parser.add_argument('--weights', default='minilm')
  parser.add_argument('--widths', default='96,192,288,384')
  parser.add_argument('--workdir', default='runs/glue')
  parser.add_argument('--output', default='.')
  given = parser.parse_args()
  rates, seeds = [float(rate) for rate in given.rates.split(',')], [int(seed) for seed in given.seeds.split(',')]
  output, rows = pathlib.Path(given.output), []
  output.mkdir(parents=True, exist_ok=True)
  for task in given.tasks.split(','):
    base = config_lib.updated(
      TextConfig(),
      {
        'name': f'glue-{task}',
        'data.task': task,
        'bert.weights': given.weights,
        'bert.widths': given.widths,
        'train.epochs': given.epochs,
        'train.tracker': '',
      },
    )
    for row in study(base, rates, seeds, pathlib.Path(given.workdir) / task):
      rows.append(row)
      pd.DataFrame(rows)[list(COLUMNS)].to_csv(output / 'glue.csv', index=False)
  said = table(pd.DataFrame(rows))
  (output / 'glue.txt').write_text(said + '\n', encoding='utf-8')
  print(said)


if __name__ == '__main__':
  main()
