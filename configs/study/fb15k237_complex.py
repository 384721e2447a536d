r"""ComplEx on FB15k-237 to width 640 with the softmax loss: one croppable training against direct ones.

Every run has 2,000 steps of 1,024 triples (7.5 epochs, half of the queries for heads) with 1,024 negatives that
the batch shares. Both sides search the learning rate, of
which the higher was the better one at every width where both were tried.

  python launch.py --mode=study --config=configs/study/fb15k237_complex.py
"""

from medjax import config as config_lib
from medjax.experiments import study


def get_config():
  base = config_lib.Config(name='fb15k237-complex')
  base.data.name = 'fb15k237'
  base.model.score = 'complex'
  base.model.widths = '10,20,40,80,160,320,640'
  base.model.width_scale = 'sqrt'
  base.objective.loss = 'softmax'
  base.objective.mutual = False
  base.objective.dynamic = False
  base.objective.regularizer = 'dura'
  base.objective.narrow_weight = 0.0
  base.train.optimizer = 'adagrad'
  base.train.batch = 1024
  base.train.negatives = 1024
  base.train.share_negatives = 1024
  base.train.steps = 2000
  base.train.narrow_rate = 0.0
  each = {'objective.regularize': 'each'}
  arms = {'med': study.grid(each, train__learning_rate=[0.1, 0.2])}
  # weights that fall with the width: the narrow sub-models own the first numbers, the wide ones the rest
  arms['med'] += study.grid(each | {'train.learning_rate': 0.2}, objective__dynamic=[True], objective__w3=[-5.0])
  arms['med'] += study.grid({'objective.regularize': 'once'}, train__learning_rate=[0.2])
  arms['med'] += study.grid(each | {'train.learning_rate': 0.2}, train__narrow_rate=[0.25])
  arms['med'] += study.grid(each | {'train.learning_rate': 0.2}, objective__regularization=[0.1])
  # the regulariser in the units of each sub-model's scores, and sub-models that learn from the next wider one
  scaled = {'train.learning_rate': 0.2, 'objective.regularize': 'scaled'}
  learning = {'objective.mutual': True, 'objective.mutual_detach': 'wide'}
  arms['med'] += study.grid(scaled, objective__regularization=[0.05, 0.025])
  arms['med'] += study.grid(scaled | learning, objective__mutual_weight=[1.0, 3.0])
  arms['med'] += [scaled | learning | {'objective.mutual_weight': 3.0, 'objective.dynamic': True, 'objective.w3': 1.4}]
  arms['med'] += [scaled | learning | {'objective.mutual_weight': 1.0, 'objective.mutual_detach': 'none'}]
  for width, rates in {10: [0.1, 0.2], 40: [0.1, 0.2], 160: [0.1, 0.2], 640: [0.2]}.items():
    fixed = {'objective.name': 'direct', 'model.widths': str(width)}
    arms[f'direct-{width}'] = study.grid(fixed, train__learning_rate=rates)
  return study.Study('study/fb15k237-complex', base, arms, seeds=(0, 1))
