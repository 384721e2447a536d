"""The strength of the regulariser, chosen before a run by short trainings of one width, judged on validation.

Graphs differ in it by more than a factor of ten, and no other number costs as much where it is wrong.
"""

import copy
import math
import pathlib

import jax

from medjax import config as config_lib
from medjax import errors
from medjax.config import rules
from medjax.config.fields import Config
from medjax.core import terminal
from medjax.data import datasets
from medjax.experiments import study
from medjax.kge import settings as settings_lib
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path

WIDTH = 160  # of a training, or the widest one below
STEPS = 5  # it has one in so many of the run's
NEGATIVES = 1024  # it has at most so many, where the run has not all entities
NEAR = 0.002  # validation MRR by which a stronger one may be behind: a longer training learns more by heart


def find(config: Config, workdir: Path) -> Config:
  """Returns a configuration with the strongest of `objective.strengths` near the best (`NEAR`); as it is without any.

  Validation judges. The trainings lie beside the workdir, in WORKDIR-strengths; those that are there are not repeated.
  A run that has begun keeps what was chosen for it, and where nothing is held out for validation,
  `objective.regularization` stays.

  Raises:
    errors.ConfigError: strengths that are none, or in several processes.
    errors.Diverged: no strength has a training that ends.
  """
  strengths = rules.strengths(config)
  there = workdir_lib.read_config(workdir)
  if not strengths:
    return config
  if there is not None and there.objective.strengths == config.objective.strengths:
    return with_strength(config, there.objective.regularization)
  if jax.process_count() > 1:
    raise errors.ConfigError(
      f'config.objective.strengths={config.objective.strengths!r}: one process alone searches; set '
      "config.objective.regularization to what it finds there, and config.objective.strengths=''"
    )
  graph = datasets.load(config.data)
  if not len(graph.valid):
    terminal.say('no strength is searched for: there are no validation triples to judge by')
    return config
  short = brief(config, graph.num_entities)
  folder = pathlib.Path(f'{workdir}-strengths')
  merits = {strength: merit(with_strength(short, strength), folder / f'{strength:g}') for strength in strengths}
  best = max(merits.values())
  if best == -math.inf:
    raise errors.Diverged('all of config.objective.strengths diverge; lower config.train.learning_rate')
  chosen = max(strength for strength, mrr in merits.items() if mrr >= best - NEAR)
  told = ', '.join(f'{strength:g}: {mrr:.4f}' for strength, mrr in merits.items())
  which = f'{chosen:g}, the strongest within {NEAR:g} of the best'
  terminal.say(f'validation MRR by the strength of the regulariser: {told}; it is {which}\n')
  return with_strength(config, chosen)


def with_strength(config: Config, strength: float) -> Config:
  """Returns a copy of a configuration with another strength."""
  return config_lib.updated(copy.deepcopy(config), {'objective.regularization': strength})


def merit(config: Config, workdir: pathlib.Path) -> float:
  """Returns the validation MRR of a short training, minus infinity where it diverges."""
  terminal.say(f'a short training with objective.regularization={config.objective.regularization:g}')
  try:
    return float(study.results_of(config, workdir, 'valid')['mrr'].mean())
  except errors.Diverged as error:
    terminal.say(f'out of the choice: {error}')
    return -math.inf


def brief(config: Config, entities: int) -> Config:
  """Returns the resolved configuration of a short training of one width, on a graph of so many entities."""
  widths = settings_lib.model_widths(config).values
  width = max((width for width in widths if width <= WIDTH), default=widths[0])
  negatives = config.train.negatives
  changes = study.named('direct') | {
    'model.widths': str(width),
    'objective.strengths': '',
    'objective.regularization_power': 0.0,
    'distill.method': '',
    'train.init_from': '',
    'train.tracker': '',
    'train.steps': math.ceil(config.train.steps / STEPS),
    'train.negatives': negatives if negatives >= entities else min(negatives, NEGATIVES),
    'eval.every': 0,
  }
  return study.make(config, changes, config.train.seed)
