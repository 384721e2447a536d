r"""ComplEx with reciprocal relations on CoDEx-M: the settings of configs/best.py in twice the steps.

The crops of 10, 50, 100, 200 and 640 reach a test MRR of .262, .298, .316, .332 and .344 in 46 minutes of one core of
an AMD EPYC that did other work beside (docs/results/best.md).

  python launch.py --config=configs/codex_m/best.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.best('best-codex-m', 'codex-m')
  config.objective.regularization = 0.03
  config.objective.regularization_power = 1.5
  config.train.steps = 40000
  config.eval.every = 20000
  return config
