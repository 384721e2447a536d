r"""What moves the quality of ComplEx with reciprocal relations on FB15k-237, width by width, change after change.

Every run is a direct training, since those are cheap to search: what is found here is what croppable training begins
with. `base` has the batch, the candidates, the rate and the strength of configs/fb15k237/bilinear.py, with candidates
drawn by the root of their frequency and weighed. Steps times batch is how many queries a run has seen: 544,230 are both
queries of every triple.

  python launch.py --mode=study --config=configs/study/recipe.py
"""

from medjax import config as config_lib
from medjax.experiments import study


def get_config():
  base = config_lib.bilinear('recipe', 'fb15k237')
  base.train.negative_power, base.train.weigh_negatives = 0.5, True
  base.train.steps = 2000
  small = {'train.batch': 256, 'train.share_negatives': 256}
  arms = {
    'direct-10': [
      {},
      small | {'train.steps': 8000},
      small | {'train.steps': 8000, 'objective.regularization': 0.01},
      small | {'train.steps': 32000, 'objective.regularization': 0.01},
      small | {'train.steps': 32000, 'objective.regularization': 0.005},
    ],
    'direct-40': [small | {'train.steps': 16000, 'objective.regularization': 0.025}],
    'direct-160': [
      {},
      {'objective.regularization': 0.02},
      {'objective.regularization': 0.1},
      {'objective.regularization': 0.07, 'train.learning_rate': 0.1},
      {'objective.regularizer': 'n3', 'objective.regularization': 0.02},
      {'train.negatives': 4096},
      {'train.negatives': 0, 'train.negative_power': 0.0, 'train.weigh_negatives': False},
      small | {'train.steps': 8000},
      small | {'train.steps': 16000, 'objective.regularization': 0.07},
      {
        'train.batch': 512,
        'train.share_negatives': 512,
        'train.negatives': 4096,
        'train.steps': 8000,
        'train.learning_rate': 0.1,
        'objective.regularization': 0.07,
      },
    ],
  }
  for arm, points in arms.items():
    fixed = study.named('direct') | {'model.widths': arm.removeprefix('direct-')}
    arms[arm] = [fixed | point for point in points]
  return study.Study('study/recipe', base, arms, seeds=(0,))
