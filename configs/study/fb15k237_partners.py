r"""What a sub-model gains and loses by others in its training: width 40 of RotatE on FB15k-237, 2,000 steps each.

Width 40 alone, with a wider one, with narrower ones, and with both; margins, learning rates and weights of width 40 are
the same in all. The learning rate falls with the full width, as the size of its embeddings does.

  python launch.py --mode=study --config=configs/study/fb15k237_partners.py
"""
from medjax import config as config_lib
from medjax import study

PARTNERS = ('40', '40,80', '40,160', '20,40', '10,40', '10,20,30,40', '10,20,30,40,80', '10,20,30,40,160')


def get_config():
  base = config_lib.Config(name='fb15k237-partners')
  base.data.name = 'fb15k237'
  base.model.score = 'rotate'
  base.model.gamma = 4.5
  base.objective.mutual = False
  base.train.steps = 2000
  base.train.narrow_rate = 0.0
  arms = {}
  for widths in PARTNERS:
    rate = 0.6 / int(widths.rpartition(',')[2])
    arms[widths] = [{'model.widths': widths, 'train.learning_rate': rate}]
  return study.Study('study/fb15k237-partners', base, arms, seeds=(0, 1, 2))
