"""Runs of MLflow; the only module that imports mlflow."""

from collections.abc import Iterator, Mapping
import itertools
import logging
import os
import time
from typing import Any

from medjax import config as config_lib
from medjax.report.trackers.following import Scalars, Start

BATCH = 100  # MLflow takes so many parameters at once, and ten times as many metrics


def packages() -> tuple[str, ...]:
  """Returns the packages that a run needs: those of a database too, unless $MLFLOW_TRACKING_URI is none."""
  place = os.environ.get('MLFLOW_TRACKING_URI') or 'sqlite'
  return ('mlflow', 'sqlalchemy', 'alembic') if place.startswith('sqlite') else ('mlflow',)


class Run:
  """A run of the experiment $MLFLOW_EXPERIMENT_NAME, or 'medjax', at $MLFLOW_TRACKING_URI, or mlflow.db here."""

  rewinds = False

  def __init__(self, start: Start):
    import mlflow

    for name in ('mlflow', 'alembic'):  # which tell of the making of tables
      logging.getLogger(name).setLevel(logging.ERROR)

    self._entities = mlflow.entities
    self._client = mlflow.MlflowClient()
    self.run = start.run
    if self.run and self._is_there(mlflow.MlflowException):
      self._client.update_run(self.run, status='RUNNING')
    else:
      self.run = self._new(start)
    self.place = f'run {self.run} of {mlflow.get_tracking_uri()}'

  def _is_there(self, missing: type[Exception]) -> bool:
    try:
      return self._client.get_run(self.run).info.lifecycle_stage == 'active'
    except missing:  # deleted, or another place
      return False

  def _new(self, start: Start) -> str:
    name = os.environ.get('MLFLOW_EXPERIMENT_NAME') or 'medjax'
    there = self._client.get_experiment_by_name(name)
    experiment = there.experiment_id if there else self._client.create_experiment(name)
    run = self._client.create_run(experiment, run_name=start.name).info.run_id
    for some in pieces(config_lib.flatten(start.config)):
      params = [self._entities.Param(name, str(value)) for name, value in some]
      self._client.log_batch(run, params=params)
    return run

  def log(self, step: int, values: Scalars) -> None:
    """Adds a line; it has arrived when this returns."""
    now = int(time.time() * 1000)
    for some in pieces(values):
      metrics = [self._entities.Metric(name, value, now, step) for name, value in some]
      self._client.log_batch(self.run, metrics=metrics)

  def close(self, failed: bool) -> None:
    """Says how it ended."""
    self._client.set_terminated(self.run, 'FAILED' if failed else 'FINISHED')


def pieces(values: Mapping[str, Any]) -> Iterator[list[tuple[str, Any]]]:
  """Yields the items, at most `BATCH` at once."""
  items = iter(values.items())
  while some := list(itertools.islice(items, BATCH)):
    yield some
