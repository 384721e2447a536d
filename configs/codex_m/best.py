r"""ComplEx with reciprocal relations on CoDEx-M: configs/best.py with the strength that a search chose.

That search is configs/study/search.py:codex-m, of width 160 (docs/recipe.md). These 64 widths were not trained yet.

  python launch.py --config=configs/codex_m/best.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.bilinear('best-codex-m', 'codex-m', batch=256)
  config_lib.for_all_entities(config, negatives=2048)
  config.objective.regularization = 0.07
  config.objective.regularization_power = 0.8
  config.objective.regularization_width = 160
  config.objective.sub_models = 'ladder:8'
  config.train.steps = 20000
  return config
