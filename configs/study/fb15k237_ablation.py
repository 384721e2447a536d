r"""What every mechanism and form does: TransE on FB15k-237 to width 160, one switch an arm, 2,000 steps each.

python launch.py --mode=study --config=configs/study/fb15k237_ablation.py
"""

from medjax import config as config_lib
from medjax.experiments import study

HUBER = {'objective.mutual': True, 'objective.mutual_form': 'huber'}
DIVERGENCE = {'objective.mutual': True, 'objective.mutual_form': 'divergence', 'objective.mutual_weight': 1.0}
ARMS = {
  'none': {},
  'Huber 0.1': HUBER | {'objective.mutual_weight': 0.1},
  'Huber 1': HUBER | {'objective.mutual_weight': 1.0},
  'Huber 1, wide held': HUBER | {'objective.mutual_weight': 1.0, 'objective.mutual_detach': 'wide'},
  'divergence 1': DIVERGENCE,
  'divergence 1, wide held': DIVERGENCE | {'objective.mutual_detach': 'wide'},
  'divergence 2, wide held': DIVERGENCE | {'objective.mutual_detach': 'wide', 'objective.mutual_weight': 2.0},
  'divergence 4, wide held': DIVERGENCE | {'objective.mutual_detach': 'wide', 'objective.mutual_weight': 4.0},
  'divergence 1, wide held, rising weights (w3=1)': DIVERGENCE
  | {'objective.mutual_detach': 'wide', 'objective.dynamic': True, 'objective.w3': 1.0},
  'evolutionary': {'objective.evolutionary': True},
  'rising weights (w3=1)': {'objective.dynamic': True, 'objective.w3': 1.0},
  'falling weights (w3=-2)': {'objective.dynamic': True, 'objective.w3': -2.0},
}


def get_config():
  base = config_lib.Config(name='fb15k237-ablation')
  base.data.name = 'fb15k237'
  base.model.score = 'transe'
  base.model.widths = '10:160:10'
  base.model.gamma = 9.0
  base.objective.mutual = False
  base.model.gamma_half = base.objective.narrow_weight = 0.0
  base.train.steps = 2000
  base.train.narrow_rate = 0.0
  return study.Study('study/fb15k237-ablation', base, {name: [point] for name, point in ARMS.items()}, seeds=(0,))
