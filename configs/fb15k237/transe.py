r"""TransE (L1) on FB15k-237: 64 sub-models of widths 10 to 640.

The budget of two CPU cores: 8,000 steps of 512 triples (15 epochs), with what validation chose to width 160 in
configs/study/scores.py:fb15k237-transe in a quarter of these steps; docs/results has what was reached there.

  python launch.py --config=configs/fb15k237/transe.py
  python launch.py --config=configs/fb15k237/transe.py --config.model.widths=10:160:10 \
      --config.train.learning_rate=5e-3 --workdir=runs/fb15k237-transe-160
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.Config(name='fb15k237-transe')
  config.data.name = 'fb15k237'
  config.model.score = 'transe'
  config.model.widths = '10:640:10'
  config.model.gamma = 7.0
  config.train.steps = 8000
  config.train.batch = 512
  config.train.negatives = 64
  config.train.learning_rate = 1.25e-3
  config.train.narrow_rate = 0.0
  return config
