"""Every score on UMLS (135 entities): 8 sub-models of widths 10 to 80, a minute or less on 2 cores.

The score follows the file's name after a colon:

  python launch.py --config=configs/umls.py:complex
"""

from medjax import config as config_lib


def get_config(score='rotate'):
  config = config_lib.Config(name=f'umls-{score}')
  config.data.name = 'umls'
  config.model.score = score
  config.model.widths = '10:80:10'
  config.train.steps = 2000
  config.train.learning_rate = 1e-2
  config.train.filter_negatives = True
  return config
