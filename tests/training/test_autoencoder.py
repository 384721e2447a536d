"""The loop trains, saves, resumes and crops a task that knows nothing of graphs."""

import os
import signal
import subprocess
import sys

import jax
import numpy as np
import pytest

from medjax.core import axes as axes_lib
from medjax.report import metrics
from medjax.saved import checkpoint
from medjax.training import optimizers
from tests.training import autoencoder
from tests.training.test_resume import wait_for_lines


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
  """(the folder, the last state) of a training that nothing interrupted."""
  folder = tmp_path_factory.mktemp('whole')
  return folder, autoencoder.train(folder)


def merits(folder):
  return [line['valid_fit_by_width'] for line in metrics.read(folder) if 'valid_fit' in line]


def test_every_width_learns_and_a_wider_one_fits_better(trained):
  found = merits(trained[0])
  assert len(found) == 4 and found[-1]['2'] < found[-1]['4'] < found[-1]['8']
  values = np.linalg.svd(autoencoder.ROWS, compute_uv=False)
  for width in autoencoder.WIDTHS.values:  # the best map of rank d leaves out all but the d largest singular values
    best = np.square(values[width:]).sum() / autoencoder.ROWS.size
    assert best <= -found[-1][str(width)] < (1.1 if width < 8 else 3) * best, width


def test_a_killed_training_resumes_bit_for_bit(trained, tmp_path, repository):
  process = subprocess.Popen(
    [sys.executable, '-m', 'tests.training.autoencoder', str(tmp_path)],
    cwd=repository,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.PIPE,
    text=True,
  )
  wait_for_lines(process, tmp_path, 12)
  os.kill(process.pid, signal.SIGKILL)
  process.communicate()
  assert process.returncode == -signal.SIGKILL and metrics.read(tmp_path)[-1]['step'] < 400
  state = autoencoder.train(tmp_path)
  jax.tree.map(np.testing.assert_array_equal, state, trained[1])
  assert merits(tmp_path) == merits(trained[0])


@pytest.mark.parametrize('width', autoencoder.WIDTHS.values)
def test_a_crop_of_the_checkpoint_is_the_sub_model(trained, width):
  folder, state = trained
  checkpoints = checkpoint.Checkpoints(folder / 'checkpoints', read_only=True, axes=autoencoder.AXES)
  cropped = checkpoints.restore_params(axes_lib.crop_shapes(checkpoints.shapes(), autoencoder.AXES, width))
  assert cropped['code']['mixer'].shape == (width, width)
  jax.tree.map(np.testing.assert_array_equal, cropped, axes_lib.crop(state.params, autoencoder.AXES, width))
  score = -float(autoencoder.error(cropped, autoencoder.ROWS))
  assert score == pytest.approx(merits(folder)[-1][str(width)], rel=1e-5)


def test_entries_of_several_axes_learn_as_fast_as_the_narrowest_width_that_has_them():
  updates = jax.tree.map(np.ones_like, autoencoder.make_task().init(jax.random.key(0)))
  scaled = optimizers.by_width(updates, autoencoder.AXES, autoencoder.WIDTHS, 1.0)
  of_row = np.repeat([4.0, 2.0, 1.0], [2, 2, 4])  # 8 / 2, 8 / 4, 8 / 8
  np.testing.assert_array_equal(scaled['decoder'], np.repeat(of_row[:, None], autoencoder.INPUTS, 1))
  np.testing.assert_array_equal(scaled['code']['mixer'], np.minimum(of_row[:, None], of_row))
