r"""RotatE on WN18RR to width 640, 16,000 steps (94 epochs): 64 sub-models in one training against direct training.

Four times the budget of configs/study/wn18rr_rotate_640.py. Both sides search around the rates that validation chose
there and in configs/study/wn18rr_rotate.py, and half of them where the full model is wide.

  python launch.py --mode=study --config=configs/study/wn18rr_rotate_640_16000.py
"""
from medjax import config as config_lib
from medjax import study

DIRECT_RATES = {10: [0.1, 0.2], 20: [0.04, 0.06], 40: [0.02, 0.03], 80: [7e-3, 1e-2], 160: [2.5e-3, 5e-3],
                320: [1.25e-3, 2.5e-3], 640: [6.25e-4, 1.25e-3]}


def get_config():
  base = config_lib.Config(name='wn18rr-rotate-640-16000')
  base.data.name = 'wn18rr'
  base.model.score = 'rotate'
  base.model.widths = '10:640:10'
  base.model.gamma = 6.0
  base.train.steps = 16000
  points = [(1.25e-3, 0.25), (6.25e-4, 0.5)]  # for all, and how it rises towards the first components
  arms = {'med': [{'train.learning_rate': rate, 'train.narrow_rate': power} for rate, power in points]}
  for width, rates in DIRECT_RATES.items():
    fixed = {'objective.name': 'direct', 'model.widths': str(width), 'train.narrow_rate': 0.0}
    arms[f'direct-{width}'] = study.grid(fixed, train__learning_rate=rates)
  return study.Study('study/wn18rr-rotate-640-16000', base, arms, seeds=(0,))
