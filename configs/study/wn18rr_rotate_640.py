r"""RotatE on WN18RR to width 640: 64 sub-models in one training against direct training.

Every run has 4,000 steps of 512 triples with 64 negatives each. Direct training searches the margin gamma and the
learning rate of every width: a narrow model wants a smaller margin, and a rate near 0.1 to 0.2 times
(gamma + 2) / width. The croppable model searches the margin and how its rates rise towards the first components, and
stands beside itself with one margin for all widths.

  python launch.py --mode=study --config=configs/study/wn18rr_rotate_640.py
"""
from medjax import config as config_lib
from medjax import study

DIRECT = {  # gamma: learning rates
    10: {1.0: [0.03, 0.06], 2.0: [0.03, 0.06], 6.0: [0.1, 0.2]}, 20: {3.0: [0.03], 4.0: [0.03, 0.06], 6.0: [0.06]},
    40: {4.0: [0.015, 0.03], 5.0: [0.02, 0.03], 6.0: [0.03]}, 80: {5.0: [0.01], 6.0: [0.01]},
    160: {5.0: [5e-3, 7e-3], 6.0: [5e-3]}, 320: {5.0: [2.5e-3], 6.0: [2.5e-3]}, 640: {5.0: [1.25e-3], 6.0: [1.25e-3]}}


def get_config():
  base = config_lib.Config(name='wn18rr-rotate-640')
  base.data.name = 'wn18rr'
  base.model.score = 'rotate'
  base.model.widths = '10:640:10'
  base.model.gamma = 6.0
  base.train.steps = 4000
  base.train.learning_rate = 1.25e-3
  arms = {'med': study.grid(train__narrow_rate=[0.12, 0.25])}
  arms['med'] += [{'train.narrow_rate': 0.12, 'model.gamma': 5.0}]
  arms['med'] += [{'train.narrow_rate': 0.25, 'model.gamma_half': 0.0, 'objective.narrow_weight': 0.0}]
  for width, margins in DIRECT.items():
    fixed = {'objective.name': 'direct', 'model.widths': str(width), 'train.narrow_rate': 0.0}
    arms[f'direct-{width}'] = [fixed | {'model.gamma': gamma, 'train.learning_rate': rate}
                               for gamma, rates in margins.items() for rate in rates]
  return study.Study('study/wn18rr-rotate-640', base, arms, seeds=(0,))
