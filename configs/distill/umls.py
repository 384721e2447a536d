r"""RotatE on UMLS by distillation: a teacher trained directly, and students of narrower widths, 2,000 steps each.

Learning rates grow as widths fall: under Adam a score then moves as much a step at every width. All have one margin.
The method is 'bkd', 'ta', 'dualde' or 'iterde':

  python launch.py --config=configs/distill/umls.py --mode=distill --config.distill.method=ta --widths=160,80,40,20,10
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.Config(name='umls-baselines')
  config.data.name = 'umls'
  config.model.score = 'rotate'
  config.model.widths = '160'
  config.model.gamma_half = 0.0
  config.model.phase_scale = 16.0  # the same for all, whatever their learning rate
  config.objective.name = 'direct'
  config.distill.rates = 'width'
  config.train.steps = 2000
  config.train.learning_rate = 5e-3
  config.train.filter_negatives = True
  return config
