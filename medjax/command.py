"""The command `medjax`, which `launch.py` is too: it starts at once, and ends with a line instead of a traceback.

Nothing heavy is imported before `main`, so that an interpreter that restarts does so at once, and Ctrl-C is an answer
from the beginning on.
"""

import os
import signal
import sys

from medjax.core import runtime

PIPE = 128 + getattr(signal, 'SIGPIPE', 13)  # the exit code of a command whose reader has seen enough


def main() -> int:
  """Runs the command line of this process, and returns its exit code."""
  try:
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
  if code == PIPE:  # else the interpreter complains of what it cannot write as it ends
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
  return code
