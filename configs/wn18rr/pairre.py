r"""PairRE on WN18RR: 5 sub-models of widths 10 to 160, each of which takes a pass of its own.

The budget of two CPU cores: 8,000 steps of 512 triples, with what validation chose in
configs/study/scores.py:wn18rr-pairre in a quarter of these steps; docs/results has what was reached there.
Sub-models do not learn from each other: with scores divided by the width's share, PairRE loses by it on this graph.

  python launch.py --config=configs/wn18rr/pairre.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.Config(name='wn18rr-pairre')
  config.data.name = 'wn18rr'
  config.model.score = 'pairre'
  config.model.widths = '10,20,40,80,160'
  config.model.gamma = 6.0
  config.model.gamma_half = 0.0
  config.objective.mutual = False
  config.objective.narrow_weight = 0.0
  config.train.steps = 8000
  config.train.batch = 512
  config.train.negatives = 64
  config.train.learning_rate = 5e-3
  config.train.narrow_rate = 0.0
  return config
