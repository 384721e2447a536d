r"""RotatE on FB15k-237: 64 sub-models of widths 10 to 640.

The budget of two CPU cores: 8,000 steps of 512 triples (15 epochs), with what validation chose in
configs/study/fb15k237_rotate_640.py in a quarter of these steps; docs/results has what was reached there.

  python launch.py --config=configs/fb15k237/rotate.py
  python launch.py --config=configs/fb15k237/rotate.py --config.model.widths=10:160:10 \
      --config.model.phase_scale=8 --config.train.learning_rate=5e-3 --workdir=runs/fb15k237-rotate-160
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.Config(name='fb15k237-rotate')
  config.data.name = 'fb15k237'
  config.model.score = 'rotate'
  config.model.widths = '10:640:10'
  config.model.gamma = 7.0
  config.model.gamma_half, config.model.gamma_power = 40.0, 1.0
  config.model.phase_scale = 32.0
  config.objective.mutual_power, config.objective.mutual_detach = 2.0, 'wide'
  config.train.steps = 8000
  config.train.batch = 512
  config.train.negatives = 64
  config.train.learning_rate = 1.25e-3
  config.train.narrow_rate = 0.12
  return config
