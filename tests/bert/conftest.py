"""Labelled sentences and a run on them that several files share."""

import pytest

from medjax.experiments import text_training
from tests.bert import labelled

SMALL = {
  'objective.name': 'direct',
  'bert.widths': '16',
  'bert.layers': 1,
  'train.epochs': 0.0,
  'train.steps': 10,
  'eval.every': 0,
}


@pytest.fixture(scope='session')
def labelled_data(tmp_path_factory):
  """A folder with train.tsv and dev.tsv."""
  return labelled.write(tmp_path_factory.mktemp('labelled') / 'data')


@pytest.fixture(scope='session')
def small_run(labelled_data, tmp_path_factory):
  """The workdir of a short training of one narrow layer, for reading only."""
  workdir = tmp_path_factory.mktemp('small') / 'run'
  text_training.train(labelled.config(labelled_data, SMALL), workdir)
  return workdir
