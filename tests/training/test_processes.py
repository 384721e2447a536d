"""What processes tell each other."""

import os
import re
import socket
import subprocess
import sys

import numpy as np
import pytest

from medjax import errors
from medjax.training import processes, signals


@pytest.mark.parametrize('received', [[], ['SIGTERM'], ['SIGINT', 'SIGTERM']])
def test_a_signal_in_any_process_is_told_by_numbers_of_one_shape(received, monkeypatch):
  told = []
  monkeypatch.setattr(processes, 'several', lambda: True)
  monkeypatch.setattr(processes.multihost_utils, 'process_allgather', lambda x: told.append(x) or np.array([x, 0]))
  assert processes.any_process(received) == bool(received)
  assert told[0].shape == ()  # lists of signals differ in length, and what is gathered may not


def test_the_end_of_the_first_process_is_told_by_the_other_in_a_line(repository):
  with socket.socket() as free:
    free.bind(('localhost', 0))
    port = free.getsockname()[1]
  both = [
    subprocess.Popen(
      [sys.executable, '-m', 'tests.training.leaving', str(i), '0'],
      cwd=repository,
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
      env=os.environ
      | {'JAX_NUM_PROCESSES': '2', 'JAX_PROCESS_ID': str(i), 'JAX_COORDINATOR_ADDRESS': f'localhost:{port}'},
    )
    for i in range(2)
  ]
  assert [process.stdout.readline() for process in both] == ['joined\n'] * 2
  both[0].communicate('\n', timeout=60)
  _, said = both[1].communicate('\n', timeout=60)
  assert both[1].returncode == 2 and said.count('\n') == 1
  log = re.fullmatch(rf'error: {processes.GONE} \(what XLA said is in (.*)\)\n', said)[1]
  with open(log, encoding='utf-8') as file:
    assert 'JAX distributed service' in file.read()
  os.unlink(log)


def left(monkeypatch, error, index=0):
  """(what was told of an error of one of two processes, the exit code, the seconds before it), or what was raised."""
  told, waited = [], []
  monkeypatch.setattr(processes, 'several', lambda: True)
  monkeypatch.setattr(processes, 'first', lambda: index == 0)
  monkeypatch.setattr(processes, '_leaving', processes.threading.Lock())
  monkeypatch.setattr(processes.time, 'sleep', waited.append)
  monkeypatch.setattr(processes.os, '_exit', lambda code: told.append(code))
  with processes.together(lambda error: told.append(error) or 7):
    raise error
  return told[0], told[1], waited[0]


@pytest.mark.parametrize('index', [0, 1])
def test_an_error_of_one_process_ends_it_at_once(monkeypatch, index):
  error = errors.CheckpointError('the disk is full')
  assert left(monkeypatch, error, index) == (error, 7, 0 if index else processes.SOON)
  caused = errors.CheckpointError('it could not be written')
  caused.__cause__ = ValueError('Gloo AllGather failed: Connection reset by peer')
  told, _, waited = left(monkeypatch, caused, index)
  assert isinstance(told, errors.ParallelError) and str(told) == processes.GONE and waited == 0
  with pytest.raises(signals.Stopped):
    left(monkeypatch, signals.Stopped(signals.signal.SIGTERM, 3), index)
  monkeypatch.setattr(processes, 'several', lambda: False)
  with pytest.raises(errors.CheckpointError), processes.together(lambda error: 1):
    raise error
