r"""ComplEx with reciprocal relations on YAGO3-10: the settings of configs/best.py, whose strength a search chooses.

Not trained yet; python -m benchmarks.starts begins it on a random graph of its size.

  python launch.py --config=configs/yago3_10/best.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.bilinear('best-yago3-10', 'yago3-10', batch=256)
  config_lib.for_all_entities(config, negatives=2048)
  config.objective.regularization = 0.07  # where nothing is held out, by which one of these would be chosen
  config.objective.strengths = '0.006,0.02,0.07,0.2'
  config.objective.regularization_power = 0.8
  config.objective.regularization_width = 160
  config.objective.sub_models = 'ladder:8'
  config.train.steps = 20000
  return config
