r"""ComplEx with reciprocal relations on FB15k-237: the settings of configs/best.py, under DURA in place of N3.

The crops of 10, 50, 100, 200 and 640 reach a test MRR of .273, .317, .330, .341 and .351 in twice the steps, in 73
minutes of one core of an AMD EPYC: no more than in as many steps as here, see docs/results/best-how.md.

  python launch.py --config=configs/fb15k237/dura.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.under_dura(config_lib.best('dura-fb15k237', 'fb15k237'))
  config.train.learning_rate = 0.2
  return config
