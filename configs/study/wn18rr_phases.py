r"""How fast RotatE's phases should turn: 64 sub-models to width 640 on WN18RR, 2,000 steps each.

Radians for a unit of the learning rate: 16 at every width, and a tenth and a quarter of the full width.

  python launch.py --mode=study --config=configs/study/wn18rr_phases.py
"""

from medjax import config as config_lib
from medjax.experiments import study


def get_config():
  base = config_lib.Config(name='wn18rr-phases')
  base.data.name = 'wn18rr'
  base.model.score = 'rotate'
  base.model.widths = '10:640:10'
  base.model.gamma = 5.0
  base.train.steps = 2000
  base.train.learning_rate = 1.25e-3
  base.train.narrow_rate = 0.12
  arms = {f'{scale} radians': [{'model.phase_scale': float(scale)}] for scale in (16, 64, 160)}
  return study.Study('study/wn18rr-phases', base, arms, seeds=(0,))
