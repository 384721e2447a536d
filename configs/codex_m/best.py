r"""ComplEx with reciprocal relations on CoDEx-M: configs/best.py with the strength that a search chose.

That search is configs/study/search.py:codex-m, of width 160 (docs/recipe.md). These 64 widths were not trained yet.

  python launch.py --config=configs/codex_m/best.py
"""

from medjax import config as config_lib


def get_config():
  return config_lib.best('best-codex-m', 'codex-m')
