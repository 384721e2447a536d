"""Checkpoints of a run; the only module that imports orbax."""

from collections.abc import Callable
import errno
import json
import math
import pathlib
import shutil
from typing import Any

from absl import logging
import jax
from jaxtyping import PyTree
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy as preservation

from medjax.core import axes as axes_lib
from medjax.core import files
from medjax.errors import ArtifactError, CheckpointError
from medjax.saved import checkpoint_folders, loops, manifest, plain_path, sealing, table_hashes
from medjax.saved.files import Path
from medjax.training.state import State

SLACK = 1.05  # bytes needed on disk per byte of state: arrays that do not compress
METADATA = 2**20  # bytes needed besides
WHOLE = 2**16  # bytes of a leaf that is not worth chunks
CHUNKS = table_hashes.PIECES  # of a croppable leaf: to read a 64th of the full width, one of them is read

logging.get_absl_logger().addFilter(lambda record: 'orbax' not in record.pathname)  # what matters of it is raised


def of_all(name: str) -> bool:
  """All files of a checkpoint."""
  return True


def of_model(name: str) -> bool:
  """Whether a file of a checkpoint is needed where the optimizer's state is not."""
  return not name.startswith('rest/')


def of_description(name: str) -> bool:
  """Whether a file of a checkpoint says what the model's tables are, and holds none of them."""
  return of_model(name) and '/d/' not in name


def of_metrics(name: str) -> bool:
  """Whether a file of a checkpoint has its metric."""
  return name.startswith('metrics/')


