"""A run that was killed or stopped and resumed ends as the uninterrupted one."""

import os
import random
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from medjax import config as config_lib
from medjax.kge import task as task_lib
from medjax.report import metrics
from medjax.saved import artifact, checkpoint, graph_files
from medjax.saved import workdir as workdir_lib
from medjax.training import optimizers
from medjax.training import step as step_lib

PLAIN = {
  'train.steps': 900,
  'train.log_every': 10,
  'train.checkpoint_every': 100,
  'train.steps_per_dispatch': 2,
  'train.learning_rate': 0.01,
  'eval.every': 0,
  'model.widths': '4,8',
}
# the rate overfits halfway, far from the last step: where a machine's arithmetic differs the run stops early too
STOPPING = PLAIN | {
  'eval.every': 50,
  'eval.patience': 2,
  'train.seed': 1,
  'train.learning_rate': 0.03,
  'objective.mutual': True,
  'objective.dynamic': True,
  'train.narrow_rate': 0.0,
}


@pytest.fixture(scope='module')
def start(repository, tiny_config, as_users_run):
  """A function that starts launch.py on a workdir as a process of its own."""

  def start(workdir, fields):
    chosen = {
      field: value
      for field, value in config_lib.flatten(tiny_config(fields)).items()
      if value != config_lib.get(config_lib.Config(), field) or field in PLAIN
    }
    file = workdir.with_suffix('.py')
    file.write_text('from medjax import config\n\ndef get_config():\n  return config.Config()\n')
    return subprocess.Popen(
      [
        sys.executable,
        'launch.py',
        f'--workdir={workdir}',
        f'--config={file}',
        *(f'--config.{field}={value}' for field, value in chosen.items()),
      ],
      cwd=repository,
      env=as_users_run,
      stdout=subprocess.DEVNULL,
      stderr=subprocess.PIPE,
      text=True,
    )

  return start


@pytest.fixture(scope='module')
def uninterrupted(start, tmp_path_factory):
  """A function of fields to the workdir of a run without interruption."""
  done = {}

  def run(name, fields):
    if name not in done:
      done[name] = tmp_path_factory.mktemp(name) / 'run'
      finish(start(done[name], fields))
    return done[name]

  return run


def finish(process):
  _, errors = process.communicate()
  assert process.returncode == 0, errors


def wait_for_lines(process, workdir, count):
  path = workdir / 'metrics.jsonl'
  while not path.exists() or path.read_bytes().count(b'\n') < count:
    assert process.poll() is None, process.stderr.read()
    time.sleep(0.005)


def last_state(workdir):
  config, graph = workdir_lib.read_config(workdir), graph_files.read_graph(workdir)
  description = artifact.read_description(workdir)
  task = task_lib.make_task(config, description.make_score(), description.make_widths(), graph)
  like = step_lib.init_state(task, config.train, optimizers.make(config.train))
  checkpoints = checkpoint.Checkpoints(workdir / 'checkpoints', read_only=True)
  return checkpoints.restore(like), checkpoints.latest, checkpoints.best


def lines(workdir):
  return [
    {name: value for name, value in line.items() if name not in ('seconds', 'steps_per_second')}
    for line in metrics.read(workdir)
  ]


def assert_same(workdir, reference):
  (state, latest, best), (expected, expected_latest, expected_best) = (
    last_state(workdir),
    last_state(reference),
  )
  assert (latest, best) == (expected_latest, expected_best)
  leaves, expected_leaves = jax.tree.leaves(state), jax.tree.leaves(expected)
  assert len(leaves) == len(expected_leaves) > 6
  assert all(np.array_equal(a, b) for a, b in zip(leaves, expected_leaves))
  assert lines(workdir) == lines(reference)
  assert (workdir / 'results.csv').read_text() == (reference / 'results.csv').read_text()


def test_a_killed_run_resumes_bit_for_bit(start, uninterrupted, tmp_path):
  reference, workdir, draw = uninterrupted('stopping', STOPPING), tmp_path / 'run', random.Random(5)
  total = len(lines(reference))
  assert lines(reference)[-1]['step'] < STOPPING['train.steps'], 'the reference should stop early'
  process = start(workdir, STOPPING)
  wait_for_lines(process, workdir, draw.randrange(total // 5, total * 2 // 3))
  time.sleep(draw.random() * 0.1)
  process.kill()
  process.communicate()
  assert process.returncode == -signal.SIGKILL and not (workdir / 'results.csv').exists()
  finish(start(workdir, STOPPING))
  assert_same(workdir, reference)


@pytest.mark.parametrize('kind', [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_saves_says_so_and_resumes_bit_for_bit(kind, start, uninterrupted, tmp_path):
  workdir = tmp_path / 'run'
  process = start(workdir, PLAIN)
  wait_for_lines(process, workdir, 3)
  os.kill(process.pid, kind)
  _, errors = process.communicate()
  assert process.returncode == 128 + kind
  assert 'Traceback' not in errors
  _, saved, _ = last_state(workdir)
  assert 30 <= saved < PLAIN['train.steps']
  assert f'stopped by {kind.name} at step {saved}' in errors and 'run the same command' in errors
  finish(start(workdir, PLAIN))
  assert_same(workdir, uninterrupted('plain', PLAIN))
