r"""ComplEx on FB15k-237 with the softmax loss and DURA: 7 sub-models of widths 10 to 640.

The learning rate, the strength and the mutual learning are what validation chose in configs/study/fb15k237_complex.py,
where the budget is a quarter of this one (2,000 steps); docs/results.md has what both reached, and in how many minutes
of a CPU.

  python launch.py --config=configs/fb15k237/complex.py
"""
from medjax import config as config_lib


def get_config():
  config = config_lib.Config(name='fb15k237-complex')
  config.data.name = 'fb15k237'
  config.model.score = 'complex'
  config.model.widths = '10,20,40,80,160,320,640'
  config.model.width_scale = 'sqrt'
  config.objective.loss = 'softmax'
  config.objective.regularizer = 'dura'
  config.objective.regularization = 0.05
  config.objective.mutual_weight = 3.0
  config.objective.mutual_detach = 'wide'
  config.objective.narrow_weight = 0.0
  config.train.optimizer = 'adagrad'
  config.train.learning_rate = 0.2
  config.train.narrow_rate = 0.0
  config.train.batch = 1024
  config.train.negatives = 1024
  config.train.share_negatives = 1024
  config.train.steps = 8000
  return config
