r"""MovieLens-100K: labels of users, films that they like next, and facts about films, by one croppable model.

A fifth of the users is validated on and a fifth tested on for labels, since there are only 943. The files are read
where a person put them, see docs/applications.md.

  python launch.py --mode=application --config=configs/applications/movielens.py
  python launch.py --mode=application --config=configs/applications/movielens.py --config.base.train.steps=1000
"""

from medjax.applications import settings
from medjax.applications.split import Settings


def get_config(data='ml-100k'):
  found = settings.Applications(f'applications/{data}', 'movielens', data)
  found.split = Settings(label_shares=(0.6, 0.2, 0.2))
  found.grid = [
    {'objective.regularization': strength, 'train.learning_rate': rate} for strength in (0.01, 0.05) for rate in (0.1,)
  ]
  found.distilled = ('bkd',)
  found.student = {  # what a student learns by, in the time that a training takes: its steps are slower
    'objective.loss': 'logsigmoid',
    'train.negatives': 128,
    'train.share_negatives': 32,
    'train.weigh_negatives': False,
    'train.sparse_updates': False,
    'train.steps': 1000,
  }
  return found
