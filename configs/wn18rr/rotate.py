r"""RotatE on WN18RR: 64 sub-models of widths 10 to 640.

The paper's row: MRR .324 / .466 / .471 / .476 at 10 / 40 / 160 / 640 (batch 1024, up to 3000 epochs). This
file is the budget of two CPU cores, 8,000 steps of 512 triples (47 epochs), with the rates that validation chose in
configs/study/wn18rr_rotate_640.py in half of these steps; docs/results has what was reached there.

  python launch.py --config=configs/wn18rr/rotate.py
  python launch.py --config=configs/wn18rr/rotate.py --config.model.widths=10:160:10 \
      --config.train.learning_rate=5e-3 --workdir=runs/wn18rr-160

One width trained directly, in the same budget. A narrow one wants a smaller margin, 1 at width 10 and 4 at 40, and
every width a learning rate near 0.1 to 0.2 times (gamma + 2) / width:

  python launch.py --config=configs/wn18rr/rotate.py --config.objective.name=direct --config.model.widths=160 \
      --config.train.narrow_rate=0 --config.train.learning_rate=5e-3 --workdir=runs/wn18rr-direct-160
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.Config(name='wn18rr-rotate')
  config.data.name = 'wn18rr'
  config.model.score = 'rotate'
  config.model.widths = '10:640:10'
  config.model.gamma = 5.0
  config.train.steps = 8000
  config.train.batch = 512
  config.train.negatives = 64
  config.train.learning_rate = 1.25e-3
  config.train.narrow_rate = 0.12
  return config
