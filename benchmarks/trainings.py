"""What benchmarks time: trainings and models as a command's options ask for them, and what they take in memory."""

import pathlib
import runpy
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from medjax import config as config_lib
from medjax import scores
from medjax.core import widths as widths_lib
from medjax.evaluation import evaluator
from medjax.kge import settings as settings_lib
from medjax.kge import task as task_lib
from medjax.training import step as step_lib

MIB = 2**20
CONFIGS = pathlib.Path(__file__).parents[1] / 'configs'
FOREVER = 1_000_000  # steps of the learning rate's decay: a benchmark never comes near its end


class Setup(NamedTuple):
  """A resolved configuration and what it makes."""

  config: Any
  score: Any
  widths: Any


OF_SOFTMAX = {'softmax': 'fb15k237/bilinear.py', 'best': 'best.py'}  # configurations that --objective names


def is_softmax(arguments):
  """Whether the command's objective, if it has one, is a configuration with the softmax loss."""
  return getattr(arguments, 'objective', '') in OF_SOFTMAX


def configuration(name, score):
  """Returns the configuration of a score that an objective of `OF_SOFTMAX` names."""
  config = runpy.run_path(str(CONFIGS / OF_SOFTMAX[name]))['get_config']()
  config.model.score = score
  config.objective.strengths = ''  # nothing is validated that could choose one
  return config


def setup(arguments, objective='med', sub_models='all', **changed):
  """Returns the `Setup` of the arguments, some of them changed.

  Args:
    arguments: of the command.
    objective: 'med' with the paper's mutual learning and dynamic weight, 'default' as a user gets it, or 'direct';
      where `--objective` names a configuration the first two are its own.
    sub_models: those of a step, as in `objective.sub_models`.
    **changed: arguments with other values.
  """
  get = lambda name: changed.get(name, getattr(arguments, name))
  softmax = is_softmax(arguments)
  config = configuration(arguments.objective, get('score')) if softmax else config_lib.Config()
  mechanisms = (
    {
      'objective.mutual': True,
      'objective.mutual_form': 'huber',
      'objective.mutual_weight': 0.1,
      'objective.dynamic': True,
      'train.narrow_rate': 0.0,
    }
    if objective == 'med' and not softmax
    else {}
  )
  for field, value in {
    'model.score': get('score'),
    'model.widths': get('widths'),
    'train.batch': get('batch'),
    'train.negatives': get('negatives'),
    'train.share_negatives': get('share_negatives'),
    'objective.name': 'direct' if objective == 'direct' else 'med',
    'objective.sub_models': sub_models,
    'train.steps': FOREVER,
    **mechanisms,
  }.items():
    config_lib.put(config, field, value)
  config = settings_lib.resolve(config)
  widths = settings_lib.model_widths(config)
  score = scores.make(config.model.score, settings_lib.model_constants(config))
  return Setup(config, score, widths)


def full_width(arguments):
  """The full width as text: the widths of a single model."""
  return str(widths_lib.parse_widths(arguments.widths)[-1])


class Training:
  """A training from random parameters, one dispatch of the loop at a time.

  Attributes:
    state: the state, whose buffers every dispatch takes over (donation, as in the loop).
    compiled: the dispatch as a compiled program.
    compile_seconds: how long it took to trace and compile it.

  """

  def __init__(self, setup, data, value_and_grad=None):
    self.setup = setup
    task = task_lib.make_task(*setup, data)
    if value_and_grad is not None:
      task = task._replace(value_and_grad=value_and_grad)
    self.state, self.data, dispatch = step_lib.prepare(task, setup.config.train)
    begun = time.perf_counter()
    self.compiled = dispatch.lower(self.state, self.data, jnp.int32(1)).compile()
    self.compile_seconds = time.perf_counter() - begun

  @property
  def model(self):
    return self.state.params['model']

  @property
  def temporary_bytes(self):
    """What XLA sets aside for intermediate results, the gradient among them."""
    return getattr(self.compiled.memory_analysis(), 'temp_size_in_bytes', None)

  def seconds(self, steps):
    """Runs one dispatch and returns its seconds per step."""
    begun = time.perf_counter()
    self.state, _, loss = self.compiled(self.state, self.data, jnp.int32(steps))
    jax.block_until_ready((self.state, loss))
    seconds = time.perf_counter() - begun
    if not bool(self.state.ok):
      raise RuntimeError(f'the loss was not finite at step {int(self.state.step)}')
    return seconds / steps


def random_model(setup, data):
  """Returns a model's parameters as the score draws them."""
  return jax.block_until_ready(
    setup.score.init(jax.random.key(0), data.num_entities, data.num_relations, setup.widths.full)
  )


def evaluation_seconds(setup, model, triples, known_triples, batch):
  """Returns the seconds of a filtered evaluation of the triples, tails and heads, under every width."""
  begun = time.perf_counter()
  evaluator.rank_both_sides(setup.score, model, setup.widths, triples, known_triples, batch)
  return time.perf_counter() - begun


def too_big(size):
  """Whether a program that sets aside `size` bytes would not fit the memory that is free now (Linux only)."""
  try:
    lines = pathlib.Path('/proc/meminfo').read_text(encoding='utf-8').splitlines()
  except OSError:
    return False
  free = next((int(line.split()[1]) * 1024 for line in lines if line.startswith('MemAvailable')), None)
  return bool(free) and size is not None and size > 0.9 * free


def table_bytes(tree):
  """Bytes of all arrays of a tree."""
  return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))


def gathered_bytes(model, batch, negatives):
  """Bytes of a batch of gathered embeddings: candidates [B, 1 + K, D], anchors [B, D] and relations [B, D_r]."""
  entity, relation = (
    sum(leaf.shape[-1] * leaf.dtype.itemsize for leaf in model[table].values()) for table in ('entity', 'relation')
  )
  return batch * ((2 + negatives) * entity + relation)
