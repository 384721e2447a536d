r"""RotatE on WN18RR to width 640: 64 sub-models in one training against direct training.

Every run has 4,000 steps of 512 triples with 64 negatives each. Direct training searches the margin gamma and the
learning rate of every width: a narrow model wants a smaller margin, and a rate near 0.1 to 0.2 times
(gamma + 2) / width. The croppable model searches its rate and how that rises towards the first components. The mean
validation MRR of the seven widths of direct training decides.

  python launch.py --mode=study --config=configs/study/wn18rr_rotate_640.py

Beside it, with one seed: the croppable model with about as many seconds as the seven direct trainings have together,
in more steps or with more negatives. (The paper's literal objective is in configs/study/wn18rr_ablation.py.)

  python launch.py --mode=study --config=configs/study/wn18rr_rotate_640.py:beside
"""

from medjax import config as config_lib
from medjax.experiments import study

DIRECT = {  # gamma: learning rates
  10: {1.0: [0.03, 0.06], 1.5: [0.06]},
  20: {2.0: [0.03], 3.0: [0.03, 0.045]},
  40: {4.0: [0.015, 0.02], 5.0: [0.02]},
  80: {4.0: [0.01], 5.0: [0.01]},
  160: {4.0: [5e-3], 5.0: [5e-3]},
  320: {5.0: [2.5e-3]},
  640: {5.0: [1.25e-3]},
}


def get_config(what=''):
  base = config_lib.Config(name='wn18rr-rotate-640')
  base.data.name = 'wn18rr'
  base.model.score = 'rotate'
  base.model.widths = '10:640:10'
  base.model.gamma = 5.0
  base.train.steps = 4000
  base.train.learning_rate = 1.25e-3
  if what == 'beside':
    arms = {
      'med, the seconds of seven': [
        {'train.narrow_rate': 0.12, 'train.steps': 7000},
        {'train.narrow_rate': 0.12, 'train.negatives': 160},
      ]
    }
    return study.Study('study/wn18rr-rotate-640-beside', base, arms, seeds=(0,), widths=tuple(DIRECT))
  arms = {'med': study.grid(train__narrow_rate=[0.12, 0.25])}
  arms['med'] += [{'train.narrow_rate': 0.22, 'train.learning_rate': 1e-3}]
  for width, margins in DIRECT.items():
    arms[f'direct-{width}'] = study.direct(width, margins)
  return study.Study('study/wn18rr-rotate-640', base, arms, seeds=(0, 1), widths=tuple(DIRECT))
