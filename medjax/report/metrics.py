"""Metrics of a run as lines of JSON, which trackers follow."""

from collections.abc import Mapping
import json
import os
import pathlib
from typing import Any

import pandas as pd

from medjax.core import files
from medjax.report.trackers import following
from medjax.saved.files import Path

MEASURES = ('mrr', 'hits1', 'hits3', 'hits10', 'mr', 'amri')


class Writer:
  """Appends to metrics.jsonl of a workdir; a resumed run drops what lies past its step.

  Attributes:
    history: the lines up to that step, as dicts.
  """

  def __init__(self, workdir: Path, step: int = 0, follow: following.Following = following.NONE):
    self._path, self._follow = pathlib.Path(workdir) / 'metrics.jsonl', follow
    self.history = [line for line in read(workdir) if line['step'] <= step]
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

  def __init__(self, workdir: Path, step: int = 0):
    self.history = [line for line in read(workdir) if line['step'] <= step]

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
  """Returns the metrics written so far as dicts; a last line that a kill cut short is left out."""
  path = pathlib.Path(workdir) / 'metrics.jsonl'
  lines = []
  for line in path.read_text(encoding='utf-8').splitlines() if path.exists() else ():
    try:
      lines.append(json.loads(line))
    except json.JSONDecodeError:
      break
  return lines
