r"""RotatE on WN18RR to width 640: 64 sub-models in one training against direct training.

Every run has 4,000 steps of 512 triples with 64 negatives each, half of those of configs/study/wn18rr_rotate.py.
Learning rates are searched around 0.8 / width and what that study chose.

  python launch.py --mode=study --config=configs/study/wn18rr_rotate_640.py
"""
from medjax import config as config_lib
from medjax import study

DIRECT_RATES = {10: [0.1, 0.2], 20: [0.04, 0.06], 40: [0.02, 0.03], 80: [7e-3, 1e-2], 160: [5e-3, 7e-3],
                320: [2.5e-3], 640: [1.25e-3, 2.5e-3]}


def get_config():
  base = config_lib.Config(name='wn18rr-rotate-640')
  base.data.name = 'wn18rr'
  base.model.score = 'rotate'
  base.model.widths = '10:640:10'
  base.model.gamma = 6.0
  base.objective.mutual = False
  base.train.steps = 4000
  points = [(1.25e-3, 0.5), (2.5e-3, 0.25), (1.25e-3, 0.75)]  # for all, and how it rises towards the first components
  arms = {'med': [{'train.learning_rate': rate, 'train.narrow_rate': power} for rate, power in points]}
  learning = {'objective.mutual': True, 'train.learning_rate': 1.25e-3}
  arms['med'] += study.grid(learning, train__narrow_rate=[0.5, 0.25])
  for width, rates in DIRECT_RATES.items():
    fixed = {'objective.name': 'direct', 'model.widths': str(width), 'train.narrow_rate': 0.0}
    arms[f'direct-{width}'] = study.grid(fixed, train__learning_rate=rates)
  return study.Study('study/wn18rr-rotate-640', base, arms, seeds=(0,))
