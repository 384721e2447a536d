r"""Which strength of the regulariser a graph wants at a wide and at a narrow width: the search of docs/recipe.md.

Direct trainings with the settings of configs/best.py in fewer steps with fewer candidates, judged on validation.

  python launch.py --mode=study --config=configs/study/search.py --config.base.data.path=FOLDER --workdir=runs/search
  python launch.py --mode=study --config=configs/study/search.py:codex-m
"""

from medjax import config as config_lib
from medjax.experiments import study

STRENGTHS = {160: (0.003, 0.01, 0.03, 0.05), 10: (0.002, 0.006, 0.02)}


def get_config(data=''):
  base = config_lib.best('search', data)
  base.objective.regularization_power = 0.0
  base.train.negatives = 1024
  base.train.steps = 4000
  arms = {
    f'direct-{width}': study.grid(
      study.named('direct') | {'model.widths': str(width)}, objective__regularization=strengths
    )
    for width, strengths in STRENGTHS.items()
  }
  return study.Study(f'study/search-{data}' if data else 'study/search', base, arms, seeds=(0,))
