"""The memory that a training says it needs, beside what it takes: each in a process of its own, with its evaluation.

  python -m benchmarks.budget --output=docs/benchmarks

A child reads a random graph, trains a few steps, saves checkpoints and evaluates. What counts is the growth of its
resident memory from before the training to its peak, with everything that is compiled and loaded on the way.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

import jax.numpy as jnp
import numpy as np

from benchmarks import memory, running, timing, trainings
from medjax import config as config_lib
from medjax.experiments import budget as budget_lib
from medjax.experiments import runs
from medjax.kge import settings as settings_lib

RELATIONS, TRIPLES = 20, 100_000
STEPS = {'train.steps': 4, 'train.steps_per_dispatch': 2, 'train.log_every': 2, 'eval.every': 0}
SOFTMAX = {'objective.loss': 'softmax', 'model.width_scale': 'sqrt', 'objective.mutual': False}
LADDER = SOFTMAX | {
  'model.score': 'complex_reciprocal',
  'objective.mutual': True,
  'objective.sub_models': 'ladder:8',
  'train.optimizer': 'adagrad',
  'train.sparse_updates': True,
  'train.batch': 256,
  'train.share_negatives': 256,
  'train.negatives': 4096,
}
CASES = {  # name: (entities, fields)
  'RotatE, 64 widths': (15_000, {}),
  'TransE, large tables': (400_000, {'model.score': 'transe', 'model.widths': '16:128:16'}),
  'TransE, a large batch': (15_000, {'model.score': 'transe', 'model.widths': '64:512:64', 'train.batch': 2048}),
  'TransE, many negatives': (15_000, {'model.score': 'transe', 'model.widths': '2:64:2', 'train.negatives': 2048}),
  'PairRE': (15_000, {'model.score': 'pairre', 'model.widths': '80:640:80', 'train.batch': 1024}),
  'ComplEx, negatives of its own': (
    15_000,
    {'model.score': 'complex', 'model.widths': '80:640:80', 'train.batch': 1024},
  ),
  'DistMult, softmax over all': (
    15_000,
    SOFTMAX | {'model.score': 'distmult', 'train.negatives': 0, 'model.widths': '64:512:64'},
  ),
  'DistMult, the same and mutual': (
    15_000,
    SOFTMAX | {'model.score': 'distmult', 'train.negatives': 0, 'model.widths': '64:512:64', 'objective.mutual': True},
  ),
  'ComplEx, a ladder of 64 widths': (40_000, LADDER),
  'ComplEx, the same on many entities': (120_000, LADDER),
  'ComplEx, the same on few entities': (2_000, LADDER | {'train.negatives': 0, 'train.sparse_updates': False}),
  'ComplEx, softmax, shared': (
    40_000,
    SOFTMAX | {'model.score': 'complex', 'train.negatives': 1024, 'train.share_negatives': 512},
  ),
  'RotatE, one width': (100_000, {'model.widths': '320', 'objective.name': 'direct', 'objective.mutual': False}),
  'TransE, sparse updates': (
    400_000,
    {'model.score': 'transe', 'model.widths': '16:128:16', 'train.sparse_updates': True},
  ),
  'TransE, Adagrad': (
    400_000,
    {'model.score': 'transe', 'model.widths': '16:128:16', 'train.optimizer': 'adagrad'},
  ),
}


def write_graph(path, entities):
  """Writes a random graph as text."""
  draw = np.random.default_rng(0)
  heads, relations, tails = (draw.integers(0, size, TRIPLES) for size in (entities, RELATIONS, entities))
  rows = [f'e{h}\tr{r}\te{t}\n' for h, r, t in zip(heads, relations, tails)]
  rows += [f'e{i}\tr{i % RELATIONS}\te{(i + 1) % entities}\n' for i in range(entities)]  # so that all of them occur
  path.write_text(''.join(rows))


def child(case):
  """Trains one case in this process; prints what it was said to need, and what it took, in bytes."""
  entities, fields = CASES[case]
  config = config_lib.from_flat({**STEPS, **fields})
  with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / 'facts.tsv'
    write_graph(path, entities)
    config.data.path, config.data.split, config.train.tracker = str(path), '0.998,0.001,0.001', ''
    jnp.zeros(8).block_until_ready()  # what JAX itself takes is no part of it
    memory.trim()
    before = memory.status('VmRSS')
    if not memory.reset_peak():
      raise ValueError('this system tells no process the peak of its memory')
    runs.train(config, pathlib.Path(folder) / 'run')
    peak = memory.status('VmHWM') - before
    graph = runs.graph_files.read_graph(pathlib.Path(folder) / 'run')
    said = runs.fits(settings_lib.resolve(config), budget_lib.size_of(graph))
  print(json.dumps({'said': said, 'took': peak}))


def in_child(case):
  """Runs `child` in a fresh process and returns what it printed."""
  command = [sys.executable, '-m', 'benchmarks.budget', f'--child={case}']
  with tempfile.TemporaryDirectory() as cache:  # so that all programs are compiled, as in a user's first training
    environment = os.environ | {'XDG_CACHE_HOME': cache}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
  if done.returncode:
    raise ValueError(f'{case}: {done.stderr[-2000:].strip()}')
  return json.loads(done.stdout.splitlines()[-1])


def measure(arguments):
  cases = arguments.cases.split(';') if arguments.cases else list(CASES)
  if unknown := [case for case in cases if case not in CASES]:
    raise ValueError(f'--cases: there is no {unknown[0]!r}; cases are {"; ".join(CASES)}')
  found = {case: in_child(case) for case in cases}
  mib = lambda size: f'{size / trainings.MIB:,.0f}'
  rows = [
    {
      'MiB': case,
      'said': mib(one['said']),
      'taken': mib(one['took']),
      'said for each taken': f'{one["said"] / one["took"]:.2f}',
    }
    for case, one in found.items()
  ]
  return timing.table(rows), {'cases': found}


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.budget',
    description=__doc__.split('\n')[0],
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--cases', default='', help='names with semicolons; all of them if not given')
  options.add_argument('--child', choices=list(CASES), help='measure one case in this process')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files')
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = options.parse_args(argv)
  if arguments.child:
    runtime.cache_compilations()
    return child(arguments.child)
  return running.conclude('budget', argv, arguments, measure, 'budget')


if __name__ == '__main__':
  main()
