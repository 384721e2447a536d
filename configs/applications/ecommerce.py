r"""A synthetic shop: labels of users, what they buy next, and facts about items, by one croppable model.

The number of users follows the file's name after a colon.

  python launch.py --mode=application --config=configs/applications/ecommerce.py
  python launch.py --mode=application --config=configs/applications/ecommerce.py:5000 --workdir=runs/small-shop
"""

from medjax.applications import settings


def get_config(users='20000'):
  found = settings.Applications(f'applications/ecommerce-{users}', 'market', users)
  found.grid = [{'objective.regularization': strength} for strength in (0.01, 0.05)]
  return found
