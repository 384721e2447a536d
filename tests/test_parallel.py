"""Layouts on forced devices of the CPU, each in a process of its own: they train as one device does."""

import json
import os
import shutil
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from medjax import config as config_lib
from medjax import errors
from medjax.core import widths as widths_lib
from medjax.experiments import runs
from medjax.kge import settings as settings_lib
from medjax.kge import task as task_lib
from medjax.report import metrics
from medjax.serve import loading


def start(repository, arguments, devices, **environment):
  flags = f'--xla_force_host_platform_device_count={devices} {os.environ["XLA_FLAGS"]}'
  return subprocess.Popen(
    [sys.executable, *arguments],
    cwd=repository,
    text=True,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    env=os.environ | {'XLA_FLAGS': flags, 'PYTHONPATH': str(repository), 'GLIBC_TUNABLES': ''} | environment,
  )


def finish(process):
  out, errors = process.communicate(timeout=300)
  assert process.returncode == 0, errors[-3000:]
  return out


def test_every_layout_trains_as_one_device(repository):
  result = json.loads(finish(start(repository, ['-m', 'tests.layouts'], 4)).splitlines()[-1])
  assert set(result) == {'rotate', 'complex softmax', 'reciprocal softmax', 'pairre', 'sparse'}
  for case, layouts in result.items():
    assert set(layouts) == ({'2x2'} if case == 'sparse' else {'pmap', '1x4', '2x2', '4x1'})
    for layout, (losses, tables, _, _) in layouts.items():
      assert losses < 1e-4 and tables < 1e-4, (case, layout, losses, tables)
  for case, layout in (('rotate', '1x4'), ('rotate', '2x2'), ('rotate', '4x1'), ('pairre', '1x4')):
    *_, crossing, formula = result[case][layout]
    assert crossing == formula, (case, layout)  # what docs/scaling.md says crosses devices, and nothing else


FIELDS = {
  'train.steps': 20,
  'train.checkpoint_every': 10,
  'train.log_every': 10,
  'eval.every': 10,
  'model.widths': '4,8',
  'train.decay': 'constant',
}


def command(workdir, config, **fields):
  return [
    'launch.py',
    f'--workdir={workdir}',
    f'--config={config}',
    *(f'--config.{name}={value}' for name, value in fields.items()),
  ]


@pytest.fixture(scope='module')
def config_file(tiny_config, tmp_path_factory):
  path = tmp_path_factory.mktemp('config') / 'tiny.py'
  chosen = config_lib.flatten(tiny_config(FIELDS))
  path.write_text(f'from medjax import config\n\ndef get_config():\n  return config.from_flat({chosen!r})\n')
  return path


@pytest.fixture(scope='module')
def of_two_processes(repository, config_file, tmp_path_factory):
  """The workdir of a run of two processes with two devices each, 2 x 2."""
  workdir = tmp_path_factory.mktemp('two') / 'run'
  with socket.socket() as free:
    free.bind(('localhost', 0))
    port = free.getsockname()[1]
  fields = {'parallel.mode': 'mesh', 'parallel.data': 2, 'parallel.distributed': True}
  both = [
    start(
      repository,
      command(workdir, config_file, **fields),
      2,
      JAX_NUM_PROCESSES='2',
      JAX_PROCESS_ID=str(i),
      JAX_COORDINATOR_ADDRESS=f'localhost:{port}',
    )
    for i in range(2)
  ]
  printed = [finish(process) for process in both]
  assert 'written: ' in printed[0]
  assert not [line for line in printed[1].splitlines() if line and not line.startswith('[Gloo]')]
  return workdir


def params_of(workdir):
  return jax.tree.leaves(loading.load(workdir, step=20).params)


def test_two_processes_train_as_one_device(of_two_processes, tiny_config, tmp_path):
  runs.train(tiny_config(FIELDS), tmp_path / 'one')
  for ours, theirs in zip(params_of(of_two_processes), params_of(tmp_path / 'one'), strict=True):
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
  losses = [
    [line['loss'] for line in metrics.read(workdir) if 'loss' in line]
    for workdir in (of_two_processes, tmp_path / 'one')
  ]
  np.testing.assert_allclose(*losses, rtol=1e-3)
  assert len(losses[0]) == 2


GO_ON = """
import sys
from medjax import config as config_lib
from medjax.experiments import runs
from medjax.saved import workdir as workdir_lib
fields = config_lib.flatten(workdir_lib.read_config(sys.argv[1]))
one = {'parallel.data': 1, 'parallel.width': 0, 'parallel.distributed': False}
for workdir, mode in zip(sys.argv[1:], ('pmap', 'mesh')):
  runs.train(config_lib.from_flat(fields | one | {'parallel.mode': mode}), workdir)
"""


def test_a_checkpoint_goes_on_in_any_layout(repository, of_two_processes, tiny_config, tmp_path):
  copies = [shutil.copytree(of_two_processes, tmp_path / name) for name in ('pmap', '1x4', 'jit')]
  for copy in copies:
    shutil.rmtree(copy / 'checkpoints' / '20')
  finish(start(repository, ['-c', GO_ON, *map(str, copies[:2])], 4))
  runs.train(tiny_config(FIELDS), copies[2])
  for copy in copies:
    for ours, theirs in zip(params_of(copy), params_of(of_two_processes), strict=True):
      np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_what_does_not_split_is_told(monkeypatch, tiny_config):
  monkeypatch.setattr(jax, 'devices', lambda: [None] * 4)
  make = lambda **fields: settings_lib.resolve(
    tiny_config({'parallel.mode': 'mesh'} | {name.replace('__', '.'): value for name, value in fields.items()})
  )
  layout = lambda config: task_lib.make_layout(config, settings_lib.model_widths(config))
  with pytest.raises(errors.ParallelError, match='take 8 devices; there are 4'):
    layout(make(parallel__data=2, parallel__width=4))
  with pytest.raises(errors.ParallelError, match='batch=18: its 2 shares need a multiple of 4'):
    layout(make(parallel__data=2, train__batch=18))
  with pytest.raises(errors.ParallelError, match='multiple of 32.*share_negatives'):
    layout(make(parallel__data=2, train__batch=16 * 3, train__share_negatives=8))


def test_dimensions_that_do_not_split_are_told():
  with pytest.raises(errors.WidthError, match='6 components of width 12 .* over 4 devices; take one of 1, 2, 3, 6'):
    widths_lib.Widths((4, 8, 12), 2).split(4, 'width')


@pytest.mark.parametrize(
  'fields, words',
  [
    ({'parallel.data': 2}, "parallel.data=2: only config.parallel.mode='mesh'"),
    ({'parallel.distributed': True}, "only config.parallel.mode='mesh'"),
    ({'parallel.mode': 'shard'}, 'choose one of jit, pmap, mesh'),
    ({'train.sparse_updates': True, 'train.negatives': 0, 'objective.loss': 'softmax'}, 'every row is touched'),
  ],
)
def test_configurations_that_mean_nothing_are_told(tiny_config, fields, words):
  with pytest.raises(errors.ConfigError, match=words):
    settings_lib.resolve(tiny_config(fields))


def test_processes_that_cannot_be_joined_are_told(repository, config_file, tmp_path):
  process = start(
    repository, command(tmp_path / 'run', config_file, **{'parallel.mode': 'mesh', 'parallel.distributed': True}), 1
  )
  _, errors = process.communicate(timeout=300)
  assert process.returncode == 2 and 'the processes could not be joined' in errors and 'Traceback' not in errors
