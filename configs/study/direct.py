r"""Direct trainings of single widths beside a croppable training by best.py, in as many steps with the same settings.

Validation chooses the strength of the regulariser at each width. The name of the graph follows a colon, wn18rr,
fb15k237 or codex-m. python -m benchmarks.paired compares what is chosen with the crops, triple by triple.

  python launch.py --mode=study --config=configs/study/direct.py:wn18rr
"""

from medjax import config as config_lib
from medjax.experiments import study

STRENGTHS = {  # of a graph: {width: strengths}
  'wn18rr': {10: (0.006, 0.02, 0.06), 50: (0.06, 0.12), 100: (0.12, 0.2), 200: (0.12, 0.2), 640: (0.2,)},
  'fb15k237': {10: (0.003, 0.006), 50: (0.02, 0.03, 0.05), 100: (0.05, 0.07), 200: (0.07, 0.1), 640: (0.07,)},
  'codex-m': {10: (0.003, 0.006, 0.02), 50: (0.02, 0.05), 100: (0.04, 0.07), 200: (0.07,), 640: (0.07,)},
}


def get_config(data='wn18rr'):
  base = config_lib.best(f'direct-{data}', data)
  base.objective.regularization_power = 0.0
  base.eval.every = 0
  arms = {
    f'direct-{width}': study.grid(
      study.named('direct') | {'model.widths': str(width)}, objective__regularization=strengths
    )
    for width, strengths in STRENGTHS[data].items()
  }
  return study.Study(f'study/direct-{data}', base, arms, seeds=(0,))
