"""A study: arms of configurations, of which validation picks one each and the test set judges the picked ones.

  python launch.py --mode=study --config=configs/study/wn18rr_rotate.py --workdir=runs/study/wn18rr-rotate

Every point of an arm is trained with the first seed and evaluated on the validation split. The point with the best
mean validation MRR over the arm's widths, or over those of them that the study names, is trained with the other
seeds too, and only it is evaluated on test. A point that diverges is out of the choice. Runs that are there
already are not trained again, so the same command goes on after an interruption.
"""

from collections.abc import Iterable, Mapping, Sequence
import dataclasses
import itertools
import math
import pathlib
from typing import Any

import pandas as pd

from medjax import config as config_lib
from medjax import errors
from medjax.core import files, terminal
from medjax.experiments import evaluating, resumption, runs
from medjax.kge import settings as settings_lib
from medjax.report import cost as cost_lib
from medjax.report import studies, tables
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path, read_table

COLUMNS = ('width', 'mrr', 'hits1', 'hits3', 'hits10', 'params')
Point = dict[str, Any]  # {dotted field: value}


@dataclasses.dataclass(slots=True)
class Study:
  """What a file in `configs/study/` returns.

  Attributes:
    name: the default workdir is runs/<name>.
    base: the configuration that all arms share.
    arms: {name: points}; a point is {dotted field: value}, what it changes of the base (see `grid`).
    seeds: train.seed of the runs; the first one serves the choice.
    widths: those whose mean validation MRR decides; in an arm that has none of them, all of the arm's do. Where an arm
      has every tenth width, the wide ones outvote the narrow ones.
  """

  name: str
  base: config_lib.Config
  arms: dict[str, list[Point]]
  seeds: tuple[int, ...] = (0, 1, 2)
  widths: tuple[int, ...] = ()


def grid(fixed: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), **values: Iterable[Any]) -> list[Point]:
  """Returns the points of a grid: every combination of {field: list}, fields written a__b, with the fixed ones."""
  names = [name.replace('__', '.') for name in values]
  return [dict(fixed) | dict(zip(names, point)) for point in itertools.product(*values.values())]


def direct(width: int, margins: Mapping[float, Iterable[float]]) -> list[Point]:
  """Returns the points of a width that is trained directly, from {gamma: learning rates}."""
  return [
    named('direct') | {'model.widths': str(width), 'model.gamma': gamma, 'train.learning_rate': rate}
    for gamma, rates in margins.items()
    for rate in rates
  ]


def named(objective: str) -> Point:
  """Returns the point of a named objective, whatever a base has in the fields that the name fixes."""
  return {'objective.name': objective} | config_lib.PRESETS[objective]


def run(study: Study, workdir: Path) -> pd.DataFrame:
  """Trains what a study still lacks, and writes study.csv into the workdir after every run.

  Args:
    study: the `Study`.
    workdir: a folder; each run lies in <arm>/<point>-seed<s> below it.

  Returns:
    study.csv as a DataFrame: a row for every run, split and width, `chosen` marking the picked points and `merit`
    the mean MRR over the widths that decide.

  Raises:
    errors.ConfigError: a point that cannot be run; checked before anything is trained.
    errors.Diverged: no arm has a point that trains.
  """
  workdir = pathlib.Path(workdir)
  for points in study.arms.values():
    for changes in points:
      make(study.base, changes, study.seeds[0])  # refuses what cannot be run before anything is trained
  workdir.mkdir(parents=True, exist_ok=True)
  rows: list[dict[str, Any]] = []
  total = sum(len(points) for points in study.arms.values()) + len(study.arms) * (len(study.seeds) - 1)
  done = 0

  def add(arm, point, seed, split, chosen):
    added, merit = judge(study, arm, point, seed, split, workdir)
    rows.extend(row | {'chosen': chosen} for row in added)
    write(rows, workdir)
    return merit

  for arm, points in study.arms.items():
    merit, names = [], labels(points)
    for point in range(len(points)):
      done += 1
      terminal.say(f'\n[{done}/{total}] {arm}: {names[point]}')
      try:
        merit.append(add(arm, point, study.seeds[0], 'valid', False))
      except errors.Diverged as error:
        terminal.say(f'out of the choice: {error}')
        merit.append(-math.inf)
    best = max(range(len(points)), key=merit.__getitem__)
    if merit[best] == -math.inf:
      terminal.say(f'{arm} is left out: all of its points diverge')
      done += len(study.seeds) - 1
      continue
    for row in rows:
      row['chosen'] |= row['arm'] == arm and row['point'] == names[best]
    add(arm, best, study.seeds[0], 'test', True)
    for seed in study.seeds[1:]:
      done += 1
      terminal.say(f'\n[{done}/{total}] {arm}: {names[best]}, seed {seed}')
      add(arm, best, seed, 'valid', True)
      add(arm, best, seed, 'test', True)
  if not rows:
    raise errors.Diverged('all points of all arms diverge; lower their train.learning_rate')
  frame = pd.DataFrame(rows)
  header, body = studies.test_table(frame)
  terminal.say(pd.DataFrame(body, columns=header).to_string(index=False))
  terminal.say(f'written: {workdir / "study.csv"}')
  return frame


