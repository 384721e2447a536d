r"""ComplEx with reciprocal relations on CoDEx-L: the settings of configs/best.py, whose strength a search chooses.

Not trained yet; python -m benchmarks.starts begins it on a random graph of its size.

  python launch.py --config=configs/codex_l/best.py
"""

from medjax import config as config_lib


def get_config():
  return config_lib.best('best-codex-l', 'codex-l', choose=True)
