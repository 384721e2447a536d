r"""ComplEx with reciprocal relations on FB15k-237: the settings of configs/best.py in twice the steps.

The crops of 10, 50, 100, 200 and 640 reach a test MRR of .273, .317, .330, .341 and .351 in 73 minutes of one core of
an AMD EPYC: no more than in half of the steps, see docs/results/best.md.

python launch.py --config=configs/fb15k237/best.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.best('best-fb15k237', 'fb15k237')
  config.train.steps = 40000
  config.eval.every = 20000
  return config
