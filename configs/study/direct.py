r"""Direct trainings of single widths beside a croppable training by best.py, in as many steps with the same settings.

Validation chooses the regulariser and its strength at each width. The name of the graph follows a colon, wn18rr,
fb15k237 or codex-m. python -m benchmarks.paired compares what is chosen with the crops, triple by triple.

  python launch.py --mode=study --config=configs/study/direct.py:wn18rr
"""

from medjax import config as config_lib
from medjax.experiments import study

STRENGTHS = {  # of a graph: {width: {regulariser: strengths}}
  'wn18rr': {
    10: {'dura': (0.0002, 0.0006, 0.002)},
    50: {'dura': (0.06, 0.12)},
    100: {'dura': (0.12, 0.2)},
    200: {'dura': (0.12, 0.2)},
    640: {'dura': (0.2,)},
  },
  'fb15k237': {
    10: {'n3': (0.002, 0.006), 'dura': (0.006,)},
    50: {'n3': (0.03, 0.05), 'dura': (0.03,)},
    100: {'n3': (0.03, 0.05)},
    200: {'n3': (0.05,)},
    640: {'n3': (0.05,)},
  },
  'codex-m': {
    10: {'n3': (0.002, 0.006), 'dura': (0.006,)},
    50: {'n3': (0.03,), 'dura': (0.05,)},
    100: {'n3': (0.03,)},
    200: {'n3': (0.03,)},
    640: {'n3': (0.03,)},
  },
}
STEPS = {'codex-m': 40000}
RATES = {'wn18rr': 0.8}  # otherwise that of configs/best.py


def get_config(data='wn18rr'):
  base = config_lib.best(f'direct-{data}', data)
  base.objective.regularization_power = 0.0
  base.train.steps = STEPS.get(data, base.train.steps)
  base.train.learning_rate = RATES.get(data, base.train.learning_rate)
  base.eval.every = 0
  arms = {
    f'direct-{width}': [
      point
      for regularizer, strengths in among.items()
      for point in study.grid(
        study.named('direct') | {'model.widths': str(width), 'objective.regularizer': regularizer},
        objective__regularization=strengths,
      )
    ]
    for width, among in STRENGTHS[data].items()
  }
  return study.Study(f'study/direct-{data}', base, arms, seeds=(0, 1, 2))
