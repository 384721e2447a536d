"""One model in three places by one command: it labels users on a server, recommends on a phone, completes on a desktop.

  python launch.py --mode=application --config=configs/applications/movielens.py --workdir=runs/shop

All three share the trainings. What is there already, of trainings and of figures, is not made again, so the same
command goes on after an interruption. results.csv has every figure, report.md the tables, report.png the picture.
"""

from collections.abc import Iterator
import json
import pathlib
import tempfile

import numpy as np
import pandas as pd
from scipy import sparse

import medjax
from medjax.applications import (
  baselines,
  completion,
  labelling,
  ranker,
  recommendation,
  trainings,
)
from medjax.applications import (
  graph as graph_lib,
)
from medjax.applications import (
  settings as settings_lib,
)
from medjax.applications import (
  split as split_lib,
)
from medjax.applications.recommendation import Asked
from medjax.applications.results import frame, once, Subject
from medjax.applications.settings import Applications
from medjax.applications.shop import Shop
from medjax.applications.split import Split
from medjax.applications.trainings import Trained
from medjax.core import files, terminal
from medjax.report import applications as report
from medjax.saved.files import Path
from medjax.serve.model import Model

RANKED = (trainings.MED, trainings.DIRECT)  # methods whose embeddings also get a ranker
FACTORS = ('BPR-MF', 'ALS')


def run(settings: Applications, workdir: Path) -> pd.DataFrame:
  """Trains and measures what is still lacking; returns results.csv as a DataFrame.

  Raises:
    errors.ConfigError: what cannot be run.
    errors.DataError: a shop that cannot be read.
    errors.UsageError: a workdir of another shop or split; a package that is missing.
  """
  settings_lib.check(settings)
  baselines.implicit()  # before anything is trained
  workdir = pathlib.Path(workdir)
  shop = settings_lib.read(settings)
  split = split_lib.make(shop, settings.split)
  workdir.mkdir(parents=True, exist_ok=True)
  graph = graph_lib.write(shop, split, (workdir / 'graph').absolute())
  for note in shop.notes:
    terminal.say(f'  {note}')
  asked = {part: recommendation.asked(shop, split, part, settings.most_users) for part in ('valid', 'test')}
  found = trainings.search(settings, shop, graph, workdir, asked['valid'])
  trained = trainings.train(settings, trainings.chosen(found, settings), graph, workdir)
  results = pd.concat(
    [*of_baselines(settings, shop, split, asked, workdir), *of_models(trained, shop, split, asked, workdir)]
  )
  files.write_text(workdir / 'results.csv', results.to_csv(index=False))
  terminal.say('\n' + report.write(results, workdir, shop.name))
  return results


def of_models(
  trained: list[Trained], shop: Shop, split: Split, asked: dict[str, Asked], workdir: pathlib.Path
) -> Iterator[pd.DataFrame]:
  """Yields the figures of all models in all three places."""
  for one in trained:
    make = lambda one=one: measured(one, shop, split, asked)
    yield once(workdir / 'figures' / f'{one.method}-{one.width}-seed{one.seed}.csv', make)


def measured(one: Trained, shop: Shop, split: Split, asked: dict[str, Asked]) -> pd.DataFrame:
  """Returns the figures of one model in all three places."""
  terminal.say(f'measuring: {one.method}, width {one.width}, seed {one.seed}')
  model = medjax.load(one.folder, one.width)
  subject = Subject(one.method, one.width, one.seed, numbers(model), weight(model))
  places, vectors, test = graph_lib.places(shop, model.graph), model.entity_vectors(), asked['test']
  users = ranker.scaled(vectors, places.users)
  scores = recommendation.by_relation(model, shop)
  found = [
    frame(subject, labelling.evaluate(shop, split, users)),
    frame(subject, recommendation.judged(scores(test.users), test, recommendation.milliseconds(scores, test))),
    frame(subject, completion.evaluate(one.folder, model.graph, one.width)),
  ]
  if one.method in RANKED:
    items = ranker.scaled(vectors, places.items)
    of_ranker = lambda params, rows: np.asarray(ranker.scores(params, users[rows], items))
    valid, likes = asked['valid'], graph_lib.matrix(shop, split.likes['train']).toarray()
    merit = lambda params: recommendation.merit(of_ranker(params, valid.users), valid)
    params = ranker.fit(users, items, likes, merit, one.seed)
    ms = recommendation.milliseconds(lambda rows: of_ranker(params, rows), test)
    results = recommendation.judged(of_ranker(params, test.users), test, ms)
    more = ranker.num_params(params)
    subject = subject._replace(
      method=f'{one.method} + ranker', params=subject.params + more, bytes=subject.bytes + 4 * more
    )
    found.append(frame(subject, results))
  return pd.concat(found)


def numbers(model: Model) -> int:
  """Returns how many numbers a model's tables hold."""
  return sum(leaf.size for table in model.params.values() for leaf in table.values())


def weight(model: Model) -> int:
  """Returns the bytes of the tables of an exported crop, as float32."""
  with tempfile.TemporaryDirectory() as folder:
    model.save(folder)
    return (pathlib.Path(folder) / 'model.safetensors').stat().st_size


def of_baselines(
  settings: Applications, shop: Shop, split: Split, asked: dict[str, Asked], workdir: pathlib.Path
) -> Iterator[pd.DataFrame]:
  """Yields the figures of what knows no graph."""
  likes, valid, test = graph_lib.matrix(shop, split.likes['train']), asked['valid'], asked['test']
  path = lambda name: workdir / 'figures' / f'{name}.csv'

  def recommended(name, scorer, width=0, seed=0):
    ms = recommendation.milliseconds(scorer.scores, test)
    subject = Subject(name, width, seed, scorer.params, 4 * scorer.params)
    return frame(subject, recommendation.judged(scorer.scores(test.users), test, ms))

  yield once(path('popularity'), lambda: recommended('popularity', baselines.popularity(likes)))
  yield once(path('item-kNN'), lambda: recommended('item-kNN', recommendation.best(baselines.neighbours(likes), valid)))
  for method in FACTORS:
    for width in settings.widths:
      tuned = tuned_point(
        path(f'{method}-{width}').with_suffix('.json'), method, likes, width, settings.seeds[0], valid
      )
      for seed in settings.seeds:
        make = lambda method=method, width=width, seed=seed, tuned=tuned: recommended(
          method, next(baselines.factors(method, likes, width, seed, [tuned])), width, seed
        )
        yield once(path(f'{method}-{width}-seed{seed}'), make)
  yield once(path('majority'), lambda: frame(Subject('majority', 0, 0), labelling.majority(shop, split)))

  def raw():
    reduced = labelling.liked_items(shop, split, settings.widths)
    return pd.concat(
      frame(Subject('liked items', width, 0), labelling.evaluate(shop, split, features))
      for width, features in reduced.items()
    )

  yield once(path('liked items'), raw)


def tuned_point(
  path: pathlib.Path, method: str, likes: sparse.csr_array, width: int, seed: int, valid: Asked
) -> baselines.Point:
  """Returns the point of a factorisation's grid that validation prefers; a file keeps it."""
  if not path.exists():
    terminal.say(f'tuning: {method}, width {width}')
    path.parent.mkdir(parents=True, exist_ok=True)
    points = baselines.grid(method)
    merits = [
      recommendation.merit(one.scores(valid.users), valid)
      for one in baselines.factors(method, likes, width, seed, points)
    ]
    files.write_text(path, json.dumps(points[int(np.argmax(merits))]))
  return json.loads(path.read_text(encoding='utf-8'))
