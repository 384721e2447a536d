"""Metrics of a run as lines of JSON, which trackers follow."""

from collections.abc import Mapping
import io
import json
import os
import pathlib
from typing import Any

import pandas as pd

from medjax.core import files
from medjax.errors import ArtifactError
from medjax.report.trackers import following
from medjax.saved import manifest, schemas
from medjax.saved.files import LARGEST_TEXT, LINE, Path, read_bytes, reading

FILE = 'metrics.jsonl'
MEASURES = ('mrr', 'hits1', 'hits3', 'hits10', 'mr', 'amri')
Number = int | float
Line = dict[str, Number | dict[str, Number]]


class Writer:
  """Appends to metrics.jsonl of a workdir; a resumed run drops what lies past its step, see `history`.

  Attributes:
    history: the lines up to that step, as dicts.
  """

  def __init__(
    self,
    workdir: Path,
    step: int = 0,
    follow: following.Following = following.NONE,
    recorded: manifest.Entry | None = None,
  ):
    self._path, self._follow = pathlib.Path(workdir) / FILE, follow
    self.history = history(workdir, step, recorded)
    files.write_text(self._path, ''.join(json.dumps(line) + '\n' for line in self.history))
    self._file = files.appending(self._path)
    follow.begin(step, [(line['step'], scalars(line)) for line in self.history])

  def write(self, step: int, values: dict[str, Any]) -> None:
    """Writes {name: number, or {key: number}} of a step; it is on disk when this returns, and trackers are told."""
    self._file.write(json.dumps({'step': step} | values) + '\n')
    self._file.flush()
    os.fsync(self._file.fileno())
    self._follow.log(step, scalars(values))

  def close(self) -> None:
    """Ends it."""
    self._file.close()


def scalars(values: Mapping[str, Any]) -> dict[str, float]:
  """Returns {name: number} of a line {name: number, or {key: number}}, without its step.

  >>> scalars({'step': 20, 'loss': 1.0, 'width_loss': {'10': 2.0}})
  {'loss': 1.0, 'width_loss/10': 2.0}
  """
  flat: dict[str, float] = {}
  for name, value in values.items():
    flat |= {f'{name}/{key}': number for key, number in value.items()} if isinstance(value, dict) else {name: value}
  flat.pop('step', None)
  return flat


class Reader:
  """What a `Writer` knows, for a process that writes nothing."""

  def __init__(self, workdir: Path, step: int = 0, recorded: manifest.Entry | None = None):
    self.history = history(workdir, step, recorded)

  def write(self, step: int, values: dict[str, Any]) -> None:
    """Does nothing: the first process writes."""

  def close(self) -> None:
    """Does nothing."""


def of_results(results: pd.DataFrame, split: str) -> dict[str, float]:
  """Returns {split_measure/width: number} of results, as trackers are told them."""
  return {
    f'{split}_{name}/{width}': float(value)
    for name in MEASURES
    for width, value in zip(results['width'], results[name])
  }


def read(workdir: Path) -> list[dict[str, Any]]:
  """Returns the metrics written so far as dicts; a last line that a kill cut short is left out.

  Raises:
    ArtifactError: the file is damaged; the line is named.
  """
  path = pathlib.Path(workdir) / FILE
  if not path.exists():
    return []
  with reading(path):
    return parse(read_bytes(path, LARGEST_TEXT))


def history(workdir: Path, step: int, recorded: manifest.Entry | None = None) -> list[dict[str, Any]]:
  """Returns the metrics that a training goes on from.

  Args:
    workdir: of the run.
    step: that it goes on from.
    recorded: (bytes, hash) of the file when the checkpoint of that step was saved: later lines are of steps that are
      trained again. None: of a checkpoint that did not record it, the lines up to the step.

  Raises:
    ArtifactError: what was there by then is damaged, by which an early stop would decide.
  """
  path = pathlib.Path(workdir) / FILE
  if recorded is None:
    return [line for line in read(workdir) if line['step'] <= step]
  size, expected = recorded
  with reading(path):
    content = read_bytes(path, LARGEST_TEXT)[:size] if size or path.exists() else b''
    if manifest.hash_of(content) != expected or len(content) != size:
      raise ArtifactError(
        f'{path} is damaged: its first {size:,} bytes are not those that the checkpoint of step {step} recorded. '
        'Restore it from a copy; or delete the checkpoints from that step on, to go on from an earlier one'
      )
    return parse(content)


def parse(content: bytes) -> list[dict[str, Any]]:
  """Returns lines of metrics as dicts, without a last one that has no end; raises ValueError, which names the line."""
  lines: list[dict[str, Any]] = []
  file = io.BytesIO(content)  # which copies nothing, as a list of all lines would
  for number, line in enumerate(iter(lambda: file.readline(LINE), b''), 1):
    if not line.endswith(b'\n') and len(line) < LINE:
      break
    try:
      values = schemas.convert(json.loads(line), Line)  # json also reads the NaN that Python writes
      if type(values['step']) is not int:
        raise ValueError(f'step is {values["step"]!r}')
    except (ValueError, LookupError, RecursionError) as error:
      raise ValueError(f'line {number} holds no metrics of a step ({type(error).__name__}: {error})') from error
    lines.append(values)
  return lines
