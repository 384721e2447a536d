r"""What every mechanism and form does: RotatE on WN18RR to width 160, one switch an arm, 2,000 steps each.

python launch.py --mode=study --config=configs/study/wn18rr_ablation.py
"""

from medjax import config as config_lib
from medjax.experiments import study

HUBER = {'objective.mutual': True, 'objective.mutual_form': 'huber'}
DIVERGENCE = {'objective.mutual': True, 'objective.mutual_form': 'divergence', 'objective.mutual_weight': 1.0}
BY_WIDTH = {'model.gamma_half': 15.0, 'objective.narrow_weight': 2.0}
ARMS = {
  'none': {},
  'one learning rate': {'train.narrow_rate': 0.0},
  'falling weights (w3=-2)': {'objective.dynamic': True, 'objective.w3': -2.0},
  'rising weights (w3=1)': {'objective.dynamic': True, 'objective.w3': 1.0},
  'Huber 0.1': HUBER | {'objective.mutual_weight': 0.1},
  'Huber 1': HUBER | {'objective.mutual_weight': 1.0},
  'divergence 1': DIVERGENCE,
  'divergence 1, wide held': DIVERGENCE | {'objective.mutual_detach': 'wide'},
  'evolutionary': {'objective.evolutionary': True},
  'scores not normalised': {'model.width_scale': 'none'},
  'margin by width': {'model.gamma_half': 15.0},
  'narrow losses weigh more': {'objective.narrow_weight': 2.0},
  'margin and weights by width': BY_WIDTH,
  'margin and weights by width, divergence 1 (the default)': BY_WIDTH | DIVERGENCE,
  'the default, no narrow_rate': BY_WIDTH | DIVERGENCE | {'train.narrow_rate': 0.0},
  'the default, evolutionary': BY_WIDTH | DIVERGENCE | {'objective.evolutionary': True},
  'sandwich of 4': {'objective.sub_models': 'sandwich:4'},
  'paper': {
    'objective.name': 'paper',
    'model.width_scale': 'none',
    'objective.mutual': True,
    'objective.dynamic': True,
    'train.narrow_rate': 0.0,
  },
}


def get_config():
  base = config_lib.Config(name='wn18rr-ablation')
  base.data.name = 'wn18rr'
  base.model.score = 'rotate'
  base.model.widths = '10:160:10'
  base.model.gamma = 6.0
  base.objective.mutual = False
  base.objective.dynamic = False
  base.model.gamma_half = base.objective.narrow_weight = 0.0
  base.train.steps = 2000
  base.train.learning_rate = 5e-3
  return study.Study('study/wn18rr-ablation', base, {name: [point] for name, point in ARMS.items()}, seeds=(0,))
