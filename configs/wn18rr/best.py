r"""ComplEx with reciprocal relations on WN18RR: the settings of configs/best.py under DURA, at twice the rate.

The crops of 10, 50, 100, 200 and 640 reach a test MRR of .257, .453, .467, .474 and .478 in 23 minutes of one core of
an AMD EPYC that did other work beside (docs/results/best.md). The strength is what validation chose for four widths in
half of these steps, configs/study/strengths.py:wn18rr.

  python launch.py --config=configs/wn18rr/best.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.under_dura(config_lib.best('best-wn18rr', 'wn18rr'))
  config.objective.regularization = 0.2
  config.objective.regularization_power = 0.4
  config.objective.regularization_width = 0
  config.train.learning_rate = 0.8
  config.eval.every = 10000
  return config
