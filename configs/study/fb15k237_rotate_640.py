r"""RotatE on FB15k-237 to width 640: 64 sub-models in one training against direct training.

Every run has 2,000 steps of 512 triples with 64 negatives each. Direct training searches the margin gamma and the
learning rate of every width: a narrow model wants a smaller margin, and a rate near 0.1 to 0.2 times
(gamma + 2) / width. The croppable model, whose margins fall as direct training's do on this graph, searches how its
rates rise towards the first components, how much its narrow sub-models learn from the wider ones, and how fast its
phases turn. The mean validation MRR of the seven widths of direct training decides.

  python launch.py --mode=study --config=configs/study/fb15k237_rotate_640.py

Beside it, with one seed: the croppable model with as many seconds as the seven direct trainings have together, with
their seven widths alone, and the paper's literal objective, at two rates, with the steps of one.

  python launch.py --mode=study --config=configs/study/fb15k237_rotate_640.py:beside
"""

from medjax import config as config_lib
from medjax.experiments import study

DIRECT = {  # gamma: learning rates
  10: {1.0: [0.03, 0.06], 2.0: [0.04]},
  20: {2.0: [0.015, 0.03], 3.0: [0.03]},
  40: {3.0: [0.015], 4.0: [0.015], 5.0: [0.02]},
  80: {5.0: [7.5e-3, 0.01], 6.0: [0.01]},
  160: {6.0: [5e-3], 7.0: [5e-3]},
  320: {6.0: [2.5e-3], 7.0: [2.5e-3]},
  640: {7.0: [1.25e-3], 8.0: [1.25e-3]},
}
# narrow sub-models learn from wider ones, with a weight that grows as their own loss's does; phases turn half as fast
LEARNING = {'train.narrow_rate': 0.12, 'objective.mutual_power': 2.0, 'objective.mutual_detach': 'wide'}
CHOSEN = LEARNING | {'model.phase_scale': 32.0}


def get_config(what=''):
  base = config_lib.Config(name='fb15k237-rotate-640')
  base.data.name = 'fb15k237'
  base.model.score = 'rotate'
  base.model.widths = '10:640:10'
  base.model.gamma = 7.0
  base.model.gamma_half, base.model.gamma_power = 40.0, 1.0
  base.train.steps = 2000
  base.train.learning_rate = 1.25e-3
  if what == 'beside':
    arms = {
      'med, the seconds of seven': [CHOSEN | {'train.steps': 3500}],
      'med, seven sub-models': [CHOSEN | {'model.widths': '10,20,40,80,160,320,640'}],
      'paper': study.grid(study.named('paper') | {'model.gamma': 9.0}, train__learning_rate=[1.25e-3, 3e-4]),
    }
    return study.Study('study/fb15k237-rotate-640-beside', base, arms, seeds=(0,), widths=tuple(DIRECT))
  arms = {'med': study.grid(train__narrow_rate=[0.12, 0.2])}
  arms['med'] += [LEARNING, CHOSEN]
  for width, margins in DIRECT.items():
    arms[f'direct-{width}'] = study.direct(width, margins)
  return study.Study('study/fb15k237-rotate-640', base, arms, seeds=(0, 1), widths=tuple(DIRECT))
