r"""How many sub-models: 4 to 64 between 2 and 128, RotatE on WN18RR, all judged at widths that some did not train.

python launch.py --mode=study --config=configs/study/wn18rr_sub_models.py
"""

from medjax import config as config_lib
from medjax.experiments import study


def get_config():
  base = config_lib.Config(name='wn18rr-sub-models')
  base.data.name = 'wn18rr'
  base.model.score = 'rotate'
  base.model.gamma = 6.0
  base.model.phase_scale = 16.0  # as in the other studies to width 160
  base.objective.mutual = False
  base.objective.dynamic = False
  base.model.gamma_half = base.objective.narrow_weight = 0.0
  base.train.steps = 2000
  base.train.learning_rate = 6e-3
  base.eval.extra_widths = '8,16,24,32,40,48,64,80,96,112'
  arms = {f'{128 // step} sub-models': [{'model.widths': f'{step}:128:{step}'}] for step in (32, 16, 8, 4, 2)}
  return study.Study('study/wn18rr-sub-models', base, arms, seeds=(0,))
