"""Processes of one training on several hosts: joining them, and what they tell each other."""

from collections.abc import Callable, Iterator, Sequence
import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from typing import Any, TypeVar

import jax
from jax.experimental import multihost_utils
import numpy as np

from medjax import errors
from medjax.core import files
from medjax.training import signals

WEEK = 7 * 24 * 3600  # seconds that the other processes wait for the one that evaluates
SOON = 3  # seconds in which the others tell of an error that all of them have, before the first process leaves
GONE = (
  'another process of this training is gone, by an error of its own or a kill, see what it said; the same command, '
  'begun again on every host, goes on from the last checkpoint'
)
LOST = ('gloo', 'coordination service', 'connection reset', 'connection closed', 'socket closed', 'barrier', 'nccl')
_leaving = threading.Lock()
_kept: list[Any] = []  # what C calls must not be collected
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
  if hasattr(os, 'fork'):  # Windows has no such signals
    _end_in_a_line()


@contextlib.contextmanager
def together(tell: Callable[[BaseException], int]) -> Iterator[None]:
  """Ends this process at once where its work fails, since the others can go on no more; `tell` returns the exit code.

  An interpreter that ends waits for the other processes, which wait for this one. What ends all of them alike, such as
  a signal that they were told of, is not caught.
  """
  try:
    yield
  except Exception as error:
    if not several() or isinstance(error, signals.Stopped):
      raise
    told = errors.ParallelError(GONE) if is_lost(error) else error
    _leave(lambda: tell(told), SOON if first() and told is error else 0)


def is_lost(error: BaseException | None) -> bool:
  """Whether an error, or what caused it, tells that another process cannot be reached."""
  if error is None:
    return False
  said = str(error).lower()
  return any(words in said for words in LOST) or is_lost(error.__cause__)


def _end_in_a_line() -> None:
  """Has a line told where XLA ends this process because another one is gone, instead of stack traces.

  XLA finds that in a thread of its own, writes pages to the error stream and aborts. These pages, and whatever else it
  writes there, go to a file that the line names; what Python writes goes where it went.
  """
  number, path = files.scratch('medjax-xla-', '.log')
  sys.stderr.flush()
  sys.stderr = os.fdopen(os.dup(2), 'w', buffering=1, encoding='utf-8', errors='backslashreplace')
  os.dup2(number, 2)
  line = f'error: {GONE} (what XLA said is in {path})'

  def told() -> int:
    os.write(sys.stderr.fileno(), f'{line}\n'.encode())
    return 2

  handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda _: _leave(told))
  _kept.append(handler)
  library = ctypes.CDLL(None)
  library.signal.argtypes, library.signal.restype = (ctypes.c_int, type(handler)), ctypes.c_void_p
  library.signal(signal.SIGABRT, handler)


def _leave(tell: Callable[[], int], after: float = 0.0) -> None:
  """Tells, once, why this process ends, and ends it with the code that `tell` returns."""
  if not _leaving.acquire(blocking=False):
    time.sleep(WEEK)  # another thread is ending it
  code = tell()
  sys.stdout.flush()
  sys.stderr.flush()
  time.sleep(after)
  os._exit(code)


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
