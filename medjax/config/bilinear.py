"""What the configurations of bilinear scores have in common."""

from medjax.config.fields import Config


def bilinear(name: str, data: str = '', score: str = 'complex_reciprocal', batch: int = 1024) -> Config:
  """Returns the `Config` of 64 sub-models under the softmax loss with DURA, each learning from the next wider one.

  Args:
    name: of the run.
    data: the name of a graph, if it has one.
    score: of ComplEx with reciprocal relations, or another bilinear one.
    batch: positives per step, with as many negatives that they share.
  """
  config = Config(name=name)
  config.data.name = data or config.data.name
  config.model.score = score
  config.model.widths = '10:640:10'
  config.model.width_scale = 'sqrt'
  config.objective.loss = 'softmax'
  config.objective.regularizer = 'dura'
  config.objective.mutual_weight = 3.0
  config.objective.mutual_detach = 'wide'
  config.objective.narrow_weight = 0.0
  config.train.optimizer = 'adagrad'
  config.train.learning_rate = 0.2
  config.train.narrow_rate = 0.0
  config.train.batch = config.train.negatives = config.train.share_negatives = batch
  return config


def for_all_entities(config: Config, negatives: int) -> Config:
  """Has so many negatives, drawn by the root of how often they answer, count as all entities; returns the `Config`."""
  config.train.negatives = negatives
  config.train.negative_power, config.train.weigh_negatives = 0.5, True
  config.train.sparse_updates = True
  return config


def best(name: str, data: str = '', choose: bool = False) -> Config:
  """Returns the `Config` of ComplEx that was best on the graphs that were tried, as configs/best.py tells.

  Args:
    name: of the run.
    data: the name of a graph, if it has one.
    choose: whether short trainings choose the strength of the regulariser, which is 0.05 where nothing is held out.
  """
  config = for_all_entities(bilinear(name, data, batch=256), negatives=2048)
  config.objective.regularizer = 'n3'
  config.objective.regularization = 0.05
  config.objective.regularization_power = 2.0
  config.objective.regularization_width = 50
  config.objective.sub_models = 'ladder:8'
  config.objective.strengths = '0.003,0.01,0.02,0.03,0.05' if choose else ''
  config.train.learning_rate = 0.4
  config.train.steps = 20000
  return config


def under_dura(config: Config) -> Config:
  """Has DURA regularise in place of N3, weaker below width 160; returns the `Config`."""
  config.objective.regularizer = 'dura'
  config.objective.regularization = 0.07
  config.objective.regularization_power = 0.8
  config.objective.regularization_width = 160
  return config
