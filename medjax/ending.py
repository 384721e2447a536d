"""How a command ends: an expected error is one clear line, and each kind has its exit code."""

import errno
import os
import sys
import traceback

from medjax import errors
from medjax.core import terminal
from medjax.training import signals

UNEXPECTED = 'this is a fault of medjax or of its set-up; --traceback shows where it is: report it with that, please'
LESS = 'lower config.train.batch, config.train.negatives, config.eval.batch or the widths'
LONGEST = 400


def end(error: BaseException, goes_on: bool = False) -> int:
  """Tells of an error in one line, or with its traceback under MEDJAX_TRACEBACK=1; returns the exit code.

  Args:
    error: what ended a command.
    goes_on: whether the same command goes on from a checkpoint.

  Raises:
    BrokenPipeError: nobody reads what is printed.
  """
  if isinstance(error, BrokenPipeError):
    raise error
  if os.environ.get('MEDJAX_TRACEBACK', '0') not in ('', '0'):
    terminal.say(''.join(traceback.format_exception(error)), file=sys.stderr, end='')
  if isinstance(error, KeyboardInterrupt):
    line, code = 'interrupted' + '; run the same command to go on from the last checkpoint' * goes_on, 130
  elif isinstance(error, signals.Stopped):
    line, code = str(error), error.exit_code
  elif isinstance(error, errors.MedjaxError):
    line, code = f'error: {error}', 2
  elif isinstance(error, OSError):
    line, code = f'error: {error}', 2
    if error.errno == errno.ENOSPC:
      line += '; free some space and run the same command to go on'
  elif isinstance(error, MemoryError) or 'RESOURCE_EXHAUSTED' in str(error):
    line, code = f'error: out of memory: {shortened(str(error))}; {LESS}', 2
  else:
    line, code = f'error: {type(error).__name__}: {shortened(str(error))} ({UNEXPECTED})', 1
  terminal.say('\n'.join(part[: terminal.LINE] for part in line.split('\n')), file=sys.stderr)
  return code


def shortened(text: str) -> str:
  """Returns a text in one line of at most `LONGEST` characters.

  >>> shortened('one\\n  two')
  'one two'
  """
  line = ' '.join(text.split())
  return line if len(line) <= LONGEST else f'{line[:LONGEST]} ...'
