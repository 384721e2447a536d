r"""RotatE on WN18RR to width 160: which of MED's mechanisms and which learning rate, against direct training.

Every run has the budget of configs/wn18rr/rotate.py, 8,000 steps of 512 triples with 64 negatives each. The
learning rates of direct training are near 0.8 / width: under Adam a score then moves as much a step at every
width, and the range around that is searched for every width of its own.

  python launch.py --mode=study --config=configs/study/wn18rr_rotate.py
"""

from medjax import config as config_lib
from medjax.experiments import study

DIRECT_RATES = {
  10: [3e-2, 6e-2, 1e-1],
  20: [2e-2, 4e-2, 6e-2],
  40: [1e-2, 2e-2, 3e-2],
  80: [7e-3, 1e-2],
  160: [5e-3, 7e-3],
}


def get_config():
  base = config_lib.Config(name='wn18rr-rotate')
  base.data.name = 'wn18rr'
  base.model.score = 'rotate'
  base.model.widths = '10:160:10'
  base.model.gamma = 6.0
  base.model.phase_scale = 16.0  # a tenth of the croppable model's width, for all
  base.objective.mutual_form, base.objective.mutual_weight = 'huber', 0.1
  base.model.gamma_half = base.objective.narrow_weight = 0.0
  base.train.steps = 8000
  base.train.narrow_rate = 0.0
  arms = {
    'med': study.grid(
      train__learning_rate=[5e-3, 7e-3], objective__mutual=[True, False], objective__dynamic=[True, False]
    )
  }
  # weights that fall with the width: the narrow sub-models own the first numbers, the wide ones the rest
  arms['med'] += study.grid(
    {'train.learning_rate': 7e-3, 'objective.mutual': False}, objective__dynamic=[True], objective__w3=[-2.0, -5.0]
  )
  # and a learning rate that does too, since the narrow widths want a higher one
  fixed = {'train.learning_rate': 5e-3, 'train.narrow_rate': 0.25, 'objective.mutual': False}
  arms['med'] += [fixed | {'objective.dynamic': False}, fixed | {'objective.dynamic': True, 'objective.w3': -2.0}]
  for width, rates in DIRECT_RATES.items():
    fixed = {'objective.name': 'direct', 'model.widths': str(width)}
    arms[f'direct-{width}'] = study.grid(fixed, train__learning_rate=rates)
  return study.Study('study/wn18rr-rotate', base, arms, seeds=(0, 1))
