r"""One croppable training against direct ones, with any score on any graph, in budgets that fit two cores.

Graph and score follow the file's name after a colon:

  python launch.py --mode=study --config=configs/study/scores.py:fb15k237-distmult

Every run has 2,000 steps. Distances have the log-sigmoid loss, 512 triples a step with 64 negatives each, and search
the learning rate around 0.8 / width; the croppable model how it rises towards the first components. Bilinear scores
have the softmax loss, 1,024 triples a step with 1,024 negatives that they share, and search the strength of DURA. In
both the croppable model searches whether its sub-models learn from each other. PairRE on WN18RR, where they lost by it,
also searches the normalisation by width.
"""
from medjax import config as config_lib
from medjax import study

DISTANCES = ('transe', 'rotate', 'pairre')


def get_config(what='wn18rr-pairre'):
  data, _, score = what.rpartition('-')
  base = config_lib.Config(name=f'scores-{what}')
  base.data.name = data
  base.model.score = score
  base.train.steps = 2000
  make = distance if score in DISTANCES else bilinear
  return study.Study(f'study/scores-{what}', base, make(base), seeds=(0,))


def distance(base):
  """The arms of a distance; sets what all of them share."""
  # PairRE takes a pass per width
  base.model.widths = '10,20,40,80,160' if base.model.score == 'pairre' else '10:160:10'
  base.model.gamma = 6.0 if base.data.name == 'wn18rr' else 9.0
  base.objective.mutual_form, base.objective.mutual_weight = 'divergence', 1.0
  rate = {'train.learning_rate': 5e-3}
  arms = {'med': study.grid(rate, train__narrow_rate=[0.0, 0.25], objective__mutual=[False, True])}
  if (base.data.name, base.model.score) == ('wn18rr', 'pairre'):
    # distances of unit vectors grow with the root of the width, and narrow_rate chose 0
    arms['med'] += study.grid(rate, train__narrow_rate=[0.0], objective__mutual=[False, True],
                              model__width_scale=['sqrt'])
  for width in (10, 40, 160):
    fixed = {'objective.name': 'direct', 'model.widths': str(width)}
    arms[f'direct-{width}'] = study.grid(fixed, train__learning_rate=[0.4 / width, 0.8 / width, 1.6 / width])
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
  base.train.narrow_rate = 0.0
  base.train.batch = base.train.negatives = base.train.share_negatives = 1024
  strengths = [0.05, 0.1]
  arms = {'med': study.grid(objective__mutual=[False, True], objective__regularization=strengths)}
  for width in (10, 40, 160):
    fixed = {'objective.name': 'direct', 'model.widths': str(width)}
    arms[f'direct-{width}'] = study.grid(fixed, objective__regularization=strengths)
  return arms
