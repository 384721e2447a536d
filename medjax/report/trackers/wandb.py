"""Runs of Weights & Biases; the only module that imports wandb."""

import os

from medjax import config as config_lib
from medjax.report.trackers.following import Scalars, Start


class Run:
  """A run of the project $WANDB_PROJECT, or 'medjax'; wandb's own variables say where and whether online.

  Its axis is the metric 'step', since wandb's own steps may not go back, which a resumed training does.
  """

  rewinds = False

  def __init__(self, start: Start):
    import wandb

    self._run = wandb.init(
      project=os.environ.get('WANDB_PROJECT') or 'medjax',
      name=start.name,
      dir=str(start.workdir),
      config=config_lib.flatten(start.config),
      id=start.run or None,
      resume='allow' if start.run else None,
      settings=wandb.Settings(silent=True, console='off'),
    )
    self._run.define_metric('*', step_metric='step')
    self.run = self._run.id
    self.place = f'run {self.run}, offline in {start.workdir / "wandb"}' if self._run.offline else str(self._run.url)

  def log(self, step: int, values: Scalars) -> None:
    """Adds a line."""
    self._run.log({'step': step} | dict(values))

  def close(self, failed: bool) -> None:
    """Sends what is left, and ends it."""
    self._run.finish(exit_code=int(failed))
