r"""TransE (L1) on WN18RR: 16 sub-models of widths 10 to 160.

The budget of two CPU cores: 2,000 steps of 512 triples (12 epochs), with what validation chose in
configs/study/scores.py:wn18rr-transe; docs/results has what was reached there. TransE has no way to answer this
graph's symmetric relations, and is far behind RotatE.

  python launch.py --config=configs/wn18rr/transe.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.Config(name='wn18rr-transe')
  config.data.name = 'wn18rr'
  config.model.score = 'transe'
  config.model.widths = '10:160:10'
  config.model.gamma = 5.0
  config.train.steps = 2000
  config.train.batch = 512
  config.train.negatives = 64
  config.train.learning_rate = 5e-3
  return config
