"""What the benchmarks share: options, graphs, setups, interleaved rounds, tables and saved outputs."""

import argparse
import json
import os
import pathlib
import re
import runpy
import shlex
import statistics
import sys
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from medjax import config as config_lib
from medjax import scores
from medjax.core import runtime
from medjax.core import widths as widths_lib
from medjax.data import datasets
from medjax.evaluation import evaluator
from medjax.kge import settings as settings_lib
from medjax.kge import task as task_lib
from medjax.report import cost
from medjax.training import step as step_lib

MIB = 2**20
PATHS = {'--peer-python': 'PATH', '--workdir': 'RUNS', '--model': 'FOLDER'}  # options whose value is not told
CONFIGS = pathlib.Path(__file__).parents[1] / 'configs'
SHAPE = ('score', 'dataset', 'widths', 'batch', 'negatives', 'share_negatives', 'rounds')  # in every result
FOREVER = 1_000_000  # steps of the learning rate's decay: a benchmark never comes near its end


class Data(NamedTuple):
  """Triples as ids, int32 [M, 3] each; a graph without names, so that millions of entities cost nothing."""

  name: str
  train: np.ndarray
  valid: np.ndarray
  test: np.ndarray
  num_entities: int
  num_relations: int

  @property
  def triples(self):
    return np.concatenate([self.train, self.valid, self.test])


class Setup(NamedTuple):
  """A resolved configuration and what it makes."""

  config: Any
  score: Any
  widths: Any


