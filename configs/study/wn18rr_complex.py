r"""ComplEx on WN18RR to width 160 with the softmax loss: one croppable training against direct ones.

Every run has 2,000 steps of 1,024 triples (about 24 epochs, half of the queries for heads) with 1,024 negatives that
the batch shares. Both sides search the same strengths of DURA.

  python launch.py --mode=study --config=configs/study/wn18rr_complex.py
"""

from medjax import config as config_lib
from medjax.experiments import study


def get_config():
  base = config_lib.Config(name='wn18rr-complex')
  base.data.name = 'wn18rr'
  base.model.score = 'complex'
  base.model.widths = '10,20,40,80,160'
  base.model.width_scale = 'sqrt'
  base.objective.loss = 'softmax'
  base.objective.mutual = False
  base.objective.dynamic = False
  base.objective.regularizer = 'dura'
  base.objective.regularize = 'each'
  base.objective.narrow_weight = 0.0
  base.train.optimizer = 'adagrad'
  base.train.learning_rate = 0.1
  base.train.batch = 1024
  base.train.negatives = 1024
  base.train.share_negatives = 1024
  base.train.steps = 2000
  strengths = [0.05, 0.1]
  arms = {'med': study.grid(objective__regularization=strengths)}
  for width in (10, 40, 160):
    fixed = {'objective.name': 'direct', 'model.widths': str(width)}
    arms[f'direct-{width}'] = study.grid(fixed, objective__regularization=strengths)
  return study.Study('study/wn18rr-complex', base, arms, seeds=(0,))
