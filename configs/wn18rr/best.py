r"""ComplEx with reciprocal relations on WN18RR: configs/best.py under DURA, at twice the rate, in five times the steps.

The crops of 10, 50, 100, 200 and 640 reach a test MRR of .284, .462, .473, .479 and .483 in 131 minutes of one core of
an AMD EPYC that did other work beside; 40,000 steps give .284, .459, .469, .479 and .481, and 20,000 give .257, .453,
.467, .474 and .478 (docs/results/best-how.md). The strength is what validation chose for four widths in a tenth of the
steps, configs/study/strengths.py:wn18rr.

  python launch.py --config=configs/wn18rr/best.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.under_dura(config_lib.best('best-wn18rr', 'wn18rr'))
  config.objective.regularization = 0.2
  config.objective.regularization_power = 0.4
  config.objective.regularization_width = 0
  config.train.learning_rate = 0.8
  config.train.steps = 100000
  config.eval.every = 20000
  return config
