"""Scores made probabilities: fitted on one half of the validation triples, judged on the other."""

import pathlib

from jaxtyping import Bool, Float, Int
import numpy as np
import pandas as pd
from scipy import optimize

from medjax import errors
from medjax.core import files, sides, terminal
from medjax.report import plots, tables
from medjax.saved import sealing
from medjax.saved.files import Path
from medjax.serve import known, loading, probability, spaces
from medjax.serve.model import Model
from medjax.serve.probability import Calibration

FILES = ('calibration.json', 'calibration.csv', 'calibration.png', 'reliability.csv')
FEWEST = 20  # validation triples
GROUPS, SMALLEST = 32, 8  # of a fit: how many at most, and triples in one
BINS = 10
CERTAIN = 1e-12  # keeps the logarithm of a probability finite


def calibrate(workdir: Path, seed: int = 0) -> pd.DataFrame:
  """Fits the probabilities of every width, and writes calibration.json, .csv and .png into the folder.

  reliability.csv has the curves of the plot, of every width.

  Returns:
    DataFrame with width and the held-out log-losses: log_loss, and that of a coin, `coin`.

  Raises:
    errors.UsageError: too few validation triples.
  """
  workdir = pathlib.Path(workdir)
  model = loading.load(workdir)
  triples, is_true = sample(model, seed)
  fitted, rows, curves = {}, [], []
  half = np.arange(len(triples)) // 2 % 2 == 0  # a triple and its corruption stay together
  for width in model.widths.values:
    crop = model.crop(width)
    scores = crop.affine(spaces.pairs(crop, 'tail', *triples.T)).astype(np.float64)
    one = fit(scores[half], is_true[half])
    said = one.probability(scores[~half])
    fitted[width] = one
    rows.append({'width': width, 'log_loss': log_loss(said, is_true[~half]), 'coin': np.log(2)})
    curves.append((f'width {width}', curve(said, is_true[~half])))
  frame = pd.DataFrame(rows)
  sealing.drop(workdir, FILES)
  probability.write(workdir, fitted)
  files.write_text(workdir / 'calibration.csv', frame.to_csv(index=False))
  of_widths = [each.assign(width=width) for width, (_, each) in zip(frame['width'], curves)]
  files.write_text(workdir / 'reliability.csv', pd.concat(of_widths).round(6).to_csv(index=False))
  shown = tables.few(list(frame['width']))
  plots.reliability(
    [each for each, width in zip(curves, frame['width']) if width in shown],
    workdir / 'calibration.png',
    f'{model.description.score} on {model.graph.name}',
  )
  sealing.add(workdir, FILES)
  terminal.say(frame[frame['width'].isin(shown)].to_string(index=False, float_format='{:.4f}'.format))
  terminal.say(
    f'held-out log-loss of {int((~half).sum()):,} triples, half of them with a random head or tail; a coin has '
    f'{np.log(2):.4f}\nwritten: {workdir / "calibration"}.json, .csv, .png'
  )
  return frame


def sample(model: Model, seed: int) -> tuple[Int[np.ndarray, 'Q 3'], Bool[np.ndarray, ' Q']]:
  """Returns (triples int [Q, 3], which are true): each validation triple, and after it one that is not known.

  The other triple has a random entity in place of its head or of its tail.
  """
  valid = np.asarray(model.graph.valid, np.int64)
  if len(valid) < FEWEST:
    raise errors.UsageError(
      f'{model.graph.name or "the model"} has {len(valid)} validation triples; a calibration takes {FEWEST} or more '
      '(a crop carries them if it was made with --with_triples)'
    )
  draw = np.random.RandomState(seed)  # whose stream numpy keeps for good
  valid = valid[draw.permutation(len(valid))]
  wrong = valid.copy()
  for i in range(len(wrong)):
    given, asked = sides.columns(sides.SIDES[i % 2])
    facts = known.facts(model.graph, sides.SIDES[i % 2]).of(int(wrong[i, given]), int(wrong[i, 1]))[0]
    if len(np.unique(facts)) >= len(model.entities.labels):
      raise errors.UsageError('a question has every entity for an answer, so no triple is wrong; nothing to calibrate')
    while wrong[i, asked] in facts:
      wrong[i, asked] = draw.randint(len(model.entities.labels))
  return np.stack([valid, wrong], 1).reshape(-1, 3), np.tile([True, False], len(valid))


def fit(scores: Float[np.ndarray, ' Q'], is_true: Bool[np.ndarray, ' Q']) -> Calibration:
  """Returns the `Calibration` by isotonic regression (Zadrozny and Elkan, 2002) of groups of equally many triples.

  A group's share of true triples is that of Laplace's rule, (true + 1) / (all + 2), so nothing is certain.
  """
  order = np.argsort(scores, kind='stable')
  count = min(GROUPS, max(1, len(scores) // SMALLEST))
  groups = [(scores[part].mean(), is_true[part].sum() + 1, len(part) + 2) for part in np.array_split(order, count)]
  middle, true, number = (np.array(column) for column in zip(*groups))
  rising = optimize.isotonic_regression(true / number, weights=number).x
  apart = np.concatenate([[True], np.diff(middle) > 0])  # equal scores are one point
  return Calibration(tuple(middle[apart].tolist()), tuple(rising[apart].tolist()))


def log_loss(said: Float[np.ndarray, ' Q'], is_true: Bool[np.ndarray, ' Q']) -> float:
  """Returns the mean negative logarithm of the probability of what is the case."""
  return float(-np.log(np.clip(np.where(is_true, said, 1 - said), CERTAIN, 1)).mean())


def curve(said: Float[np.ndarray, ' Q'], is_true: Bool[np.ndarray, ' Q']) -> pd.DataFrame:
  """Returns what was `said` in the mean, the share that was `true`, and the number of triples, of ten ranges."""
  place = np.minimum((said * BINS).astype(int), BINS - 1)
  groups = pd.DataFrame({'place': place, 'said': said, 'true': is_true}).groupby('place')
  return groups.mean().assign(triples=groups.size()).reset_index(drop=True)
