r"""ComplEx on FB15k-237 to width 640, 8,000 steps (30 epochs): sub-models that learn from the next wider one.

Four times the budget of configs/study/fb15k237_complex.py. The strength of DURA is what direct training chose at every
width in configs/study/fb15k237_complex_4000.py; the croppable model has it in the units of each sub-model's scores, and
the weight of learning from the wider one is what validation chose in the smaller study.

  python launch.py --mode=study --config=configs/study/fb15k237_complex_8000.py
"""

from medjax import config as config_lib
from medjax.experiments import study


def get_config():
  base = config_lib.Config(name='fb15k237-complex-8000')
  base.data.name = 'fb15k237'
  base.model.score = 'complex'
  base.model.widths = '10,20,40,80,160,320,640'
  base.model.width_scale = 'sqrt'
  base.objective.loss = 'softmax'
  base.objective.regularizer = 'dura'
  base.objective.regularization = 0.05
  base.objective.regularize = 'scaled'
  base.objective.mutual_detach = 'wide'
  base.objective.narrow_weight = 0.0
  base.train.optimizer = 'adagrad'
  base.train.learning_rate = 0.2
  base.train.batch = 1024
  base.train.negatives = 1024
  base.train.share_negatives = 1024
  base.train.steps = 8000
  base.train.narrow_rate = 0.0
  arms = {'med': [{'objective.mutual': True, 'objective.mutual_weight': 3.0}]}
  for width in (10, 20, 40, 80, 160, 320, 640):
    arms[f'direct-{width}'] = [{'objective.name': 'direct', 'model.widths': str(width)}]
  return study.Study('study/fb15k237-complex-8000', base, arms, seeds=(0,))
