"""ComplEx on the world graph: 16 sub-models of widths 10 to 160 in about a minute of processor time.

The softmax loss with DURA, as in configs/fb15k237/bilinear.py, whose options serve here with half the batch; on the
validation triples they are better than without DURA at every width. docs/results/quickstart.md has what each width
reaches.

python launch.py
python launch.py --mode=predict --workdir=runs/quickstart --head=France --relation=borders --width=40
"""

from medjax import config as config_lib


def get_config():
  config = config_lib.Config(name='quickstart')
  config.data.name = 'world'
  config.model.score = 'complex_reciprocal'
  config.model.widths = '10:160:10'
  config.model.width_scale = 'sqrt'
  config.objective.loss = 'softmax'
  config.objective.regularizer = 'dura'
  config.objective.regularization = 0.05
  config.objective.mutual_weight = 3.0
  config.objective.mutual_detach = 'wide'
  config.objective.narrow_weight = 0.0
  config.train.optimizer = 'adagrad'
  config.train.learning_rate = 0.2
  config.train.narrow_rate = 0.0
  config.train.batch = config.train.negatives = config.train.share_negatives = 512
  config.train.steps = 2000
  config.eval.every = 500
  return config
