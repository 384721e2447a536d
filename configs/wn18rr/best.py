r"""ComplEx with reciprocal relations on WN18RR: the settings of configs/best.py, with a stronger regulariser.

Its strength is what validation chose for four widths in half of these steps, configs/study/strengths.py:wn18rr, which
reach a test MRR of .208, .443, .469 and .473 at 10, 40, 160 and 640 in 12 minutes of one core. These 64 widths were not
trained yet.

  python launch.py --config=configs/wn18rr/best.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.best('best-wn18rr', 'wn18rr')
  config.objective.regularization = 0.2
  config.objective.regularization_power = 0.4
  config.objective.regularization_width = 0
  return config
