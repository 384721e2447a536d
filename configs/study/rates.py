r"""Which learning rate of Adagrad four sub-models want: the settings of a graph's best.py in 8,000 steps.

The name of the graph follows a colon, fb15k237, codex-m or wn18rr.

  python launch.py --mode=study --config=configs/study/rates.py:wn18rr
"""

from medjax import config as config_lib
from medjax.experiments import study

REGULARIZERS = {  # (kind, strength, power, the width from which on it is whole; 0: the full one)
  'fb15k237': ('n3', 0.05, 2.0, 50),
  'codex-m': ('n3', 0.03, 1.5, 50),
  'wn18rr': ('dura', 0.2, 0.4, 0),
}


def get_config(data='wn18rr'):
  base = config_lib.best(f'rates-{data}', data)
  objective = base.objective
  objective.regularizer, objective.regularization, power, objective.regularization_width = REGULARIZERS[data]
  objective.regularization_power = power
  base.model.widths = '10,40,160,640'
  base.train.steps = 8000
  base.eval.every = 0
  return study.Study(f'study/rates-{data}', base, {'med': study.grid(train__learning_rate=(0.2, 0.4, 0.8))}, seeds=(0,))
