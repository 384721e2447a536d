"""Event loops that end what was begun in them before they close."""

import asyncio
from collections.abc import Iterator
import contextlib


class Finishing(asyncio.SelectorEventLoop):
  """Waits for its tasks before it closes.

  A loop in which one of several reads fails is closed while the others go on. Each of them then ends in a traceback
  ("Event loop is closed") beside the error that tells what failed.
  """

  def close(self) -> None:
    """Waits for what still runs, whatever comes of it, and closes."""
    if not self.is_closed() and not self.is_running() and (tasks := asyncio.all_tasks(self)):
      self.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    super().close()


@contextlib.contextmanager
def finishing() -> Iterator[None]:
  """Makes the loops that are made meanwhile `Finishing` ones."""
  before = asyncio.new_event_loop
  asyncio.new_event_loop = Finishing
  try:
    yield
  finally:
    asyncio.new_event_loop = before
