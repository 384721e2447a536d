r"""ComplEx with reciprocal relations on FB15k-237: the settings of configs/best.py in three times the steps.

The crops of 10, 50, 100, 200 and 640 reach a test MRR of .277, .324, .336, .348 and .358 in 73 minutes of one core of
an AMD EPYC that did other work beside; a third of the steps give .272, .324, .336, .345 and .354, the mean of three
seeds (docs/results/best-direct.md).

  python launch.py --config=configs/fb15k237/best.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.best('best-fb15k237', 'fb15k237')
  config.train.steps = 60000
  config.eval.every = 20000
  return config
