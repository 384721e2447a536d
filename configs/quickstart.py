"""RotatE on the world graph: 16 sub-models of widths 10 to 160 in about a minute on 2 cores.

python launch.py
python launch.py --mode=predict --workdir=runs/quickstart --head=France --relation=borders --width=40
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.Config(name='quickstart')
  config.data.name = 'world'
  config.model.score = 'rotate'
  config.model.widths = '10:160:10'
  config.train.steps = 2000
  config.train.learning_rate = 1e-2
  config.eval.every = 500
  config.eval.valid_triples = 0
  return config
