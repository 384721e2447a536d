"""The program as processes that are forked from one that has imported it: an attempt costs no seconds of imports.

What a child does is what `python launch.py WORDS` does once its modules are there, to the exit code and the end of the
interpreter. Children have no threads of the first process, which starts no computation itself.
"""

import importlib
import json
import os
import pathlib
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple
import warnings

ROOT = pathlib.Path(__file__).parents[1]
PATIENCE = 900  # seconds that a process may take
PIECE = 0.003  # seconds between two looks at what it has taken
MODULES = (
  'duckdb',
  'matplotlib.pyplot',
  'medjax.data.prepare',
  'medjax.arguments',
  'medjax.experiments.commands',
  'medjax.experiments.comparison',
  'medjax.experiments.distillation',
  'medjax.experiments.runs',
  'medjax.experiments.study',
  'medjax.report.studies',
  'medjax.serve.interop.exports',
)


class Ended(NamedTuple):
  """How a process ended: its exit code (negative: the signal), what it said of errors, and its seconds of processor."""

  code: int
  said: str
  seconds: float


class Program:
  """The first process, which waits for words.

  Args:
    environment: what its processes have besides.
  """

  def __init__(self, environment=None):
    self._process = subprocess.Popen(
      [sys.executable, '-m', 'benchmarks.forked'],
      cwd=ROOT,
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      bufsize=0,  # what was told must not lie in a buffer, where `select` does not see it
      env=os.environ | {'GLIBC_TUNABLES': ''} | (environment or {}),
    )
    self._said = tempfile.NamedTemporaryFile(prefix='medjax-said-')  # noqa: SIM115  (closed by `close`)

  def __enter__(self):
    return self

  def __exit__(self, *raised):
    self.close()

  def run(self, words, kill_after=None, largest=None):
    """Runs the program on these words.

    Args:
      words: of the command line.
      kill_after: seconds of processor after which it is killed: unlike those of a clock, they do not hang on what else
        the machine does.
      largest: bytes beyond which it may let no file grow.

    Returns:
      How it `Ended`.

    Raises:
      ValueError: it did not end by itself within `PATIENCE`.
    """
    pipe = self._process.stdout
    request = {'words': [*map(str, words)], 'said': self._said.name, 'largest': largest}
    self._process.stdin.write(json.dumps(request).encode() + b'\n')
    number, begun, late = int(pipe.readline()), time.perf_counter(), False
    while not select.select([pipe], [], [], PIECE if kill_after is not None else PATIENCE)[0]:
      late = kill_after is None or time.perf_counter() - begun > PATIENCE
      if late or spent(number) >= kill_after:
        os.kill(number, signal.SIGKILL)
        break
    code, seconds = pipe.readline().split()
    if late:
      raise ValueError(f'{" ".join(words)} did not end in {PATIENCE} s')
    said = pathlib.Path(self._said.name).read_text(encoding='utf-8', errors='replace')
    return Ended(int(code), said, float(seconds))

  def close(self):
    """Ends the first process."""
    self._process.stdin.close()
    self._process.wait()
    self._said.close()


def spent(number):
  """Returns the seconds of processor that a process has taken (Linux's clock of it)."""
  try:
    return time.clock_gettime((~number << 3) | 2)
  except OSError:
    return 0.0  # it has just ended


def become(words, said, largest):
  """Makes this child what a shell starts: its streams, its limits and its words; returns its exit code."""
  for number, path, how in (
    (0, os.devnull, os.O_RDONLY),
    (1, os.devnull, os.O_WRONLY),
    (2, said, os.O_WRONLY | os.O_TRUNC | os.O_APPEND),
  ):
    os.dup2(os.open(path, how), number)
  if largest is not None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
  sys.argv = ['launch.py', *words]
  sys.path[0] = str(ROOT)
  from medjax import command

  return command.main()


def serve():
  """Reads a line a process, tells its id, and its exit code when it has ended."""
  warnings.filterwarnings('ignore', message=r'os\.fork')  # JAX has no threads before it computes
  for line in sys.stdin:
    request = json.loads(line)
    number = os.fork()
    if not number:
      return become(**request)
    print(number, flush=True)
    _, status, used = os.wait4(number, 0)
    print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, flush=True)
  return 0


if __name__ == '__main__':
  for module in MODULES:
    importlib.import_module(module)
  sys.exit(serve())
