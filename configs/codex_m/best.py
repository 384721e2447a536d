r"""ComplEx with reciprocal relations on CoDEx-M: configs/best.py with the strength that a search chose.

The crops of 10, 50, 100, 200 and 640 reach a test MRR of .253, .300, .311, .320 and .327 in 39 minutes of one core of
an AMD EPYC that did other work beside, and stood still for some of them (docs/results/best.md). The search is
configs/study/search.py:codex-m, of width 160 (docs/recipe.md).

  python launch.py --config=configs/codex_m/best.py
"""

from medjax import config as config_lib


def get_config():
  return config_lib.best('best-codex-m', 'codex-m')
