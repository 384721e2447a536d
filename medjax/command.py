"""The command `medjax`, which `launch.py` is too: it starts at once, and ends with a line instead of a traceback.

Nothing heavy is imported before `main`, so that an interpreter that restarts does so at once, and Ctrl-C is an answer
from the beginning on.
"""

from collections.abc import Iterator
import contextlib
import os
import signal
import sys
import types

from medjax.core import runtime

PROGRAMS = ('medjax', 'python launch.py')
PIPE = 128 + getattr(signal, 'SIGPIPE', 13)  # the exit code of a command whose reader has seen enough


def main() -> int:
  """Runs the command line of this process, and returns its exit code."""
  if signal.getsignal(signal.SIGINT) in (
    at_once,
    signal.default_int_handler,
  ):  # not where it is ignored, as under nohup
    signal.signal(signal.SIGINT, interrupt)
  try:
    with held_back():
      runtime.use_huge_pages()
    from medjax import arguments

    code = arguments.run(sys.argv)
  except KeyboardInterrupt:
    print('interrupted', file=sys.stderr)
    code = 130
  except BrokenPipeError:
    code = PIPE
  try:
    sys.stdout.flush()
  except BrokenPipeError:
    code = PIPE
  if signal.getsignal(signal.SIGINT) is interrupt:  # an interpreter that ends can only complain of it
    signal.signal(signal.SIGINT, at_once)
  if code == PIPE:  # else the interpreter complains of what it cannot write as it ends
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
  return code


@contextlib.contextmanager
def held_back() -> Iterator[None]:
  """Lets Ctrl-C wait, also for an interpreter that takes the place of this one, and act when the block ends."""
  mask = getattr(signal, 'pthread_sigmask', lambda *_: None)  # Windows has none, and restarts nothing
  mask(getattr(signal, 'SIG_BLOCK', 0), [signal.SIGINT])
  yield
  mask(getattr(signal, 'SIG_UNBLOCK', 0), [signal.SIGINT])


def at_once(number: int, frame: types.FrameType | None) -> None:
  """Handles Ctrl-C where there is nothing to save."""
  del number, frame
  os.write(2, b'interrupted\n')
  os._exit(130)


def interrupt(number: int, frame: types.FrameType | None) -> None:
  """Handles Ctrl-C: raises KeyboardInterrupt, but ends the process at once where it is importing.

  Modules that are half imported raise other errors instead, or swallow it.
  """
  while frame is not None:
    if frame.f_code.co_filename.startswith('<frozen importlib'):
      at_once(number, frame)
    frame = frame.f_back
  raise KeyboardInterrupt


# what follows takes a while; where this is imported by another program, Ctrl-C is that one's
if runtime.program() in PROGRAMS and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
  signal.signal(signal.SIGINT, at_once)
