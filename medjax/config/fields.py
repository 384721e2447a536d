"""The configuration of a run: typed dataclasses, every default documented where it stands.

`Config` is what a file in `configs/` returns and what `--config.section.field=value` overrides.
Widths are written as text, "10:640:10" (first:last:step) or "10,40,160,640".
"""

import dataclasses


@dataclasses.dataclass(slots=True)
class DataConfig:
  """The graph."""

  name: str = 'world'  # a registered graph, see medjax.data.datasets.REGISTRY
  path: str = ''  # your own data instead: a folder with train/valid/test, one file to split, a prepared graph
  root: str = ''  # a folder of local copies of registered graphs; '' = $MEDJAX_DATA_ROOT, then the cache
  cache: str = ''  # where downloads are kept; '' = the user's cache folder
  max_bytes: float = 0.0  # that a packed file may unpack to, or a download bring; 0 = a hundred times the packed size
  columns: str = 'hrt'  # order of head, relation, tail in the files, where no header tells another; or their columns
  # by name or number: 'subject,predicate,object', '2,3,4'
  header: str = 'auto'  # the first line is a header: 'yes', 'no', or 'auto' (a line such as head,relation,tail)
  comments: str = 'auto'  # lines that begin with '#': 'auto' skips those that are no triple, 'no' none
  split: str = '0.8,0.1,0.1'  # shares of train, valid, test when `path` is one file; '1,0,0' trains on everything
  split_seed: int = 0  # the split is a function of the file and this number


@dataclasses.dataclass(slots=True)
class ModelConfig:
  """The score, its widths and their margins."""

  score: str = 'rotate'  # transe, transe_l2, rotate, pairre, simple, distmult, complex; distmult_reciprocal and
  # complex_reciprocal: each relation has another embedding for queries for heads
  widths: str = '10:640:10'  # the sub-models; the last one is the full model
  gamma: float = 6.0  # margin of the distance scores, of a wide model; the bilinear scores have none
  width_scale: str = 'linear'  # score_i = gamma_i + scale_i * s_i: 'linear' d_n/d_i, 'sqrt', 'none' (the paper)
  width_gamma: str = 'shared'  # gamma_i: 'shared' gamma (the paper), 'linear' gamma * d_i/d_n, 'learned' from gamma
  gamma_half: float = 15.0  # c: width d is trained as if it had the margin gamma / (1 + (c/d)^q), half at d = c;
  # 0 is the paper
  gamma_power: float = 2.0  # q: how steeply
  phase_scale: float = 0.0  # of RotatE: radians in a unit of the stored phases; 0 = the full width / 10, which suits
  # learning rates that fall as 1 / width


@dataclasses.dataclass(slots=True)
class ObjectiveConfig:
  """What sub-models learn, and from which others."""

  name: str = 'med'  # 'med', 'paper' (the paper's literal reading), 'direct' (no mechanism: one width alone)
  mutual: bool = True  # mutual learning between neighbouring widths
  mutual_weight: float = 1.0  # its weight against the losses of the widths
  mutual_power: float = 0.0  # p: the pair of M_{i-1} and M_i weighs (d_n/d_i)^p times as much; 0 = all the same
  mutual_form: str = 'divergence'  # 'divergence' of softmaxes over the candidates, the only one under the softmax loss;
  # 'huber' distance of scores (the paper)
  mutual_reduction: str = 'mean'  # of Huber's distance, over triples: 'mean', or 'sum' (the paper)
  mutual_detach: str = 'none'  # the side that does not learn from the other: 'none' (the paper), 'narrow', 'wide'
  evolutionary: bool = False  # weigh triples by what the next narrower width gets wrong
  difficulty: str = 'sigmoid'  # of a score: 'sigmoid' (bounded), 'score' (-s), 'inverse' (1/s, the paper)
  weigh_over: str = 'positive'  # negatives compete within their 'positive', or within the 'batch' (the paper)
  adversarial_temperature: float = 1.0  # self-adversarial weight of negatives; 0 = none (the paper)
  dynamic: bool = False  # weigh width i by exp(w3 * d_i/d_n)
  narrow_weight: float = 2.0  # p: weigh width i by (d_n/d_i)^p besides; 0 is the paper
  w1: float = 1.0  # strength of the weights of positives
  w2: float = 1.0  # strength of the weights of negatives
  w3: float = 1.0  # strength of the dynamic loss weight
  weights: str = 'fixed'  # w1, w2, w3: 'fixed', 'learned' by descent (the paper), 'adversarial' (w1, w2 by
  # ascent, w3 by descent on an uncertainty-style loss; all kept in [0, 5])
  loss: str = 'logsigmoid'  # of a sub-model: 'logsigmoid' (binary, self-adversarial), or 'softmax' over candidates
  regularizer: str = 'none'  # of the bilinear scores: 'none', 'n3' or 'dura'
  regularization: float = 0.05  # its weight
  strengths: str = ''  # weights, such as '0.02,0.07', of which short trainings choose that one before a run; '': none
  regularization_power: float = 0.0  # q: in width i times (d_i/d_r)^q, less at narrow widths
  regularization_width: int = 0  # d_r: the width from which on all of it counts; 0: the full width
  regularize: str = 'scaled'  # a component counts 'once', or in 'each' sub-model that has it, or there 'scaled' by
  # the factor of that sub-model's scores
  sub_models: str = 'all'  # trained per step: 'all', or the narrowest, the widest and K-2 between from a random place
  # on: 'sandwich:K' evenly spaced, 'ladder:K' growing by the same factor; all where there are no more than K


