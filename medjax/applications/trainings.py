"""The trainings that the applications share: a short search, and every method at every width and seed.

A training lies in <arm>/<point>-seed<s>, wherever it was needed first, so what the search has trained is not trained
again. Arms are 'med' and 'direct-WIDTH'.
"""

from collections.abc import Mapping
import json
import math
import pathlib
import shutil
from typing import NamedTuple

import pandas as pd

import medjax
from medjax import config as config_lib
from medjax.applications import completion, recommendation
from medjax.applications.recommendation import Asked
from medjax.applications.results import once
from medjax.applications.settings import Applications, nearest, Point
from medjax.applications.shop import Shop
from medjax.core import files, terminal
from medjax.errors import Diverged
from medjax.experiments import commands, comparison, distillation, extraction, study

MED, DIRECT = 'MED', 'DT'
DISTILLED = {'bkd': 'BKD', 'ta': 'TA', 'dualde': 'DualDE', 'iterde': 'IterDE'}


class Trained(NamedTuple):
  """A model.

  Attributes:
    method: 'MED', 'DT', 'Ext-L', 'BKD', ...
    width: to which it is cropped, if it has more.
    seed: of its training.
    folder: of its run, or of the extracted model.
  """

  method: str
  width: int
  seed: int
  folder: pathlib.Path


def config_of(settings: Applications, graph: pathlib.Path, arm: str, point: Point, seed: int) -> config_lib.Config:
  """Returns the resolved configuration of an arm under a point; raises errors.ConfigError for what cannot be run."""
  fields = {'data.name': '', 'data.path': str(graph), **point}
  if arm != 'med':
    fields |= study.named('direct') | {'model.widths': arm.removeprefix('direct-')}
  return study.make(settings.base, fields, seed)


def folder_of(settings: Applications, arm: str, point: Point, seed: int) -> str:
  """Returns where the training of a point lies, below the folder of all trainings."""
  return f'{arm}/{study.labels(settings.grid)[settings.grid.index(point)]}-seed{seed}'


def search(
  settings: Applications, shop: Shop, graph: pathlib.Path, workdir: pathlib.Path, valid: Asked
) -> pd.DataFrame:
  """Trains what the search still lacks, with the first seed, and returns search.csv, a row for every arm and point.

  `merit` is the mean, over the widths of the arm, of the geometric mean of NDCG@10 of likes and the MRR of facts, both
  on validation: neither outweighs the other by its scale. `chosen` marks the point with the greatest one.

  Raises:
    errors.ConfigError: a point that cannot be run, found before anything is trained.
    errors.Diverged: all points of an arm diverge.
  """
  arms, seed, rows = ['med', *(f'direct-{width}' for width in settings.searched)], settings.seeds[0], []
  wanted = [(arm, point, config_of(settings, graph, arm, point, seed)) for arm in arms for point in settings.grid]
  for i, (arm, point, config) in enumerate(wanted):
    folder = workdir / 'trainings' / folder_of(settings, arm, point, seed)
    terminal.say(f'\n[{i + 1}/{len(wanted)}] search: {folder}')
    try:
      study.results_of(config, folder, 'valid')
      judge = lambda folder=folder: judged(folder, shop, valid)
      found = once(folder / 'merit.csv', judge)
      rows.append({'arm': arm, 'point': json.dumps(point), **found.drop(columns='width').mean().to_dict()})
    except Diverged as error:
      terminal.say(f'out of the choice: {error}')
      rows.append({'arm': arm, 'point': json.dumps(point), 'merit': -math.inf})
  frame = pd.DataFrame(rows)
  frame['chosen'] = frame.index.isin(frame.groupby('arm')['merit'].idxmax())
  if (lost := frame[frame['chosen'] & (frame['merit'] == -math.inf)]).size:
    raise Diverged(f'all points of {lost["arm"].iloc[0]} diverge; lower their train.learning_rate')
  files.write_text(workdir / 'search.csv', frame.to_csv(index=False))
  return frame


def judged(folder: pathlib.Path, shop: Shop, valid: Asked) -> pd.DataFrame:
  """Returns NDCG@10 of likes, MRR of facts and the merit of every width of a run, on validation."""
  rows = []
  for width in completion.ranked(folder, 'valid')['widths'].tolist():
    model = medjax.load(folder, width)
    ndcg = recommendation.merit(recommendation.by_relation(model, shop)(valid.users), valid)
    facts = completion.evaluate(folder, model.graph, width, 'valid')
    mrr = next((one.value for one in facts if one.metric == 'facts MRR'), ndcg)  # a shop may have no facts
    rows.append({'width': width, 'NDCG@10': ndcg, 'facts MRR': mrr, 'merit': math.sqrt(ndcg * mrr)})
  return pd.DataFrame(rows)


def chosen(found: pd.DataFrame, settings: Applications) -> dict[str, Point]:
  """Returns {arm: the point that it takes} of 'med' and of the direct training of every width."""
  points: Mapping[str, str] = found[found['chosen']].set_index('arm')['point'].to_dict()
  arms = {f'direct-{width}': f'direct-{nearest(width, settings.searched)}' for width in settings.widths}
  return {arm: json.loads(points[other]) for arm, other in {'med': 'med', **arms}.items()}


def train(
  settings: Applications, points: Mapping[str, Point], graph: pathlib.Path, workdir: pathlib.Path
) -> list[Trained]:
  """Trains what is still lacking, and returns every model of every method, width and seed."""
  found, below = [], workdir / 'trainings'
  for seed in settings.seeds:
    for arm, point in points.items():
      folder = below / folder_of(settings, arm, point, seed)
      terminal.say(f'\ntraining: {folder}')
      study.results_of(config_of(settings, graph, arm, point, seed), folder, 'valid')
      widths = settings.widths if arm == 'med' else (int(arm.removeprefix('direct-')),)
      found += [Trained(MED if arm == 'med' else DIRECT, width, seed, folder) for width in widths]
    teacher, narrower = found[-1].folder, ','.join(map(str, settings.widths[:-1]))  # the widest direct training
    if narrower:
      found += extracted(settings, teacher, narrower, seed, below) + taught(
        settings, graph, teacher, narrower, seed, below
      )
  return found


def extracted(
  settings: Applications, teacher: pathlib.Path, widths: str, seed: int, workdir: pathlib.Path
) -> list[Trained]:
  """Extracts what is still lacking from the widest direct training."""
  found = []
  for by in settings.extracted:
    folder = workdir / comparison.EXTRACTED[by] / f'seed{seed}'
    if not (folder / 'cost.json').exists():
      shutil.rmtree(folder, ignore_errors=True)  # what an interruption left of it
      commands.extract(teacher, by, widths, folder)
    found += [Trained(extraction.METHODS[by], int(width), seed, folder) for width in widths.split(',')]
  return found


def taught(
  settings: Applications, graph: pathlib.Path, teacher: pathlib.Path, widths: str, seed: int, workdir: pathlib.Path
) -> list[Trained]:
  """Distils what is still lacking, the widest direct training being the teacher."""
  found = []
  for method in settings.distilled:
    fields = {'data.name': '', 'data.path': str(graph), 'distill.method': method, 'distill.teacher': str(teacher)}
    config = config_lib.from_flat(config_lib.flatten(settings.base) | fields | settings.student | {'train.seed': seed})
    folder = workdir / 'distilled' / f'seed{seed}'
    distillation.run(config, folder, widths)
    found += [Trained(DISTILLED[method], int(width), seed, folder / f'{method}-{width}') for width in widths.split(',')]
  return found
