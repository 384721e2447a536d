r"""ComplEx with reciprocal relations on FB15k-237 to width 640: one croppable training against direct ones.

Every run has the softmax loss and the budget of configs/study/fb15k237_complex.py, 2,000 steps of 1,024 triples with
1,024 negatives that the batch shares, and the learning rate, strength of DURA and mutual learning that were chosen
there and in configs/study/fb15k237_complex_4000.py. Nothing is searched.

  python launch.py --mode=study --config=configs/study/fb15k237_reciprocal.py

With four times the steps and one seed, which is what configs/fb15k237/bilinear.py trains; here direct training of
width 10 tries weaker regularisers too, which published models of that width have:

  python launch.py --mode=study --config=configs/study/fb15k237_reciprocal.py:8000
"""

from medjax import config as config_lib
from medjax.experiments import study


def get_config(steps='2000'):
  name, seeds = ('fb15k237-reciprocal', (0, 1)) if steps == '2000' else (f'fb15k237-reciprocal-{steps}', (0,))
  base = config_lib.bilinear(name, 'fb15k237')
  base.model.widths = '10,20,40,80,160,320,640'
  base.train.steps = int(steps)
  arms = {'med': [{'objective.mutual': True}]}
  for width in (10, 20, 40, 80, 160, 320, 640):
    arms[f'direct-{width}'] = [study.named('direct') | {'model.widths': str(width)}]
  if steps != '2000':
    arms['direct-10'] += [arms['direct-10'][0] | {'objective.regularization': strength} for strength in (0.02, 0.005)]
  return study.Study(f'study/{name}', base, arms, seeds=seeds)
