"""Metrics of a run, as lines of JSON and as TensorBoard events."""

from collections.abc import Mapping
import json
import os
import pathlib
import time
from typing import Any

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto import event_pb2, summary_pb2

from medjax.saved.files import Path


class Writer:
  """Appends to metrics.jsonl and tensorboard/ of a workdir; a resumed run drops what lies past its step.

  Attributes:
    history: the lines up to that step, as dicts.
  """

  def __init__(self, workdir: Path, step: int = 0):
    self._path = pathlib.Path(workdir) / 'metrics.jsonl'
    self.history = [line for line in read(workdir) if line['step'] <= step]
    partial = self._path.with_suffix('.jsonl.tmp')
    partial.write_text(''.join(json.dumps(line) + '\n' for line in self.history))
    os.replace(partial, self._path)
    self._file = self._path.open('a', encoding='utf-8')
    self._board = Board(pathlib.Path(workdir) / 'tensorboard', step)

  def write(self, step: int, values: dict[str, Any]) -> None:
    """Writes {name: number, or {key: number}} of a step; it is on disk when this returns."""
    self._file.write(json.dumps({'step': step} | values) + '\n')
    self._file.flush()
    os.fsync(self._file.fileno())
    scalars: dict[str, float] = {}
    for name, value in values.items():
      several = isinstance(value, dict)
      scalars |= {f'{name}/{key}': number for key, number in value.items()} if several else {name: value}
    self._board.write(step, scalars)

  def close(self) -> None:
    """Ends it."""
    self._file.close()
    self._board.close()


class Reader:
  """What a `Writer` knows, for a process that writes nothing."""

  def __init__(self, workdir: Path, step: int = 0):
    self.history = [line for line in read(workdir) if line['step'] <= step]

  def write(self, step: int, values: dict[str, Any]) -> None:
    """Does nothing: the first process writes."""

  def close(self) -> None:
    """Does nothing."""


class Board:
  """TensorBoard events, written at once (SummaryWriter's thread dies of a full disk, and the run then hangs)."""

  def __init__(self, folder: pathlib.Path, step: int = 0):
    folder.mkdir(parents=True, exist_ok=True)
    self._events = EventsWriter(str(folder / 'events'), f'.{step}')
    if step:  # TensorBoard then hides what an earlier process wrote from this step on
      self._add(step + 1, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))

  def write(self, step: int, scalars: Mapping[str, float]) -> None:
    """Writes {name: number} of a step."""
    values = [summary_pb2.Summary.Value(tag=name, simple_value=number) for name, number in scalars.items()]
    self._add(step, summary=summary_pb2.Summary(value=values))

  def _add(self, step, **content):
    self._events.write_event(event_pb2.Event(wall_time=time.time(), step=step, **content))
    self._events.flush()

  def close(self) -> None:
    """Ends it."""
    self._events.close()


def read(workdir: Path) -> list[dict[str, Any]]:
  """Returns the metrics written so far as dicts; a last line that a kill cut short is left out."""
  path = pathlib.Path(workdir) / 'metrics.jsonl'
  lines = []
  for line in path.read_text(encoding='utf-8').splitlines() if path.exists() else ():
    try:
      lines.append(json.loads(line))
    except json.JSONDecodeError:
      break
  return lines
