"""Whether the settings of a graph that is not at hand begin on a random graph of its size: seconds, rate, peak memory.

  python -m benchmarks.starts --output=docs/benchmarks

Counts are those that the graphs' authors publish. A few steps are trained, saved, and evaluated among --candidates
entities; the loss of random triples says nothing.
"""

import argparse
import json
import pathlib
import sys
import tempfile
from typing import NamedTuple

from benchmarks import prepare, running, timing

ROOT = pathlib.Path(__file__).parents[1]


class Size(NamedTuple):
  """How many entities, relations and training triples a graph has."""

  entities: int
  relations: int
  triples: int


SIZES = {
  'codex_l': Size(77_951, 69, 551_193),  # Safavi and Koutra, 2020
  'yago3_10': Size(123_182, 37, 1_079_040),  # Dettmers et al., 2018
}


def start(name, size, steps, candidates):
  """The row of one configuration."""
  with tempfile.TemporaryDirectory(prefix='medjax-starts-') as place:
    folder, workdir = pathlib.Path(place) / 'graph', pathlib.Path(place) / 'run'
    folder.mkdir()
    prepare.write_graph(folder, size.triples, size.entities, size.relations)
    usage, _ = prepare.measured(
      [
        sys.executable,
        str(ROOT / 'launch.py'),
        f'--config={ROOT / "configs" / name / "best.py"}',
        f'--workdir={workdir}',
        '--config.data.name=',
        f'--config.data.path={folder}',
        f'--config.train.steps={steps}',
        '--config.eval.every=0',
        '--config.objective.strengths=',  # random triples have none to choose by
        f'--config.eval.candidates={candidates}',
      ]
    )
    lines = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
    cost = json.loads((workdir / 'cost.json').read_text())
    return {'configuration': name, 'entities': f'{size.entities:,}', 'triples': f'{size.triples:,}'} | {
      'steps': steps,
      'seconds a step': f'{1 / lines[-1]["steps_per_second"]:.3f}',
      'training, s': f'{cost["train_seconds"]:.0f}',
      'all, s': f'{usage["seconds"]:.0f}',
      'peak memory, MiB': f'{usage["mib"]:,.0f}',
    }


def measure(arguments):
  rows = [start(name, SIZES[name], arguments.steps, arguments.candidates) for name in arguments.graphs.split(',')]
  return timing.table(rows), {'rows': rows}


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.starts',
    description=__doc__.split('\n')[0],
    allow_abbrev=False,
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--graphs', default=','.join(SIZES), help='folders of configs, with commas')
  options.add_argument('--steps', type=running.positive, default=200)
  options.add_argument('--candidates', type=running.positive, default=100, help='entities that compete at the end')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files; starts if not given')
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = options.parse_args(argv)
  if unknown := set(arguments.graphs.split(',')) - set(SIZES):
    options.error(f'--graphs: no sizes are known of {", ".join(sorted(unknown))}')
  return running.conclude('starts', argv, arguments, measure, 'starts')


if __name__ == '__main__':
  main()
