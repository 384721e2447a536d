"""Scaling over 1, 2, 4, 8 forced devices of the CPU, and the bytes that cross devices, from the compiled program.

  python -m benchmarks.scaling --output=docs/benchmarks

Strong: the same batch on more devices, whose ideal ratio is the number of devices. Weak: a batch that grows with the
devices, whose ideal ratio is 1 (of seconds per step). Forced devices share the machine's cores: with more devices than
cores no ratio can pass the number of cores, so what is measured is what splitting costs, not what it gains. The bytes
are exact and are those of any machine.
"""

import json
import os
import re
import subprocess
import sys

import jax
import jax.numpy as jnp

from benchmarks import graph_data, running, timing, trainings
from medjax.kge import settings as settings_lib
from medjax.kge import task as task_lib
from medjax.training import step as step_lib

COLLECTIVE = re.compile(r' = (.*?) (?:all-reduce|all-gather|reduce-scatter|collective-permute|all-to-all)(?:-start)?\(')
OPTIONS = ('score', 'dataset', 'widths', 'batch', 'negatives', 'share_negatives', 'rounds', 'steps')


def crossing(program):
  """Bytes that a device gives to collectives in a step of a compiled program's text: of their results' arrays."""
  shapes = ' '.join(match.group(1) for match in COLLECTIVE.finditer(program))
  total = 0
  for kind, sizes in re.findall(r'\b(f32|s32|pred)\[([\d,]*)\]', shapes):
    count = 1
    for size in sizes.split(',') if sizes else ():
      count *= int(size)
    total += count * (1 if kind == 'pred' else 4)
  return total


def formula(setup, data, layout):
  """What docs/scaling.md says that a device gives to collectives in a step, in bytes."""
  train, sub_models = setup.config.train, len(setup.widths.values)
  positives, negatives = train.batch // layout.data, train.batch // layout.data * train.negatives
  scores = sub_models * (positives + negatives)
  norms = 2 * sub_models * (3 * positives + negatives) if setup.score.name == 'pairre' else 0
  gradients = table_numbers(setup, data) // layout.width + 1 + sub_models if layout.data > 1 else 0
  return 4 * ((scores + norms if layout.width > 1 else 0) + gradients + 1)


def table_numbers(setup, data):
  """Numbers of both tables."""
  model = jax.eval_shape(
    lambda: setup.score.init(jax.random.key(0), data.num_entities, data.num_relations, setup.widths.full)
  )
  return sum(leaf.size for leaf in jax.tree.leaves(model))


