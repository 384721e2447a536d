r"""TransE on FB15k-237 to width 160: learning rates by width and mutual learning, against direct training.

Every run has 2,000 steps of 512 triples with 64 negatives each. Learning rates of direct training are searched around
0.8 / width, like those of the croppable model's full width.

  python launch.py --mode=study --config=configs/study/fb15k237_transe.py
"""
from medjax import config as config_lib
from medjax import study


def get_config():
  base = config_lib.Config(name='fb15k237-transe-rates')
  base.data.name = 'fb15k237'
  base.model.score = 'transe'
  base.model.widths = '10:160:10'
  base.model.gamma = 9.0
  base.objective.mutual = False
  base.model.gamma_half = base.objective.narrow_weight = 0.0
  base.train.steps = 2000
  arms = {'med': study.grid({'train.learning_rate': 5e-3}, train__narrow_rate=[0.0, 0.25, 0.5, 0.75, 1.0])}
  learning = {'train.learning_rate': 5e-3, 'train.narrow_rate': 0.0, 'objective.mutual': True,
              'objective.mutual_form': 'divergence'}
  arms['med'] += study.grid(learning, objective__mutual_detach=['none'], objective__mutual_weight=[1.0])
  arms['med'] += study.grid(learning, objective__mutual_detach=['wide'], objective__mutual_weight=[1.0, 2.0])
  for width in (10, 40, 160):
    fixed = {'objective.name': 'direct', 'model.widths': str(width), 'train.narrow_rate': 0.0}
    rates = [factor / width for factor in (0.2, 0.4, 0.8, 1.6)]
    arms[f'direct-{width}'] = study.grid(fixed, train__learning_rate=rates)
  return study.Study('study/fb15k237-transe-rates', base, arms, seeds=(0,))
