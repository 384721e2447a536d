"""How a benchmark runs: the options that commands share, a mistake's one line, and what is printed and saved."""

import argparse
import json
import os
import pathlib
import shlex
import sys

import jax

from benchmarks import graph_data, trainings
from medjax import scores
from medjax.core import runtime
from medjax.report import cost

PATHS = {'--peer-python': 'PATH', '--workdir': 'RUNS', '--model': 'FOLDER'}  # options whose value is not told
SHAPE = ('score', 'dataset', 'widths', 'batch', 'negatives', 'share_negatives', 'rounds')  # in every result


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
    choices=('logsigmoid', *trainings.OF_SOFTMAX),
    help='logsigmoid, or what a configuration trains with: '
    + ', '.join(f'{name} is configs/{path}' for name, path in trainings.OF_SOFTMAX.items()),
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
  if trainings.is_softmax(arguments):
    train = trainings.configuration(arguments.objective, arguments.score).train
    options.set_defaults(**{name: getattr(train, name) for name in ('batch', 'negatives', 'share_negatives')})
    arguments = options.parse_args(argv)
  if cached:
    runtime.cache_compilations()
  load = round(os.getloadavg()[0], 2) if hasattr(os, 'getloadavg') else None  # a busy machine is to be seen
  try:
    scores.check_name(arguments.score)
    trainings.setup(arguments)
    text, result = measure(arguments, graph_data.load_data(arguments.dataset))
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
  objective = [arguments.objective] if trainings.is_softmax(arguments) else []
  name = arguments.name or '-'.join([command, *objective, arguments.score, arguments.dataset]).replace(':', '-')
  folder = pathlib.Path(arguments.output)
  folder.mkdir(parents=True, exist_ok=True)
  return folder / f'{name}{suffix}'


def save(arguments, command, text, result):
  """Writes the printed text and the result beside each other."""
  save_path(arguments, command, '.txt').write_text(text, encoding='utf-8')
  save_path(arguments, command, '.json').write_text(json.dumps(result, indent=1) + '\n', encoding='utf-8')
