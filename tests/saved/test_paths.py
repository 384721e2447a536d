"""Checkpoints in folders of any name, and failures beside which no library prints its own."""

import asyncio
import gc
import os
import pathlib
import subprocess
import sys
import tempfile

import hypothesis
from hypothesis import strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import errors
from medjax.saved import checkpoint, loops, plain_path
from medjax.training import state as state_lib

NAMES = ('run[1]', '[!a]', 'a*', '**', 'a?', 'back\\slash', 'gs:', 'a b', 'per%20cent', '~', '-dash', 'µ-Größe', 'a\nb')


def make_state(step, leaves=2):
  model = {f'leaf{i}': jnp.arange(20000.0).reshape(200, 100) * (i + step) for i in range(leaves)}
  return state_lib.State(jnp.int32(step), {'model': model}, {'mu': model}, jnp.bool_(True))


def same(a, b):
  return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b)))


@pytest.mark.parametrize('name', NAMES)
def test_checkpoints_come_back_from_a_folder_of_any_name_and_after_it_is_renamed(tmp_path, name):
  folder = tmp_path / name / 'checkpoints'
  for neighbour in ('run1', 'a', 'ab'):  # what the name would match as a pattern
    checkpoint.Checkpoints(tmp_path / neighbour / 'checkpoints').save(make_state(9))
  checkpoints = checkpoint.Checkpoints(folder)
  checkpoints.save(make_state(1), 0.5)
  checkpoints.save(make_state(2), 0.4)
  checkpoints.close()
  moved = folder.parent.rename(tmp_path / 'moved') / 'checkpoints'
  moved.rename(moved.with_name('checkpoints[2]'))
  for place in (moved.with_name('checkpoints[2]'), moved):
    if place == moved:
      moved.with_name('checkpoints[2]').rename(moved)
    read = checkpoint.Checkpoints(place, read_only=True)
    assert (read.latest, read.best) == (2, 1) and read.directory == place
    assert same(read.restore(make_state(0)), make_state(2))
    assert same(read.restore_params(read.shapes(1), 1), make_state(1).params)


@hypothesis.settings(deadline=None)
@hypothesis.given(st.text(st.characters(exclude_characters='/\0', codec='utf-8'), min_size=1, max_size=40))
def test_only_letters_and_a_few_signs_are_taken_as_they_are(name):
  folder, owner = pathlib.Path('/') / name, type('Owner', (), {})()
  plain = plain_path.plain(folder, owner)
  assert not set('[]*?\\:') & set(str(plain))
  assert plain == folder or os.readlink(plain) == str(folder)
  del owner
  assert plain == folder or not plain.parent.exists()


def test_a_folder_is_refused_where_no_link_can_be_made(tmp_path, monkeypatch):
  monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'nowhere'))
  with pytest.raises(errors.CheckpointError, match=r'checkpoints cannot be kept in .*run\[1\].*Name another --workdir'):
    checkpoint.Checkpoints(tmp_path / 'run[1]')
  assert plain_path.plain(tmp_path, test_a_folder_is_refused_where_no_link_can_be_made) == tmp_path


def test_a_loop_waits_for_what_began_in_it():
  async def fail():
    raise ValueError('one of two')

  async def later(ended):
    await asyncio.sleep(0.05)
    ended.append(True)

  async def both(ended):
    await asyncio.gather(later(ended), fail())

  ended, loop = [], loops.Finishing()
  with pytest.raises(ValueError, match='one of two'):
    loop.run_until_complete(both(ended))
  assert not ended
  loop.close()
  loop.close()
  assert ended == [True] and loop.is_closed()


@pytest.mark.parametrize('turns', range(6))
def test_a_loop_hears_of_failures_that_end_as_it_stops(turns):
  async def fail(turns):
    for _ in range(turns):
      await asyncio.sleep(0)
    raise ValueError(f'in turn {turns}')

  async def both():
    await asyncio.gather(fail(0), fail(turns))

  told, loop = [], loops.Finishing()
  loop.set_exception_handler(lambda loop, context: told.append(context['message']))
  with pytest.raises(ValueError, match='in turn 0'):
    loop.run_until_complete(both())
  loop.close()
  gc.collect()  # a task that is dropped tells of a failure that nobody asked for
  assert not told


def test_a_loop_that_is_dropped_is_closed_in_another():
  async def close(loop):
    loop.close()

  loop = loops.Finishing()
  asyncio.run(close(loop))
  assert loop.is_closed()


READING = """
import pathlib, sys
sys.path.insert(0, 'tests/saved')
from test_paths import make_state
from medjax import errors
from medjax.saved import checkpoint
folder = pathlib.Path(sys.argv[1])
checkpoint.Checkpoints(folder).save(make_state(1, 8))
files = sorted(folder.rglob('d/*'), key=lambda path: -path.stat().st_size)
files[0].write_bytes(files[0].read_bytes()[:1000])
for _ in range(3):
  try:
    checkpoint.Checkpoints(folder).restore(make_state(0, 8))
  except errors.CheckpointError as error:
    print('is damaged' in str(error) and 'See full' not in str(error))
"""
WRITING = """
import pathlib, resource, sys
sys.path.insert(0, 'tests/saved')
from test_paths import make_state
from medjax import errors
from medjax.saved import checkpoint
checkpoints = checkpoint.Checkpoints(sys.argv[1])
state = make_state(1, 8)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))  # files of more bytes cannot be written
for _ in range(3):
  try:
    checkpoints.save(state)
  except errors.CheckpointError as error:
    print('could not be written' in str(error))
"""


@pytest.mark.parametrize('program', [READING, WRITING], ids=['reading', 'writing'])
def test_a_failure_prints_nothing_besides(tmp_path, repository, program):
  done = subprocess.run(
    [sys.executable, '-c', program, str(tmp_path / 'checkpoints')],
    cwd=repository,
    capture_output=True,
    text=True,
    timeout=120,
  )
  assert done.stderr == '' and done.stdout == 'True\n' * 3
