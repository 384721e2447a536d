"""Spoiled samples read in processes of their own, and what came of each: errors, seconds, memory."""

import contextlib
import gc
import json
import os
import pathlib
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from typing import NamedTuple

from benchmarks import memory, readers, sealed, spoiled, trainings
from medjax import errors

ROOT = pathlib.Path(__file__).parents[1]

FLOOR = 96 * trainings.MIB  # bytes of memory that reading anything may take: 1.5 times what any packed file may become
FACTOR = 1.5  # bytes of memory for a byte of the files, above that
SLOW = 5  # seconds of a processor that reading a file may take
SECONDS = 60  # of the clock, within which a reader has to end however busy the machine is
PATIENCE = 90  # after which its process is ended, where the alarm was not heard
MOST = 16 * 2**30  # bytes of addresses of a process
MEMORY = '2e9'
# what an allocator keeps for later would hide what the next reader takes
RETURNED = {'GLIBC_TUNABLES': '', 'MALLOC_MMAP_THRESHOLD_': str(2**18)}
TURN = 2000  # files that a process reads before another one begins


class Read(NamedTuple):
  """What came of a file.

  Attributes:
    subject, number: what makes it again.
    came: 'refused', 'loaded', 'error', 'late' or 'ended' (the process did).
    said: the error.
    seconds: of processor.
    growth: bytes by which the peak of memory rose.
    size: bytes that the files say to have.
  """

  subject: str
  number: int
  came: str
  said: str = ''
  seconds: float = 0.0
  growth: int = 0
  size: int = 0

  @property
  def above(self):
    """Whether it took more memory than it may."""
    return self.growth > FLOOR + FACTOR * self.size

  @property
  def slow(self):
    """Whether it took more of a processor than it may."""
    return self.seconds > SLOW

  @property
  def odd(self):
    """Whether something came of it that should not."""
    return self.came not in ('refused', 'loaded') or self.above or self.slow


class Late(BaseException):
  """No end within `SECONDS`; no reader takes it for an error of a file."""


def once(subject, number, seed, source):
  """Spoils and reads one file or folder; returns the `Read`."""
  with tempfile.TemporaryDirectory() as name:
    path = sealed.spoil(subject, number, seed, source, pathlib.Path(name))
    size = spoiled.size(path)
    memory.trim()
    before = memory.status('VmRSS')
    memory.reset_peak()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    begun, came, said = time.process_time(), 'loaded', ''
    try:
      with open(os.devnull, 'w') as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        subject.read(path)
    except errors.MedjaxError:
      came = 'refused'
    except Late:
      came = 'late'
    except BaseException as error:
      where = traceback.extract_tb(error.__traceback__)[-1]
      came, said = (
        'error',
        f'{type(error).__name__}: {str(error)[:150]} ({pathlib.Path(where.filename).name}:{where.lineno})',
      )
    finally:
      signal.setitimer(signal.ITIMER_REAL, 0)
    seconds = time.process_time() - begun
    return Read(subject.name, number, came, said, seconds, max(memory.status('VmHWM') - before, 0), size)


def late(number, frame):
  """Ends what an alarm finds running."""
  raise Late


def work(source, seed):
  """Reads lines of a subject and a number, and tells what came of each; every subject is first read whole."""
  os.environ[readers.SAMPLES] = str(source)
  resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))
  signal.signal(signal.SIGALRM, late)
  answers = os.fdopen(os.dup(1), 'w')
  os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
  known = set()
  for line in sys.stdin:
    name, number = json.loads(line)
    subject = readers.BY_NAME[name]
    if name not in known:
      known.add(name)
      check_whole(subject, source)
      gc.freeze()  # what is loaded by now is no garbage, and looking at it takes longer than most files
    print(json.dumps(once(subject, number, seed, source)), file=answers, flush=True)


def check_whole(subject, source):
  """Reads a whole sample, so that modules are loaded and programs compiled before anything is measured."""
  with tempfile.TemporaryDirectory() as name:
    copy = shutil.copytree(source / subject.name, pathlib.Path(name) / 'it')
    for path in sorted(copy.iterdir()) if subject.alone else [copy]:
      with open(os.devnull, 'w') as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        try:
          subject.read(path)
        except errors.MedjaxError as error:
          if not path.name.startswith(('up.', 'link.')):  # archives that are to be refused
            raise ValueError(f'{subject.name}: a whole {path.name} is refused: {error}') from error


class Worker:
  """A process that reads for this one."""

  def __init__(self, source, seed):
    self.source, self.seed, self.process, self.turns = source, seed, None, 0

  def read(self, subject, number):
    """Has a file read; returns the `Read`."""
    if self.turns == 0:
      self.close()
      self.process = subprocess.Popen(
        [sys.executable, '-m', 'benchmarks.hostile', f'--worker={self.source}', f'--seed={self.seed}'],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | RETURNED | {'MEDJAX_MEMORY': MEMORY},
      )
      self.turns = TURN
    self.turns -= 1
    self.process.stdin.write(json.dumps([subject, number]).encode() + b'\n')
    self.process.stdin.flush()
    if select.select([self.process.stdout], [], [], PATIENCE)[0] and (line := self.process.stdout.readline()):
      return Read(*json.loads(line))
    self.turns = 0
    try:
      code = self.process.wait(5)
    except subprocess.TimeoutExpired:
      self.process.kill()
      return Read(subject, number, 'ended', f'no end in {PATIENCE} s')
    if code == 1:  # Python's own end: no file is to blame
      raise ChildProcessError(f'{subject} {number}: the process that reads failed of itself, as told above')
    return Read(subject, number, 'ended', f'the exit code of the process is {code}')

  def close(self):
    """Ends the process."""
    if self.process is not None:
      self.process.stdin.close()
      self.process.wait()
