r"""One croppable training against direct ones, with any score on any graph: budgets that fit two cores, 2,000 steps a run.

Graph and score follow the file's name after a colon:

  python launch.py --mode=study --config=configs/study/scores.py:fb15k237-distmult

Distances have the log-sigmoid loss, 512 triples a step with 64 negatives each, and search the learning rate around
0.8 / width; the croppable model how it rises towards the first components. Bilinear scores have the softmax loss, 1,024
triples a step with 1,024 negatives that they share, and search the strength of DURA; the croppable model how much its
sub-models learn from the next wider one.
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
  base.model.widths = '10,20,40,80,160' if base.model.score == 'pairre' else '10:160:10'  # PairRE takes a pass per width
  base.model.gamma = 6.0 if base.data.name == 'wn18rr' else 9.0
  arms = {'med': study.grid(train__learning_rate=[5e-3, 1e-2], train__narrow_rate=[0.0, 0.25])}
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
  base.objective.mutual_detach = 'wide'
  base.train.optimizer = 'adagrad'
  base.train.learning_rate = 0.1 if base.data.name == 'wn18rr' else 0.2
  base.train.narrow_rate = 0.0
  base.train.batch = base.train.negatives = base.train.share_negatives = 1024
  strengths = [0.05, 0.1]
  arms = {'med': study.grid({'objective.mutual': True}, objective__mutual_weight=[1.0, 3.0],
                            objective__regularization=strengths)}
  arms['med'] += study.grid({'objective.mutual': False}, objective__regularization=strengths)
  for width in (10, 40, 160):
    fixed = {'objective.name': 'direct', 'model.widths': str(width)}
    arms[f'direct-{width}'] = study.grid(fixed, objective__regularization=strengths)
  return arms
