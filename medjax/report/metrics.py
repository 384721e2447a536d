"""Metrics of a run, as lines of JSON and as TensorBoard events."""
import json
import os
import pathlib

from tensorboardX import SummaryWriter


class Writer:
  """Appends to metrics.jsonl and tensorboard/ of a workdir; a resumed run drops what lies past its step.

  Attributes:
    history: the lines up to that step, as dicts.
  """

  def __init__(self, workdir, step=0):
    self._path = pathlib.Path(workdir) / 'metrics.jsonl'
    self.history = [line for line in read(workdir) if line['step'] <= step]
    partial = self._path.with_suffix('.jsonl.tmp')
    partial.write_text(''.join(json.dumps(line) + '\n' for line in self.history))
    os.replace(partial, self._path)
    self._file = self._path.open('a', encoding='utf-8')
    self._board = SummaryWriter(str(pathlib.Path(workdir) / 'tensorboard'), purge_step=step + 1 if step else None)

  def write(self, step, values):
    """Writes {name: number or list of numbers} of a step; it is on disk when this returns."""
    self._file.write(json.dumps({'step': step} | values) + '\n')
    self._file.flush()
    os.fsync(self._file.fileno())
    for name, value in values.items():
      if isinstance(value, (int, float)):
        self._board.add_scalar(name, value, step)
      elif isinstance(value, dict):
        for key, number in value.items():
          self._board.add_scalar(f'{name}/{key}', number, step)

  def close(self):
    self._file.close()
    self._board.close()


def read(workdir):
  """Returns the metrics written so far as dicts; a last line that a kill cut short is left out."""
  path = pathlib.Path(workdir) / 'metrics.jsonl'
  lines = []
  for line in path.read_text(encoding='utf-8').splitlines() if path.exists() else ():
    try:
      lines.append(json.loads(line))
    except json.JSONDecodeError:
      break
  return lines
