r"""The baselines beside MED on any graph, with any score: budgets that fit two cores, 2,000 steps a training.

Graph and score follow the file's name after a colon. All methods, and MED alone:

  python launch.py --mode=compare --config=configs/baselines.py:wn18rr-rotate --widths=160,40,10
  python launch.py --config=configs/baselines.py:fb15k237-transe

The learning rate is 0.8 / width for every direct training, teacher and student: under Adam a score then moves as much
a step at every width. MED's is that of its full width. The margin of each follows its width, see
`config.model.gamma_half`.
"""

from medjax import config as config_lib

GAMMA = {'wn18rr': 6.0, 'umls': 6.0}  # else 7


def get_config(what='wn18rr-rotate'):
  data, _, score = what.rpartition('-')
  config = config_lib.Config(name=f'baselines-{what}')
  config.data.name = data
  config.model.score = score
  config.model.widths = '10,20,40,80,160' if score == 'pairre' else '10:160:10'  # PairRE takes a pass per width
  config.model.gamma = GAMMA.get(data, 7.0)
  if score == 'rotate':
    config.model.phase_scale = 16.0  # a tenth of MED's width, for every student too
  config.distill.rates = 'width'
  config.train.steps = 2000
  config.train.learning_rate = 5e-3
  return config
