"""Checkpoints: which stay, what a damaged one says, and disks without space."""

import collections
import errno
import os
import shutil
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import errors
from medjax.core import axes as axes_lib
from medjax.saved import checkpoint
from medjax.training import state as state_lib

AXES = {'model': axes_lib.columns(), 'objective': axes_lib.FIXED}


def make_state(step, length=8):
  table = np.arange(40 * length, dtype=np.float32).reshape(40, length) + step
  params = {
    'model': {'entity': {'re': table, 'im': -table}, 'relation': {'phase': table[:3] / 7}},
    'objective': {},
  }
  params = jax.tree.map(jnp.asarray, params)
  return state_lib.State(jnp.int32(step), params, {'mu': params}, jnp.bool_(True))


def save(folder, steps, keep=2, mrrs=()):
  checkpoints = checkpoint.Checkpoints(folder, keep, axes=AXES)
  for step in steps:
    checkpoints.save(make_state(step), dict(mrrs).get(step))
  return checkpoints


def steps_in(folder):
  return sorted(int(entry.name) for entry in folder.iterdir())


def test_a_state_comes_back_exactly(tmp_path):
  back = save(tmp_path, [3]).restore(make_state(0))
  assert jax.tree.structure(back) == jax.tree.structure(make_state(3))
  assert all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(back), jax.tree.leaves(make_state(3))))


def test_the_latest_and_the_best_stay(tmp_path):
  checkpoints = save(tmp_path, range(7), keep=2, mrrs={1: 0.2, 2: 0.5, 4: 0.3})
  assert steps_in(tmp_path) == [2, 5, 6]
  assert (checkpoints.latest, checkpoints.best) == (6, 2)


def test_of_equally_good_checkpoints_the_first_is_best(tmp_path):
  assert save(tmp_path, range(5), mrrs={1: 0.5, 2: 0.5, 3: 0.5}).best == 1
  assert checkpoint.Checkpoints(tmp_path, read_only=True).best == 1


def test_no_metric_means_no_best(tmp_path):
  checkpoints = save(tmp_path, range(4), keep=1)
  assert (checkpoints.latest, checkpoints.best) == (3, None)


def files(folder, least=0):
  return [path for path in folder.rglob('*') if path.is_file() and path.stat().st_size > least]


def truncate(paths):
  for path in paths:
    os.truncate(path, path.stat().st_size // 2)


DAMAGES = {
  'every file cut': lambda folder: truncate(files(folder)),
  'every big file cut': lambda folder: truncate(files(folder, 200)),
  'tables cut': lambda folder: truncate(p for p in files(folder) if p.parent.name == 'd'),
  'tables lost': lambda folder: [p.unlink() for p in files(folder) if p.parent.name == 'd'],
  'big files lost': lambda folder: [p.unlink() for p in files(folder, 200)],
  'params lost': lambda folder: shutil.rmtree(folder / 'model'),
  'everything lost': lambda folder: [shutil.rmtree(folder), folder.mkdir()],
}


@pytest.mark.parametrize('damage', DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_names_itself_and_the_remedy_works(tmp_path, damage):
  save(tmp_path, [1, 2], mrrs={1: 0.5, 2: 0.6})
  damage(tmp_path / '2')
  with pytest.raises(errors.CheckpointError) as caught:
    checkpoint.Checkpoints(tmp_path).restore(make_state(0))
  assert f'{tmp_path}/2 ' in str(caught.value) and 'Delete that folder to go on from' in str(caught.value)
  shutil.rmtree(tmp_path / '2')
  assert int(checkpoint.Checkpoints(tmp_path).restore(make_state(0)).step) == 1


def test_a_step_that_is_not_there_is_refused(tmp_path):
  with pytest.raises(errors.CheckpointError, match='no checkpoint of step 3; it has 1, 2'):
    save(tmp_path, [1, 2]).restore(make_state(0), 3)


def shapes(state, length, rows=40):
  return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((min(rows, leaf.shape[0]), length), leaf.dtype), state.params)


def test_a_crop_is_exactly_the_prefix(tmp_path):
  cropped = save(tmp_path, [3]).restore_params(shapes(make_state(0), 3))
  expected = jax.tree.map(lambda leaf: leaf[:, :3], make_state(3).params)
  assert jax.tree.structure(cropped) == jax.tree.structure(expected)
  assert all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(cropped), jax.tree.leaves(expected)))