def judge(
  study: Study, arm: str, point: int, seed: int, split: str, workdir: pathlib.Path
) -> tuple[list[dict[str, Any]], float]:
  """Returns (rows of study.csv, mean MRR of the widths that decide) of a run; trains and evaluates what is missing."""
  config, name = make(study.base, study.arms[arm][point], seed), labels(study.arms[arm])[point]
  folder = workdir / arm / f'{name}-seed{seed}'
  results = results_of(config, folder, split)
  cost = cost_lib.read(folder)
  decide = results[results['width'].isin(study.widths)]
  merit = (results if decide.empty else decide)['mrr'].mean()
  if split == 'valid' and math.isnan(merit):
    raise errors.DataError(
      f'{folder}: there are {tables.NOTHING} in valid, so no point can be chosen by them. Give valid triples of '
      "entities that train has, or set config.base.eval.unseen='rank'"
    )
  run = {
    'arm': arm,
    'point': name,
    'seed': seed,
    'split': split,
    'chosen': False,
    'merit': merit,
    'steps': cost['steps'],
    'train_seconds': cost['train_seconds'],
  }
  return [run | {column: row[column] for column in COLUMNS} for row in results.to_dict('records')], merit


def make(base: config_lib.Config, point: Point, seed: int) -> config_lib.Config:
  """Returns the resolved configuration of a point; raises ConfigError naming the field that is wrong."""
  return settings_lib.resolve(config_lib.from_flat(config_lib.flatten(base) | point | {'train.seed': seed}))


def labels(points: Sequence[Point]) -> list[str]:
  """Returns a name for each point of an arm: the fields in which the points differ, and their values."""
  fields = dict.fromkeys(field for point in points for field in point)
  differing = [field for field in fields if any(point.get(field) != points[0].get(field) for point in points)]
  return [
    ','.join(f'{field.rpartition(".")[2]}={point[field]}' for field in differing if field in point) or 'base'
    for point in points
  ]


def results_of(config: config_lib.Config, folder: pathlib.Path, split: str) -> pd.DataFrame:
  """Returns a run's results on a split as a DataFrame; trains and evaluates what is missing."""
  there = workdir_lib.read_config(folder)
  path = folder / ('results.csv' if split == 'test' else f'results-{split}.csv')
  if there is None or config_lib.describe_difference(there, config) or not (folder / 'cost.json').exists():
    runs.train(config, folder, split)
    return read_table(path)
  resumption.check_data(there, config, folder)
  if not path.exists():
    evaluating.evaluate(folder, split)
  if not path.exists():
    raise errors.NothingSaved(f'{folder} has no results on {split}: its graph holds no {split} triples to choose by')
  return read_table(path)


def write(rows: Sequence[dict[str, Any]], workdir: pathlib.Path) -> None:
  """Writes study.csv; a kill leaves the former one."""
  files.write_text(workdir / 'study.csv', pd.DataFrame(rows).to_csv(index=False))