def parser(command, documentation):
  """Returns the options that every command takes."""
  result = argparse.ArgumentParser(
    f'python -m benchmarks.{command}',
    description=documentation.split('\n')[0],
    allow_abbrev=False,
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  result.add_argument('--score', default='transe', help=', '.join(scores.REGISTRY))
  result.add_argument(
    '--dataset', default='fb15k237', help='a registered graph, or synthetic:ENTITIES:RELATIONS:TRIPLES'
  )
  result.add_argument('--widths', default='10:640:10', help='the sub-models; the last one is the full model')
  result.add_argument('--batch', type=int, default=512, help='positives per step')
  result.add_argument('--negatives', type=int, default=64, help='corrupted triples per positive')
  result.add_argument('--share-negatives', type=positive, default=1, help='positives that share a set of negatives')
  result.add_argument('--rounds', type=positive, default=5, help='times that every row is measured, in turn')
  result.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  result.add_argument('--name', default='', help='name of the saved files; COMMAND-SCORE-DATASET if not given')
  return result


def add_objective(options):
  """Adds the choice of the objective, whose own batch and negatives then hold unless the command says others."""
  options.add_argument(
    '--objective',
    default='logsigmoid',
    choices=('logsigmoid', 'softmax'),
    help='logsigmoid, or what configs/fb15k237/bilinear.py trains with',
  )


def add_peer(options):
  """Adds the options of a comparison with PyKEEN."""
  options.add_argument('--peer-python', default='', help='a Python that has PyKEEN and PyTorch; none = leave it out')
  options.add_argument(
    '--peer-plain', action='store_true', help="start the peer without this process's allocator setting (GLIBC_TUNABLES)"
  )


def positive(text):
  """An int of at least 1."""
  number = int(text)
  if number < 1:
    raise argparse.ArgumentTypeError(f'{text} is not at least 1')
  return number


def numbers(text):
  """The ints of a list such as 1,4,16; none of an empty text."""
  return [positive(part) for part in text.split(',') if part]


def run(options, measure, argv=None, cached=True):
  """Parses the options, measures, prints and saves; a mistake ends with one line and exit code 2.

  Args:
    options: the `ArgumentParser`.
    measure: (arguments, data) -> (text, result dict).
    argv: the arguments after the command's name.
    cached: whether compiled programs are kept between runs; then seconds of compilation mean nothing.

  Returns:
    The result, as in the JSON line.
  """
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = options.parse_args(argv)
  if getattr(arguments, 'objective', '') == 'softmax':
    train = bilinear(arguments.score).train
    options.set_defaults(**{name: getattr(train, name) for name in ('batch', 'negatives', 'share_negatives')})
    arguments = options.parse_args(argv)
  if cached:
    runtime.cache_compilations()
  load = round(os.getloadavg()[0], 2) if hasattr(os, 'getloadavg') else None  # a busy machine is to be seen
  try:
    scores.check_name(arguments.score)
    setup(arguments)
    text, result = measure(arguments, load_data(arguments.dataset))
  except ValueError as error:  # those of configurations, widths, graphs and peers are ValueErrors
    print(f'error: {error}', file=sys.stderr)
    sys.exit(2)
  shape = {name: getattr(arguments, name) for name in SHAPE}
  return publish(options.prog.split('.')[-1], argv, arguments, text, shape | result, load)


def conclude(command, argv, arguments, measure, name):
  """Measures (arguments -> (text, result)) and publishes; a mistake ends with one line and exit code 2.

  For commands that do not take the options of `parser`. `name` is that of the saved files if none is given.
  """
  load = round(os.getloadavg()[0], 2) if hasattr(os, 'getloadavg') else None
  try:
    text, result = measure(arguments)
  except ValueError as error:
    print(f'error: {error}', file=sys.stderr)
    sys.exit(2)
  arguments.name = arguments.name or name
  return publish(command, argv, arguments, text, result, load)


def publish(command, argv, arguments, text, result, load):
  """Prints and saves what a command measured, with the hardware and the load before; returns the result."""
  result = (
    {'benchmark': command, 'command': command_line(command, argv)}
    | result
    | {
      'hardware': cost.hardware(),
      'jax': jax.__version__,
      'load_average_before': load,
      'tunables': os.environ.get('GLIBC_TUNABLES', ''),
    }
  )
  text = f'$ {result["command"]}\n{text.rstrip()}\n{result["hardware"]}, JAX {jax.__version__}; load before: {load}\n'
  print(text, end='')
  print(json.dumps(result))
  if arguments.output:
    save(arguments, command, text, result)
  return result


def command_line(command, argv):
  """The command as text, without the folders of this machine."""
  kept, words = [], iter(argv)
  for word in words:
    name, given, _ = word.partition('=')
    if name in ('--output', '--folder', *PATHS) and not given:
      next(words, None)
    kept += [f'{name}={PATHS[name]}'] if name in PATHS else [] if name in ('--output', '--folder') else [word]
  return shlex.join(['python', '-m', f'benchmarks.{command}', *kept])


def save_path(arguments, command, suffix):
  """Returns the path of a saved file; its folder is made."""
  objective = ['softmax'] if getattr(arguments, 'objective', '') == 'softmax' else []
  name = arguments.name or '-'.join([command, *objective, arguments.score, arguments.dataset]).replace(':', '-')
  folder = pathlib.Path(arguments.output)
  folder.mkdir(parents=True, exist_ok=True)
  return folder / f'{name}{suffix}'


def save(arguments, command, text, result):
  """Writes the printed text and the result beside each other."""
  save_path(arguments, command, '.txt').write_text(text, encoding='utf-8')
  save_path(arguments, command, '.json').write_text(json.dumps(result, indent=1) + '\n', encoding='utf-8')


def load_data(name):
  """Returns the `Data` of a registered graph, or of synthetic:ENTITIES:RELATIONS:TRIPLES."""
  if name.startswith('synthetic'):
    counts = re.fullmatch(r'synthetic:(\d+):(\d+):(\d+)', name)
    if not counts:
      raise ValueError(f'--dataset={name}: write synthetic:ENTITIES:RELATIONS:TRIPLES, such as synthetic:200:5:2000')
    return synthetic(*map(int, counts.groups()))
  graph = datasets.load(config_lib.DataConfig(name=name))
  return Data(graph.name, graph.train, graph.valid, graph.test, graph.num_entities, graph.num_relations)


def synthetic(num_entities, num_relations, num_triples):
  """Returns `Data` of uniform random triples: as many for training, and a tenth each for valid and test."""
  draw = np.random.default_rng(0)
  part = lambda size: draw.integers(0, [num_entities, num_relations, num_entities], (size, 3)).astype(np.int32)
  held_out = max(num_triples // 10, 1)
  return Data(
    f'synthetic:{num_entities}:{num_relations}:{num_triples}',
    part(num_triples),
    part(held_out),
    part(held_out),
    num_entities,
    num_relations,
  )


def sample(triples, count):
  """Returns `count` evenly spaced triples; 0 is all of them."""
  if not count or count >= len(triples):
    return triples
  return triples[np.linspace(0, len(triples) - 1, count).astype(int)]


def bilinear(score):
  """Returns the configuration configs/fb15k237/bilinear.py of a score: the softmax objective as people use it."""
  return runpy.run_path(str(CONFIGS / 'fb15k237' / 'bilinear.py'))['get_config'](score)


def setup(arguments, objective='med', sub_models='all', **changed):
  """Returns the `Setup` of the arguments, some of them changed.

  Args:
    arguments: of the command.
    objective: 'med' with the paper's mutual learning and dynamic weight, 'default' as a user gets it, or 'direct';
      of `--objective=softmax` the first two are its configuration's.
    sub_models: those of a step, as in `objective.sub_models`.
    **changed: arguments with other values.
  """
  get = lambda name: changed.get(name, getattr(arguments, name))
  softmax = getattr(arguments, 'objective', '') == 'softmax'
  config = bilinear(get('score')) if softmax else config_lib.Config()
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


def interleave(cases, rounds):
  """Measures {name: () -> seconds} in turn (A, B, C, A, B, C, ...) and returns {name: [seconds of each round]}."""
  measured = {name: [] for name in cases}
  for _ in range(rounds):
    for name, measure in cases.items():
      measured[name].append(measure())
  return measured


def ratio(measured, above, below):
  """Returns the ratio of two rows' medians, and the median and range of the ratios of their rounds."""
  pairs = [a / b for a, b in zip(measured[above], measured[below])]
  return {
    'of': above,
    'to': below,
    'ratio_of_medians': statistics.median(measured[above]) / statistics.median(measured[below]),
    'paired_median': statistics.median(pairs),
    'paired_low': min(pairs),
    'paired_high': max(pairs),
  }


def spread(values):
  """Returns the median, the smallest and the largest of some values."""
  return {'median': statistics.median(values), 'low': min(values), 'high': max(values)}


def table(rows):
  """Returns dicts of text as an aligned table, the first column to the left."""
  names = list(rows[0])
  columns = {name: [name, *(str(row.get(name, '')) for row in rows)] for name in names}
  size = {name: max(map(len, column)) for name, column in columns.items()}
  pad = lambda name: str.ljust if name == names[0] else str.rjust
  line = lambda i: '  '.join(pad(name)(columns[name][i], size[name]) for name in names).rstrip()
  return '\n'.join(line(i) for i in range(len(rows) + 1))


def ratio_table(ratios):
  """Returns the table of `ratio`s."""
  return table(
    [
      {
        'ratio': f'{r["of"]} : {r["to"]}',
        'of medians': f'{r["ratio_of_medians"]:.3f}',
        'paired median': f'{r["paired_median"]:.3f}',
        'paired range': f'{r["paired_low"]:.3f} to {r["paired_high"]:.3f}',
      }
      for r in ratios
    ]
  )
