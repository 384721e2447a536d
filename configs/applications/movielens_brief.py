r"""MovieLens-100K as in movielens.py, but briefly: one seed, 1,000 steps a training, no search and no extraction.

python launch.py --mode=application --config=configs/applications/movielens_brief.py
"""

from medjax.applications import settings
from medjax.applications.split import Settings


def get_config(data='ml-100k'):
  found = settings.Applications(f'applications/{data}-brief', 'movielens', data)
  found.split = Settings(label_shares=(0.6, 0.2, 0.2))
  found.seeds, found.extracted = (0,), ()
  found.base.train.steps = 1000
  found.base.train.checkpoint_every = 500
  return found
