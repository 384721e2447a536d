r"""Which strength of the regulariser a graph wants at a wide and at a narrow width: the search of docs/recipe.md.

Direct trainings with the settings of configs/best.py in fewer steps with fewer candidates, judged on validation.

  python launch.py --mode=study --config=configs/study/search.py --config.base.data.path=FOLDER --workdir=runs/search
  python launch.py --mode=study --config=configs/study/search.py:codex-m
"""

from medjax import config as config_lib
from medjax.experiments import study

STRENGTHS = {160: (0.03, 0.07, 0.15), 10: (0.005, 0.02, 0.05)}


def get_config(data=''):
  base = config_lib.Config(name='search')
  base.data.name = data or base.data.name
  base.model.score = 'complex_reciprocal'
  base.model.width_scale = 'sqrt'
  base.objective.loss = 'softmax'
  base.objective.regularizer = 'dura'
  base.train.optimizer = 'adagrad'
  base.train.learning_rate = 0.2
  base.train.batch = base.train.share_negatives = 256
  base.train.negatives = 1024
  base.train.negative_power, base.train.weigh_negatives = 0.5, True
  base.train.sparse_updates = True
  base.train.steps = 8000
  arms = {
    f'direct-{width}': study.grid(
      study.named('direct') | {'model.widths': str(width)}, objective__regularization=strengths
    )
    for width, strengths in STRENGTHS.items()
  }
  return study.Study(f'study/search-{data}' if data else 'study/search', base, arms, seeds=(0,))
