r"""How strong the regulariser of four sub-models is to be, and from which width on all of it counts.

The settings of configs/best.py with fewer candidates or steps; the name of the graph follows a colon, fb15k237 or
wn18rr.

  python launch.py --mode=study --config=configs/study/strengths.py
  python launch.py --mode=study --config=configs/study/strengths.py:wn18rr
"""

from medjax import config as config_lib
from medjax.experiments import study

SIZES = {'fb15k237': (1024, 8000), 'wn18rr': (2048, 10000)}  # candidates, steps
POINTS = {  # (strength, power, the width from which on it is whole; 0: the full one)
  'fb15k237': [(0.07, 0.4, 0), (0.07, 0.8, 160)],
  'wn18rr': [(0.1, 0.4, 0), (0.2, 0.4, 0), (0.2, 1.5, 50)],
}


def get_config(data='fb15k237'):
  negatives, steps = SIZES[data]
  base = config_lib.for_all_entities(config_lib.bilinear(f'strengths-{data}', data, batch=256), negatives)
  base.model.widths = '10,40,160,640'
  base.train.steps = steps
  names = [f'objective.regularization{part}' for part in ('', '_power', '_width')]
  points = [dict(zip(names, point)) for point in POINTS[data]]
  return study.Study(f'study/strengths-{data}', base, {'med': points}, seeds=(0,))
