"""Event loops that end what was begun in them before they close."""

import asyncio
from collections.abc import Iterator
import contextlib


class Finishing(asyncio.SelectorEventLoop):
  """Waits for its tasks before it closes, and hears how they ended.

  A loop in which one of several reads or writes fails is closed while the others go on. Each of them then ends in a
  traceback ("Event loop is closed") beside the error that tells what failed; and so does one that fails as the loop
  stops, of which nobody has heard ("Task exception was never retrieved").
  """

  def close(self) -> None:
    """Waits for what still runs, whatever comes of it, and closes."""
    if not self.is_closed() and not _a_loop_runs():  # else one that was dropped is closed from within another
      self.run_until_complete(_finish())
    super().close()


def _a_loop_runs() -> bool:
  try:
    asyncio.get_running_loop()
  except RuntimeError:
    return False
  return True


async def _finish() -> None:
  others = asyncio.all_tasks() - {asyncio.current_task()}
  await asyncio.gather(*others, return_exceptions=True)
  await asyncio.sleep(0)  # those who wait for a task that has ended are called


@contextlib.contextmanager
def finishing() -> Iterator[None]:
  """Makes the loops that are made meanwhile `Finishing` ones."""
  before = asyncio.new_event_loop
  asyncio.new_event_loop = Finishing
  try:
    yield
  finally:
    asyncio.new_event_loop = before
