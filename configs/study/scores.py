r"""One croppable training against direct ones, with any score on any graph, in budgets that fit two cores.

Graph and score follow the file's name after a colon:

  python launch.py --mode=study --config=configs/study/scores.py:fb15k237-distmult

Every run has 2,000 steps. Distances have the log-sigmoid loss and 512 triples a step with 64 negatives each. With
TransE and RotatE both sides search the margin gamma; direct training also the learning rate, 0.1 or 0.2 times
(gamma + 2) / width. The croppable model also tries one learning rate for all its components, and stands beside itself
with one margin for all its widths. PairRE has one margin; direct training searches the learning rate around 0.8 /
width, the croppable model how it rises towards the first components, mutual learning, of both sides or of the narrower
one alone, and the normalisation by width. Bilinear scores have the softmax loss and 1,024 triples a step with 1,024
negatives that they share; both sides search the strength of DURA, and the croppable model whether its sub-models learn
from each other.
"""

from medjax import config as config_lib
from medjax.experiments import study

MARGINS = {10: [1.0, 2.0, 4.0], 40: [2.0, 4.0, 6.0], 160: [5.0, 7.0, 9.0]}  # of direct training
SEEDS = {'fb15k237-pairre': (0, 1, 2)}  # of studies that have more than one


def get_config(what='wn18rr-pairre'):
  data, _, score = what.rpartition('-')
  base = config_lib.Config(name=f'scores-{what}')
  base.data.name = data
  base.model.score = score
  base.train.steps = 2000
  arms = {'transe': distance, 'rotate': distance, 'pairre': pairre}.get(score, bilinear)(base)
  return study.Study(f'study/scores-{what}', base, arms, seeds=SEEDS.get(what, (0,)))


def distance(base):
  """The arms of a distance; sets what all of them share."""
  base.model.widths = '10:160:10'
  full, one_margin = {'train.learning_rate': 5e-3}, {'model.gamma_half': 0.0, 'objective.narrow_weight': 0.0}
  arms = {'med': study.grid(full, model__gamma=MARGINS[160])}
  arms['med'] += study.grid(full, model__gamma=[7.0], train__narrow_rate=[0.0])
  arms['med'] += study.grid(full | one_margin, model__gamma=[7.0])
  for width, margins in MARGINS.items():
    fixed = {'objective.name': 'direct', 'model.widths': str(width)}
    arms[f'direct-{width}'] = [
      fixed | {'model.gamma': gamma, 'train.learning_rate': round(factor * (gamma + 2) / width, 4)}
      for gamma in margins
      for factor in (0.1, 0.2)
    ]
  return arms


def pairre(base):
  """The arms of PairRE; sets what all of them share."""
  base.model.widths = '10,20,40,80,160'  # it takes a pass per width
  base.model.gamma = 6.0 if base.data.name == 'wn18rr' else 9.0
  base.model.gamma_half = base.objective.narrow_weight = 0.0
  full = {'train.learning_rate': 5e-3}
  arms = {'med': study.grid(full, train__narrow_rate=[0.0, 0.25], objective__mutual=[False, True])}
  if base.data.name == 'wn18rr':
    # sub-models lost by learning from each other; distances of unit vectors grow with the root of the width
    arms['med'] += study.grid(
      full, train__narrow_rate=[0.0], objective__mutual=[False, True], model__width_scale=['sqrt']
    )
  else:
    # direct training of the full width wants a higher rate on this graph, and wide sub-models lose by learning from
    # narrow ones
    rate = {'train.learning_rate': 0.01, 'train.narrow_rate': 0.0}
    arms['med'] += study.grid(rate, objective__mutual=[False, True])
    arms['med'] += study.grid(rate, objective__mutual_detach=['wide'], model__width_scale=['linear', 'sqrt'])
  factors = [0.4, 0.8, 1.6] if base.data.name == 'wn18rr' else [0.4, 0.8, 1.6, 3.2]
  for width in (10, 40, 160):
    fixed = {'objective.name': 'direct', 'model.widths': str(width)}
    arms[f'direct-{width}'] = study.grid(fixed, train__learning_rate=[factor / width for factor in factors])
  return arms


def bilinear(base):
  """The arms of a bilinear score; sets what all of them share."""
  base.model.widths = '10,20,40,80,160'
  base.model.width_scale = 'sqrt'
  base.objective.loss = 'softmax'
  base.objective.regularizer = 'dura'
  base.objective.regularize = 'scaled'
  base.objective.mutual_detach, base.objective.mutual_weight = 'wide', 3.0
  base.train.optimizer = 'adagrad'
  base.train.learning_rate = 0.1 if base.data.name == 'wn18rr' else 0.2
  base.objective.narrow_weight = 0.0
  base.train.narrow_rate = 0.0
  base.train.batch = base.train.negatives = base.train.share_negatives = 1024
  strengths = [0.05, 0.1]
  arms = {'med': study.grid(objective__mutual=[False, True], objective__regularization=strengths)}
  for width in (10, 40, 160):
    fixed = {'objective.name': 'direct', 'model.widths': str(width)}
    arms[f'direct-{width}'] = study.grid(fixed, objective__regularization=strengths)
  return arms