class Checkpoints:
  """The checkpoints below a folder: the latest few and the best by a metric.

  A checkpoint has two items, so that a crop reads nothing of the optimizer: `model` (the params) and `rest`. Large
  tables are stored in chunks along the axis that a width crops.
  """

  def __init__(
    self,
    directory: Path,
    keep: int = 2,
    read_only: bool = False,
    axes: PyTree = axes_lib.FIXED,
    beside: Path | None = None,
  ):
    """Opens the checkpoints.

    Args:
      directory: where they are, or will be.
      keep: how many of the latest ones stay, besides the best.
      read_only: whether nothing will be saved.
      axes: the `Axes` of the params, or of whole subtrees of them.
      beside: a file that grows during the training; a checkpoint records what it holds by then, see `grown`.
    """
    self._axes, self._beside = axes, None if beside is None else pathlib.Path(beside)
    self._checked: set[tuple[int, Callable[[str], bool]]] = set()
    self.directory = pathlib.Path(directory).resolve()
    if not read_only:
      files.folder(directory)
    self._plain = plain_path.plain(self.directory, self)  # what orbax is told
    for step in checkpoint_folders.steps_in(self.directory):  # of all of which orbax reads the metrics
      checkpoint_folders.check_files(self.directory / str(step))
    policy = preservation.AnyPreservationPolicy(
      [preservation.LatestN(keep), preservation.BestN(get_metric_fn=merit, n=1, keep_checkpoints_without_metrics=False)]
    )
    try:
      with loops.finishing():
        options = ocp.CheckpointManagerOptions(
          create=not read_only,
          read_only=read_only,
          preservation_policy=policy,
          enable_async_checkpointing=False,
          best_fn=merit,
          multiprocessing_options=alone() if read_only else ocp.options.MultiprocessingOptions(),
        )
        self._manager = ocp.CheckpointManager(self._plain, options=options)
    except (ValueError, IsADirectoryError, NotADirectoryError) as error:
      raise self._damaged_metrics(error) from error

  @property
  def latest(self) -> int | None:
    """Step of the newest checkpoint, or None."""
    return self._manager.latest_step()

  @property
  def best(self) -> int | None:
    """Step of the checkpoint with the best metric, or None if none was saved with one.

    Raises:
      CheckpointError: the metric of one of them is damaged, which is looked at once for each.
    """
    for step in self._manager.all_steps():
      self._check_whole(step, of_metrics)
    return self._manager.best_step()

  def save(self, state: State, merit: float | None = None) -> None:
    """Saves a `training.state.State`; a step that is already there is left as it is.

    Args:
      state: the state.
      merit: the validation's at this step, if there was one.

    Raises:
      CheckpointError: the disk is full or refuses; earlier checkpoints are untouched.
    """
    step = int(state.step)
    if step in self._manager.all_steps():
      return
    model, rest = split(state)
    self._check_space(sum(leaf.nbytes for leaf in jax.tree.leaves(state)))
    arguments = ocp.args.Composite(
      model=ocp.args.StandardSave(model, save_args=jax.tree.map(chunks, model, axes_lib.spread(self._axes, model))),
      rest=ocp.args.StandardSave(rest),
    )
    metrics = None if merit is None else {'merit': float(merit), 'step': step}
    try:
      with loops.finishing():
        self._manager.save(step, args=arguments, metrics=metrics)
        self._manager.wait_until_finished()
      if jax.process_index() == 0:
        grown = {} if self._beside is None else {self._beside.name: manifest.digest(self._beside)}
        tables = {} if jax.process_count() > 1 else table_hashes.of_tree(model, axes_lib.spread(self._axes, model))
        sealing.write(self._plain / str(step), below=True, grown=grown, tables=tables)
    except Exception as error:
      full = getattr(error, 'errno', None) == errno.ENOSPC or 'No space left' in str(error)
      reason = 'the disk is full' if full else f'{type(error).__name__}: {error}'
      raise CheckpointError(
        f'the checkpoint of step {step} could not be written to {self.directory}: {reason}. '
        f'{self._last_good()} {"Free some space" if full else "Mend that"} and run the same command to go on.'
      ) from error

  def _check_space(self, nbytes):
    needed, free = nbytes * SLACK + METADATA, shutil.disk_usage(self.directory).free
    if needed > free:
      raise CheckpointError(
        f'no space for a checkpoint in {self.directory}: it may need {needed / 2**20:.1f} MiB and {free / 2**20:.1f} '
        f'MiB are free. {self._last_good()} Free some space and run the same command to go on.'
      )

  def _last_good(self):
    return f'The last good checkpoint is step {self.latest}.' if self.latest is not None else 'There is none before it.'

  def _damaged_metrics(self, error):
    """The manager reads every checkpoint's metrics on opening; returns an error that names the unreadable ones."""
    folders = []
    for path in sorted(self.directory.glob('*/metrics/metrics')):
      try:
        json.loads(path.read_text())
      except (ValueError, RecursionError, OSError):
        folders.append(str(path.parent.parent))
    return CheckpointError(
      f'the metrics in {", ".join(folders) or self.directory} are damaged ({error}). Delete '
      'that folder to go on from an earlier step.'
    )

  def restore(self, like: State, step: int | None = None) -> State:
    """Returns the state at `step` (None is the latest); `like` is a state, or shapes, of the same structure.

    Its arrays are laid out on devices as those of `like` are, whatever devices they were saved from.

    Raises:
      CheckpointError: there is no such checkpoint, or it is damaged.
    """
    step = self.latest if step is None else step
    model, rest = (ocp.args.StandardRestore(here(part)) for part in split(like))
    if jax.process_count() == 1:  # several do not fail alone: they look by `set_damaged_aside`, before they begin
      self._check_whole(step)
    self._check_there(step)
    read = self._read(step, ocp.args.Composite(model=model, rest=rest))
    return like.replace(params=read['model'], **read['rest'])

  def shapes(self, step: int | None = None) -> PyTree:
    """Returns the shapes of the params that are stored at `step` (None is the latest), as a tree like theirs.

    Raises:
      CheckpointError: there is no such checkpoint, or it is damaged.
    """
    step = self.latest if step is None else step
    self._check_whole(step, of_description)
    try:
      with loops.finishing(), ocp.StandardCheckpointer() as reader:
        stored = reader.metadata(self._plain / str(step) / 'model').item_metadata
      if stored is None:
        raise ValueError('its metadata are missing')
      return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(tuple(leaf.shape), leaf.dtype), stored.tree)
    except Exception as error:
      raise self._unreadable(step, first_line(error)) from error

  def restore_params(self, like: PyTree, step: int | None = None) -> PyTree:
    """Returns only the params at `step`; leaves of `like` that are shorter along croppable axes get the first entries.

    Raises:
      CheckpointError: there is no such checkpoint, or it is damaged.
    """
    step = self.latest if step is None else step
    stored, axes = self._check_shapes(like, step), axes_lib.spread(self._axes, like)
    tables = self._manifest(step).tables
    narrow = tables and shapes_of(like) != shapes_of(stored)
    asked = table_hashes.whole_pieces(like, stored, axes, tables) if narrow else None
    if asked is None:
      self._check_whole(step, of_model)
    arguments = ocp.args.Composite(model=ocp.args.StandardRestore(here(asked or like), strict=False))
    read = self._read(step, arguments)['model']
    if asked is None:
      return read
    if found := table_hashes.difference(read, axes, tables):
      raise self._unreadable(step, found)
    return jax.tree.map(lambda leaf, to: leaf[tuple(map(slice, to.shape))], read, like)

  def grown(self, step: int) -> manifest.Entry | None:
    """Returns (bytes, hash) of the file beside as it was when a step was saved, or None where that was not recorded."""
    return None if self._beside is None else self._manifest(step).grown.get(self._beside.name)

  def _manifest(self, step):
    try:
      return manifest.read(self.directory / str(step)) or manifest.Manifest({})
    except ArtifactError as error:
      raise self._unreadable(step, str(error)) from error

  def _read(self, step, arguments):
    try:
      with loops.finishing():
        return self._manager.restore(step, args=arguments)
    except (PermissionError, MemoryError):
      raise  # these do not mean that the checkpoint is damaged
    except Exception as error:
      raise self._unreadable(step, first_line(error)) from error

  def _check_there(self, step):
    steps = self._manager.all_steps()
    if not steps:
      raise CheckpointError(f'{self.directory} holds no checkpoint; train first, or name another workdir')
    if step not in steps:
      raise CheckpointError(f'{self.directory} holds no checkpoint of step {step}; it has {", ".join(map(str, steps))}')

  def _check_whole(self, step, which=of_all):
    """Of a checkpoint, the files that are read next are as they were written."""
    self._check_there(step)
    if (step, which) not in self._checked:
      if found := checkpoint_folders.damage(self.directory / str(step), which):
        raise self._unreadable(step, found)
      self._checked.add((step, which))

  def _check_shapes(self, like, step):
    """Returns the stored shapes. Orbax pads with zeros where more is asked for, so that is refused here."""
    stored = self.shapes(step)
    try:
      triples = jax.tree.leaves(
        jax.tree.map(lambda *x: x, like, stored, axes_lib.spread(self._axes, like)),
        is_leaf=lambda x: isinstance(x, tuple),
      )
    except ValueError as error:
      raise self._unreadable(step, first_line(error)) from error
    for asked, there, axes in triples:
      croppable = {axis for axis, _ in axes.crop}
      if len(asked.shape) != len(there.shape) or any(
        a > b or (a < b and axis not in croppable) for axis, (a, b) in enumerate(zip(asked.shape, there.shape))
      ):
        raise self._unreadable(step, f'it holds a table of shape {there.shape}, but {tuple(asked.shape)} was asked for')
    return stored

  def _unreadable(self, step, reason):
    whole = lambda other: not checkpoint_folders.damage(self.directory / str(other))
    others = [other for other in self._manager.all_steps() if other != step and whole(other)]
    remedy = f'Delete that folder to go on from step {max(others)}.' if others else 'Delete the workdir to start anew.'
    return CheckpointError(
      f'the checkpoint {self.directory / str(step)} is damaged or of another model ({reason}). {remedy}'
    )

  def close(self) -> None:
    """Ends it."""
    self._manager.close()


