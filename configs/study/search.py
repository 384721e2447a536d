r"""Which strength of the regulariser a graph wants at a wide and at a narrow width: the search of docs/recipe.md.

Direct trainings of the settings of configs/best.py, with a part of its steps, judged on validation.

  python launch.py --mode=study --config=configs/study/search.py --config.base.data.path=FOLDER --workdir=runs/search
  python launch.py --mode=study --config=configs/study/search.py:codex-m
"""

import pathlib
import runpy

from medjax.experiments import study

STRENGTHS = {160: (0.03, 0.07, 0.15), 10: (0.005, 0.02, 0.05)}


def get_config(data=''):
  best = pathlib.Path(__file__).parents[1] / 'best.py'
  base = runpy.run_path(str(best))['get_config'](data)
  base.train.steps = 8000
  base.train.negatives = 1024
  arms = {
    f'direct-{width}': study.grid(
      study.named('direct') | {'model.widths': str(width), 'objective.sub_models': 'all'},
      objective__regularization=strengths,
    )
    for width, strengths in STRENGTHS.items()
  }
  return study.Study(f'study/search-{data}' if data else 'study/search', base, arms, seeds=(0,))
