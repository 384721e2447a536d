r"""ComplEx with reciprocal relations on CoDEx-M: the settings of configs/best.py in twice the steps, at half the rate.

The crops of 10, 50, 100, 200 and 640 reach a test MRR of .264, .297, .316, .330 and .343 in 64 minutes of one core of
an AMD EPYC that did other work beside (docs/results/best.md).

  python launch.py --config=configs/codex_m/best.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.best('best-codex-m', 'codex-m')
  config.objective.regularization = 0.03
  config.objective.regularization_power = 1.5
  config.train.learning_rate = 0.2
  config.train.steps = 40000
  config.eval.every = 20000
  return config