@dataclasses.dataclass(slots=True)
class DistillConfig:
  """A student of a trained teacher."""

  method: str = ''  # '' none, 'bkd', 'ta', 'dualde', 'iterde': under objective.name 'direct' with one width
  teacher: str = ''  # the teacher's folder: a run, or a cropped or extracted model; it may move
  teacher_hash: str = ''  # of its weights; filled in when the run begins, and compared when it goes on
  teacher_width: int = 0  # filled in too
  weight: float = 0.5  # of the soft loss: bkd and ta (1 - weight) hard + weight soft, iterde hard + weight soft
  temperature: float = 1.0  # softens both distributions of bkd and ta
  schedule: str = 'product'  # iterde's weight: 'product' (the authors' code), 'linear' from 0, 'constant'
  first_stage: float = 0.5  # share of the steps in which dualde's teacher is fixed; it is trained after them
  structure: bool = True  # dualde also compares angles and lengths of embeddings
  rates: str = 'shared'  # --mode=distill: learning rate of a link: 'shared', or 'width': times widest / its width


@dataclasses.dataclass(slots=True)
class TrainConfig:
  """Batches, negatives, the optimizer, and how often something is saved."""

  steps: int = 8000  # updates of the parameters, a batch each
  batch: int = 512  # positives per step; half of them corrupt the tail, half the head
  negatives: int = 64  # corrupted triples per positive; 0 = all other entities (1-vs-all), for the softmax loss
  share_negatives: int = 1  # positives that share one set of negatives; 1 = each has its own
  negative_power: float = 0.0  # p: entities are drawn as negatives by (1 + queries that they answer)^p; 0 = all alike
  weigh_negatives: bool = False  # softmax: the negatives count as if they were all entities, by how often each is
  # drawn; and they are all entities where there are no more than that
  filter_negatives: bool = False  # leave out corrupted triples that are known to be true
  optimizer: str = 'adam'  # 'adam', or 'adagrad'
  learning_rate: float = 5e-3  # of the first step
  narrow_rate: float = 0.25  # p: components of width d, and of no narrower one, learn (d_n/d)^p times as fast
  decay: str = 'linear'  # to zero at the last step, or 'constant'
  steps_per_dispatch: int = 50  # steps handed to the device at once; Ctrl-C waits for them
  seed: int = 0  # of the first parameters, batches and negatives
  log_every: int = 100  # steps between lines of metrics
  tracker: str = 'tensorboard'  # what else is told the metrics: 'tensorboard', 'wandb', 'mlflow', 'module:function' (a
  # function of step and {name: number}), or several with commas; '' = nothing but metrics.jsonl
  checkpoint_every: int = 1000  # steps between checkpoints
  keep: int = 2  # how many of the latest checkpoints stay, besides the best
  sparse_updates: bool = False  # update only rows that a batch touches, and only their moments: another algorithm
  # than dense Adam, for big tables
  init_from: str = ''  # a run, cropped or imported model whose rows training starts from, by identifier; '' = none


@dataclasses.dataclass(slots=True)
class ParallelConfig:
  """Where a training lies."""

  mode: str = 'jit'  # 'jit': one device; 'pmap': tables on every device of this process, the batch split;
  # 'mesh': data x width devices, each with a share of the batch and of the tables' columns
  data: int = 1  # mesh: shares of the batch
  width: int = 0  # mesh: shares of the dimensions; 0 = the devices that `data` leaves
  distributed: bool = False  # processes on several hosts, each started with the same command; needs 'mesh'


@dataclasses.dataclass(slots=True)
class EvalConfig:
  """Validation and evaluation."""

  every: int = 0  # steps between validations; 0 = none
  widths: str = 'all'  # whose mean validation MRR decides: 'all' or a list of trained widths
  patience: int = 0  # validations without a better mean MRR before stopping; 0 = never stop early
  valid_triples: int = 2000  # validate on a fixed sample of at most this many triples; 0 = all of them
  unseen: str = 'rank'  # test triples naming an entity unseen in training: 'rank' them too, or 'skip' them
  batch: int = 256  # queries ranked at once: the memory of an evaluation
  candidates: int = 0  # rank answers among all entities (0), N drawn ones (N), or those of ogbl-wikikg2 (-1)
  extra_widths: str = ''  # untrained widths to report besides the trained ones


@dataclasses.dataclass(slots=True)
class Config:
  """A run."""

  name: str = 'run'  # the default workdir is runs/<name>
  data: DataConfig = dataclasses.field(default_factory=DataConfig)
  model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
  objective: ObjectiveConfig = dataclasses.field(default_factory=ObjectiveConfig)
  distill: DistillConfig = dataclasses.field(default_factory=DistillConfig)
  train: TrainConfig = dataclasses.field(default_factory=TrainConfig)
  eval: EvalConfig = dataclasses.field(default_factory=EvalConfig)
  parallel: ParallelConfig = dataclasses.field(default_factory=ParallelConfig)