def merit(metrics: dict[str, Any]) -> tuple[float, int]:
  """What the best checkpoint has most of: merit, and among equal ones it is the earliest."""
  return metrics['merit' if 'merit' in metrics else 'mrr'], -metrics.get('step', 0)  # 'mrr': as 0.1.0 wrote it


def split(state: State) -> tuple[PyTree, dict[str, Any]]:
  """(params, everything else) of a state."""
  return state.params, {'step': state.step, 'opt_state': state.opt_state, 'ok': state.ok}


def alone() -> ocp.options.MultiprocessingOptions:
  """The options of a reader: a process reads by itself and waits for no other one."""
  return ocp.options.MultiprocessingOptions(active_processes={jax.process_index()} if jax.process_count() > 1 else None)


def here(like: PyTree) -> PyTree:
  """Shapes where the arrays of `like` lie, or on this process's first device, wherever they were saved."""
  first = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
  place = lambda leaf: getattr(leaf, 'sharding', None) or first
  return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place(leaf)), like)


def shapes_of(tree: PyTree) -> list[tuple[int, ...]]:
  """The shapes of the leaves of a tree."""
  return [tuple(leaf.shape) for leaf in jax.tree.leaves(tree)]


def chunks(leaf: jax.Array, axes: axes_lib.Axes) -> ocp.SaveArgs:
  """Stores a large table in chunks along the axis that a width crops, so that a crop reads only its share.

  Orbax cuts an axis into its single entries. Along two axes, as kernels are cropped, these would be single numbers.
  """
  if len(axes.crop) != 1 or leaf.nbytes < WHOLE:
    return ocp.SaveArgs()
  shape, axis = list(leaf.shape), axes.crop[0][0]
  shape[axis] = max(1, shape[axis] // CHUNKS)
  return ocp.SaveArgs(chunk_byte_size=math.prod(shape) * leaf.dtype.itemsize + 64, shard_axes=(axis,))


def first_line(error: Exception) -> str:
  """What an error is, in one line."""
  line, *_ = str(error).splitlines() or ['']
  return f'{type(error).__name__}: {line.partition(". See full")[0][:200]}'
