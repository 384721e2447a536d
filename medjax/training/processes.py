"""Processes of one training on several hosts: joining them, and what they tell each other."""

from collections.abc import Callable, Sequence
import os
from typing import Any, TypeVar

import jax
from jax.experimental import multihost_utils
import numpy as np

from medjax import errors

WEEK = 7 * 24 * 3600  # seconds that the other processes wait for the one that evaluates
T = TypeVar('T')


def initialize() -> None:
  """Joins the processes of a run, before anything else touches a device.

  TPU pods, SLURM, Kubernetes and Open MPI tell JAX who is who; elsewhere the environment does:
  JAX_COORDINATOR_ADDRESS=host:port, JAX_NUM_PROCESSES and JAX_PROCESS_ID.

  Raises:
    ParallelError: they could not be joined; the cause is told.
  """
  given: dict[str, Any] = {
    name: int(os.environ[key])
    for name, key in (('num_processes', 'JAX_NUM_PROCESSES'), ('process_id', 'JAX_PROCESS_ID'))
    if key in os.environ
  }
  try:
    jax.distributed.initialize(**given, shutdown_timeout_seconds=WEEK)
  except Exception as error:
    raise errors.ParallelError(
      f'config.parallel.distributed=True: the processes could not be joined ({error}). On a TPU '
      'pod, under SLURM and on Kubernetes JAX finds them; elsewhere set JAX_COORDINATOR_ADDRESS='
      'host:port, JAX_NUM_PROCESSES and JAX_PROCESS_ID for each'
    ) from error


def several() -> bool:
  """Whether this is one of several processes."""
  return jax.process_count() > 1


def first() -> bool:
  """Whether this process writes logs and results."""
  return jax.process_index() == 0


def first_process_first(work: Callable[[], T]) -> T:
  """Returns work() of each process; the first has ended it when the others begin, so it may fill a shared folder."""
  if not several():
    return work()
  result: Any = work() if first() else None
  multihost_utils.sync_global_devices('the first process is done')
  return result if first() else work()


def check_same(name: str, numbers: Sequence[int]) -> None:
  """Raises ParallelError unless all processes have the same int64 numbers."""
  if several():
    every = multihost_utils.process_allgather(np.asarray(numbers, np.int64).view(np.int32))
    if (every != every[0]).any():
      raise errors.ParallelError(f'{name}: the processes have read different ones; give all hosts the same files')


def of_first(number: float) -> float:
  """The first process's value of a float, the same in all."""
  return float(multihost_utils.broadcast_one_to_all(np.float64(number))) if several() else number


def any_process(flag: object) -> bool:
  """Whether a flag is set in any process, the same in all."""
  return bool(multihost_utils.process_allgather(np.int32(bool(flag))).any()) if several() else bool(flag)
