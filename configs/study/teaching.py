r"""What teaching and the weights of losses do to nested widths: seven widths on FB15k-237, judged on validation.

The settings of configs/fb15k237/dura.py in fewer steps with fewer candidates ('shipped', with two seeds), and others,
one change at a time.

  python launch.py --mode=study --config=configs/study/teaching.py
"""

from medjax import config as config_lib
from medjax.experiments import study

OTHERS = [
  {'objective.mutual': False},
  {'objective.mutual_weight': 10.0},
  {'objective.mutual_weight': 4.0, 'objective.mutual_power': 0.25},
  {'objective.narrow_weight': 0.5, 'objective.mutual_power': 0.5},
  {'objective.dynamic': True, 'objective.w3': 1.4},
  {'objective.regularization_power': 1.2},
]


def get_config():
  base = config_lib.under_dura(config_lib.best('teaching', 'fb15k237'))
  base.model.widths = '10,20,40,80,160,320,640'
  base.train.steps = 8000
  base.train.negatives = 1024
  base.train.learning_rate = 0.2
  return study.Study('study/teaching', base, {'shipped': [{}], 'other': OTHERS}, seeds=(0, 1))