@pytest.mark.parametrize('leaf', ['entity/re', 'relation/phase'])
def test_what_is_read_of_a_narrow_width_is_compared_with_its_hashes(tmp_path, monkeypatch, leaf):
  save(tmp_path, [3])
  read, (table, name) = checkpoint.Checkpoints._read, leaf.split('/')

  def damaged(self, step, arguments):
    found = read(self, step, arguments)
    found['model']['model'][table][name] = found['model']['model'][table][name].at[1, 2].add(1e-3)
    return found

  checkpoints = checkpoint.Checkpoints(tmp_path, read_only=True, axes=AXES)
  checkpoints.restore_params(shapes(make_state(0), 3))
  monkeypatch.setattr(checkpoint.Checkpoints, '_read', damaged)
  with pytest.raises(errors.CheckpointError, match=f'model/{leaf} was changed'):
    checkpoints.restore_params(shapes(make_state(0), 3))


@pytest.mark.parametrize('length, rows', [(9, 40), (8, 39), (8, 3)])
def test_another_shape_than_a_prefix_is_refused(tmp_path, length, rows):
  checkpoints = save(tmp_path, [3])
  with pytest.raises(errors.CheckpointError, match='of another model'):
    checkpoints.restore_params(shapes(make_state(0), length, rows))


def test_more_rows_than_stored_are_refused(tmp_path):
  checkpoints, like = save(tmp_path, [3]), shapes(make_state(0), 8)
  like['model']['entity'] = {name: jax.ShapeDtypeStruct((41, 8), jnp.float32) for name in ('re', 'im')}
  with pytest.raises(errors.CheckpointError, match=r'\(40, 8\), but \(41, 8\) was asked for'):
    checkpoints.restore_params(like)


def test_a_state_of_another_shape_is_refused(tmp_path):
  with pytest.raises(errors.CheckpointError, match='of another model'):
    save(tmp_path, [3]).restore(make_state(0, length=10))


def test_too_little_space_is_noticed_before_writing(tmp_path, monkeypatch):
  checkpoints = save(tmp_path, [1])
  usage = collections.namedtuple('Usage', 'total used free')(2**30, 2**30 - 1000, 1000)
  monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage)
  with pytest.raises(errors.CheckpointError, match='no space .* last good checkpoint is step 1. Free some space'):
    checkpoints.save(make_state(2))
  assert steps_in(tmp_path) == [1]


def test_a_disk_that_fills_up_while_writing_spares_the_earlier_checkpoints(tmp_path, monkeypatch):
  checkpoints = save(tmp_path, [1])

  def write(*args, **kwargs):
    raise OSError(errno.ENOSPC, 'No space left on device')

  with monkeypatch.context() as patch:
    patch.setattr(checkpoint.ocp.StandardCheckpointHandler, 'async_save', write)
    patch.setattr(checkpoint.ocp.StandardCheckpointHandler, 'save', write)
    with pytest.raises(errors.CheckpointError, match='the disk is full. The last good checkpoint is step 1'):
      checkpoints.save(make_state(2))
  checkpoints = checkpoint.Checkpoints(tmp_path)
  assert checkpoints.latest == 1
  assert int(checkpoints.restore(make_state(0)).step) == 1
  checkpoints.save(make_state(2))
  assert checkpoint.Checkpoints(tmp_path, read_only=True).latest == 2


def test_reading_makes_no_noise(trained, capfd, caplog):
  checkpoint.Checkpoints(trained / 'checkpoints', read_only=True)
  assert capfd.readouterr() == ('', '') and not caplog.records


OTHER_DEVICE = """
import os, sys
os.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=2'
import jax
from medjax.saved import checkpoint
from medjax.training import state
with jax.default_device(jax.devices()[1]):
  table = jax.numpy.arange(12.0).reshape(3, 4)
saved = state.State(jax.numpy.int32(7), {'model': {'entity': {'re': table}}}, {'m': table}, jax.numpy.bool_(True))
checkpoint.Checkpoints(sys.argv[1]).save(saved)
"""


def test_a_checkpoint_of_a_device_that_is_not_here_is_read(tmp_path):
  subprocess.run([sys.executable, '-c', OTHER_DEVICE, str(tmp_path)], check=True, capture_output=True, timeout=120)
  table = jnp.zeros((3, 4))
  like = state_lib.State(jnp.int32(0), {'model': {'entity': {'re': table}}}, {'m': table}, jnp.bool_(True))
  checkpoints = checkpoint.Checkpoints(tmp_path, read_only=True, axes=axes_lib.columns())
  restored = checkpoints.restore(like)
  np.testing.assert_array_equal(restored.opt_state['m'], np.arange(12.0).reshape(3, 4))
  part = checkpoints.restore_params({'model': {'entity': {'re': jax.ShapeDtypeStruct((3, 2), jnp.float32)}}})
  np.testing.assert_array_equal(part['model']['entity']['re'], np.arange(12.0).reshape(3, 4)[:, :2])
