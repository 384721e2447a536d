r"""ComplEx on FB15k-237 to width 640 with twice the budget of configs/study/fb15k237_complex.py: 4,000 steps.

Direct training searches the strengths of DURA that the smaller study searched for the croppable model only, which has
the one chosen there; the learning rate is the one that every arm of it chose.

  python launch.py --mode=study --config=configs/study/fb15k237_complex_4000.py
"""

from medjax import config as config_lib
from medjax.experiments import study


def get_config():
  base = config_lib.Config(name='fb15k237-complex-4000')
  base.data.name = 'fb15k237'
  base.model.score = 'complex'
  base.model.widths = '10,20,40,80,160,320,640'
  base.model.width_scale = 'sqrt'
  base.objective.loss = 'softmax'
  base.objective.regularizer = 'dura'
  base.objective.regularize = 'each'
  base.objective.narrow_weight = 0.0
  base.train.optimizer = 'adagrad'
  base.train.learning_rate = 0.2
  base.train.batch = 1024
  base.train.negatives = 1024
  base.train.share_negatives = 1024
  base.objective.mutual = False
  base.train.steps = 4000
  base.train.narrow_rate = 0.0
  arms = {
    'med': [
      {'objective.regularization': 0.1, 'objective.dynamic': False},
      {'objective.regularization': 0.1, 'objective.dynamic': True, 'objective.w3': -3.0},
    ]
  }
  for width in (10, 20, 40, 160, 640):
    fixed = {'objective.name': 'direct', 'model.widths': str(width)}
    arms[f'direct-{width}'] = study.grid(fixed, objective__regularization=[0.05, 0.1])
  return study.Study('study/fb15k237-complex-4000', base, arms, seeds=(0,))
