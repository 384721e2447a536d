r"""Any data set in RecBole's atomic files: labels of users, items that they like next, and facts about items.

Its folder, or its name below $MEDJAX_DATA_ROOT, follows the file's name after a colon.

  python launch.py --mode=application --config=configs/applications/recbole.py:ml-100k
"""

import pathlib

from medjax.applications import settings


def get_config(data='ml-100k'):
  found = settings.Applications(f'applications/recbole-{pathlib.Path(data).name}', 'recbole', data)
  found.grid = [{'objective.regularization': strength} for strength in (0.01, 0.05)]
  return found
