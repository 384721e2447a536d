r"""ComplEx with reciprocal relations on YAGO3-10: the settings of configs/best.py, whose strength a search chooses.

Not trained yet; python -m benchmarks.starts begins it on a random graph of its size.

  python launch.py --config=configs/yago3_10/best.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.best('best-yago3-10', 'yago3-10')
  config.objective.strengths = '0.006,0.02,0.07,0.2'  # of which validation chooses; 0.07 where nothing is held out
  return config
