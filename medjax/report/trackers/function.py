"""A function of one's own that is told the metrics of a run."""

from collections.abc import Callable

from medjax.report.trackers.following import Scalars, Start

Call = Callable[[int, dict[str, float]], object]  # (step, {name: number}) -> nothing that matters


class Tracker:
  """Calls a function with (step, {name: number})."""

  run = place = ''
  rewinds = False

  def __init__(self, call: Call, start: Start):
    del start
    self._call = call

  def log(self, step: int, values: Scalars) -> None:
    """Calls it; the dict is its own."""
    self._call(step, dict(values))

  def close(self, failed: bool) -> None:
    """Does nothing."""
