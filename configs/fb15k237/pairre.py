r"""PairRE on FB15k-237: 5 sub-models of widths 10 to 160, each of which takes a pass of its own.

The budget of two CPU cores: 8,000 steps of 512 triples, with what validation chose in
configs/study/scores.py:fb15k237-pairre in a quarter of these steps; docs/results has what was reached there.
Published PairRE of width 1500 reaches an MRR of .351.

  python launch.py --config=configs/fb15k237/pairre.py
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.Config(name='fb15k237-pairre')
  config.data.name = 'fb15k237'
  config.model.score = 'pairre'
  config.model.widths = '10,20,40,80,160'
  config.model.gamma = 9.0
  config.model.gamma_half = 0.0
  config.model.width_scale = 'sqrt'
  config.objective.mutual_detach = 'wide'
  config.objective.narrow_weight = 0.0
  config.train.steps = 8000
  config.train.batch = 512
  config.train.negatives = 64
  config.train.learning_rate = 0.01
  config.train.narrow_rate = 0.0
  return config
