"""TensorBoard events in the folder tensorboard/ of a workdir; the only module that imports tensorboardX."""

import time

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto import event_pb2, summary_pb2

from medjax.core import files
from medjax.report.trackers.following import Scalars, Start


class Board:
  """TensorBoard events, written at once (SummaryWriter's thread dies of a full disk, and the run then hangs)."""

  run = place = ''
  rewinds = True

  def __init__(self, start: Start):
    folder = files.folder(start.workdir / 'tensorboard')
    self._events = EventsWriter(str(folder / 'events'), f'.{start.step}')
    if start.step:  # TensorBoard then hides what an earlier process wrote from this step on
      self._add(start.step + 1, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))

  def log(self, step: int, values: Scalars) -> None:
    """Writes {name: number} of a step."""
    several = [summary_pb2.Summary.Value(tag=name, simple_value=number) for name, number in values.items()]
    self._add(step, summary=summary_pb2.Summary(value=several))

  def _add(self, step, **content):
    self._events.write_event(event_pb2.Event(wall_time=time.time(), step=step, **content))
    self._events.flush()

  def close(self, failed: bool) -> None:
    """Ends it."""
    self._events.close()
