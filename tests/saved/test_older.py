"""What version 0.1.0 wrote is loaded, evaluated and gone on with.

version_0_1_0.tar.gz holds a run of 40 steps with its checkpoints of steps 20 and 40, and its crop to width 8:

  python launch.py --config.data.path=graph --config.model.widths=4,8,12 --config.train.steps=40 \
      --config.train.batch=16 --config.train.negatives=4 --config.train.checkpoint_every=20 \
      --config.train.log_every=20 --config.eval.every=20 --config.train.keep=4 --config.name=rotate
"""

import pathlib
import shutil
import tarfile

import jax
import numpy as np
import pandas as pd
import pytest

import medjax
from medjax.experiments import evaluating, runs
from medjax.report import metrics
from medjax.report.figures import overlap
from medjax.saved import checkpoint, workdir

COLUMNS = ['mrr', 'hits1', 'hits3', 'hits10', 'mr', 'amri']


@pytest.fixture
def older(tmp_path):
  """The folder of the run and of the crop."""
  with tarfile.open(pathlib.Path(__file__).with_name('version_0_1_0.tar.gz')) as packed:
    packed.extractall(tmp_path, filter='data')
  return tmp_path / 'version_0_1_0'


@pytest.mark.parametrize('name', ['run', 'crop'])
def test_it_is_evaluated_to_the_same_figures(older, name):
  before = pd.read_csv(older / name / 'results.csv').set_index('width')
  after = evaluating.evaluate(older / name).set_index('width')
  pd.testing.assert_frame_equal(after[COLUMNS], before[COLUMNS], rtol=1e-6)


def test_its_queries_have_the_same_ranks(older):
  before = overlap.read_ranks(older / 'run')
  evaluating.evaluate(older / 'run', ranks=True)
  for one, other in zip(before, overlap.read_ranks(older / 'run')):
    np.testing.assert_array_equal(one, other)


def test_a_crop_of_the_run_is_the_cropped_model(older):
  run, crop = medjax.load(older / 'run', width=8), medjax.load(older / 'crop')
  assert run.description == crop.description
  jax.tree.map(np.testing.assert_array_equal, run.params, crop.params)


def test_it_is_gone_on_with(older):
  last = medjax.load(older / 'run', step=40).params
  lines = metrics.read(older / 'run')
  shutil.rmtree(older / 'run' / 'checkpoints' / '40')
  runs.train(workdir.read_config(older / 'run'), older / 'run')
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), medjax.load(older / 'run', step=40).params, last
  )
  assert [line['step'] for line in metrics.read(older / 'run')] == [line['step'] for line in lines]
  checkpoints = checkpoint.Checkpoints(older / 'run' / 'checkpoints', read_only=True)
  assert checkpoints.best in (20, 40) and checkpoints.latest == 40  # of metrics called mrr and merit