def row_sharding(setup, devices):
  """Bytes that a device would exchange if entities, not dimensions, were split: rows there, their gradients back."""
  train = setup.config.train
  rows = (2 * train.batch + train.batch // train.share_negatives * train.negatives) / devices
  return 2 * rows * (devices - 1) / devices * setup.widths.full * 4


def child(arguments):
  """Measures one layout in this process and prints a line of JSON."""
  mode, data_axis, width_axis = arguments.child.split(':')
  setup, data = trainings.setup(arguments), graph_data.load_data(arguments.dataset)
  setup.config.parallel.mode = mode
  if mode == 'mesh':
    setup.config.parallel.data, setup.config.parallel.width = int(data_axis), int(width_axis)
  settings_lib.resolve(setup.config)
  layout = task_lib.make_layout(setup.config, setup.widths)
  training = Placed(setup, data, layout)
  training.seconds(arguments.steps)
  seconds = [training.seconds(arguments.steps) for _ in range(arguments.rounds)]
  print(
    json.dumps(
      {
        'seconds': timing.spread(seconds),
        'bytes': training.bytes,
        'formula': formula(setup, data, layout) if mode == 'mesh' else None,
        'row_sharding': row_sharding(setup, layout.width) if layout.width > 1 else None,
      }
    )
  )


class Placed(trainings.Training):
  """A `trainings.Training` on a layout."""

  def __init__(self, setup, data, layout):
    self.setup, self.bytes = setup, None
    task = task_lib.make_task(*setup, data, layout)
    self.state, self.data, self.compiled = step_lib.prepare(task, setup.config.train, layout)
    if hasattr(self.compiled, 'lower'):
      self.compiled = self.compiled.lower(self.state, self.data, jnp.int32(1)).compile()
      self.bytes = crossing(self.compiled.as_text())


def measured(arguments, devices, mode, data, width, **changed):
  """Runs `child` in a process with so many devices."""
  options = {name: changed.get(name, getattr(arguments, name)) for name in OPTIONS}
  command = [
    sys.executable,
    '-m',
    'benchmarks.scaling',
    f'--child={mode}:{data}:{width}',
    *(f'--{name.replace("_", "-")}={value}' for name, value in options.items()),
  ]
  environment = os.environ | {'XLA_FLAGS': f'--xla_force_host_platform_device_count={devices}'}
  done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
  if done.returncode:
    raise ValueError(f'the child {mode} {data} x {width} failed: {done.stderr[-2000:].strip()}')
  return json.loads(done.stdout.splitlines()[-1])


def measure(arguments, data):
  del data
  one = measured(arguments, 1, 'jit', 1, 1)
  base, points = one['seconds']['median'], []
  for n in arguments.devices:
    cases = [
      ('mesh, data', 'strong', ('mesh', n, 1), {}),
      ('mesh, width', 'strong', ('mesh', 1, n), {}),
      ('pmap', 'strong', ('pmap', n, 1), {}),
      ('mesh, data', 'weak', ('mesh', n, 1), {'batch': arguments.batch * n}),
      ('mesh, width', 'weak', ('mesh', 1, n), {'batch': arguments.batch * n}),
    ]
    for name, kind, layout, changed in cases:
      points.append({'devices': n, 'layout': name, 'scaling': kind} | measured(arguments, n, *layout, **changed))
  rows = [
    {
      'layout': p['layout'],
      'devices': p['devices'],
      'scaling': p['scaling'],
      'ms a step': f'{1000 * p["seconds"]["median"]:.1f}',
      'ratio': f'{base / p["seconds"]["median"]:.2f}',
      'ideal': p['devices'] if p['scaling'] == 'strong' else 1,
    }
    for p in points
  ]
  mib = lambda size: '' if size is None else f'{size / trainings.MIB:.3f}'
  crossed = [
    {
      'layout': p['layout'],
      'devices': p['devices'],
      'scaling': p['scaling'],
      'compiled, MiB': mib(p['bytes']),
      'formula, MiB': mib(p['formula']),
      'compiled : formula': f'{p["bytes"] / p["formula"]:.4f}',
      'row sharding on paper, MiB': mib(p['row_sharding']),
    }
    for p in points
    if p['formula']
  ]
  text = [
    f'one device: {1000 * base:.1f} ms a step. Ratio: its seconds to those of the layout, with the same batch (strong)',
    'or one that grows with the devices (weak).',
    '',
    timing.table(rows),
    '',
    'A device gives to collectives in a step:',
    timing.table(crossed),
    '',
    f'{os.cpu_count()} cores carry all devices: no strong ratio can pass {os.cpu_count()}, no weak one '
    f'{os.cpu_count()} : devices.',
  ]
  return '\n'.join(text), {'one': one, 'points': points}


def main(argv=None):
  options = running.parser('scaling', __doc__)
  options.set_defaults(rounds=3, dataset='synthetic:5000:50:50000', widths='8:64:8', negatives=32)
  options.add_argument('--devices', type=running.numbers, default='2,4,8', help='beside one')
  options.add_argument('--steps', type=running.positive, default=5, help='steps per dispatch and round')
  options.add_argument('--child', help='measure MODE:DATA:WIDTH in this process')
  arguments, _ = options.parse_known_args(argv)
  return child(arguments) if arguments.child else running.run(options, measure, argv)


if __name__ == '__main__':
  main()
