"""Ctrl-C and SIGTERM, noted instead of acted upon, so that work can be saved first."""

from collections.abc import Iterator, Sequence
import contextlib
import os
import signal
import threading


class Stopped(RuntimeError):
  """Ctrl-C or SIGTERM ended the run after it saved a checkpoint."""

  def __init__(self, signal_number: signal.Signals, step: int):
    super().__init__(f'stopped by {signal_number.name} at step {step}, which is saved; run the same command to go on')
    self.exit_code = 128 + signal_number


@contextlib.contextmanager
def deferred(kinds: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM)) -> Iterator[list[signal.Signals]]:
  """Yields a list to which received signals are appended; a second Ctrl-C interrupts at once."""
  received: list[signal.Signals] = []
  if threading.current_thread() is not threading.main_thread():
    yield received  # only the main thread may handle signals
    return

  def note(number, frame):
    del frame
    if received and number == signal.SIGINT:
      raise KeyboardInterrupt
    received.append(signal.Signals(number))
    if number == signal.SIGINT:
      os.write(2, b'\nsaving before stopping; press Ctrl-C again to stop at once\n')  # print may not be re-entered

  before = {kind: signal.signal(kind, note) for kind in kinds}
  try:
    yield received
  finally:
    for kind, handler in before.items():
      signal.signal(kind, handler)
