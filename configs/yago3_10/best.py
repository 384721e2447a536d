r"""ComplEx with reciprocal relations on YAGO3-10: the settings of configs/best.py, whose strength a search chooses.

Not trained yet; python -m benchmarks.starts begins it on a random graph of its size.

  python launch.py --config=configs/yago3_10/best.py
"""

from medjax import config as config_lib


def get_config():
  return config_lib.best('best-yago3-10', 'yago3-10', choose=True)
