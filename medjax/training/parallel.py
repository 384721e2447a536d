"""Layouts: how a training lies on devices, and what they exchange.

The step is the function of one device. It draws the whole batch (ids only), takes its share of it along the mesh axis
`data`, and holds along the mesh axis `width` its share of every leaf that declares an axis to split. Along `data`,
gradients are averaged; along `width`, only sub-model scores are added up (see `core.prefix.prefix_sums`).
"""

from collections.abc import Callable
import dataclasses
from typing import Any, TypeVar

import jax
from jax.experimental import multihost_utils
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Bool, PyTree
import numpy as np
import optax

from medjax import errors
from medjax.config.fields import ParallelConfig
from medjax.core import axes as axes_lib
from medjax.core.widths import Widths
from medjax.training import processes
from medjax.training.state import State

DATA, WIDTH = 'data', 'width'
T = TypeVar('T')


@dataclasses.dataclass(frozen=True, eq=False)
class Layout:
  """Where tables and batches lie.

  Attributes:
    data, width: shares of the batch and of the dimensions.
    mesh: the devices [data, width], or None for one device.
    pmap: whether the step is mapped by `jax.pmap` instead of `jax.shard_map`.
    couples: whether an example's loss depends on the others of its batch.
  """

  data: int = 1
  width: int = 1
  mesh: jax.sharding.Mesh | None = None
  pmap: bool = False
  couples: bool = False

  def split(self, widths: Widths) -> Widths:
    """`Widths` of the components that a device holds."""
    return widths.split(self.width, WIDTH) if self.width > 1 else widths

  def share_index(self) -> Array:
    """Which share of the batch this device has, of `data` of them."""
    return jax.lax.axis_index(DATA)

  def gather_batch(self, scores: T) -> T:
    """Of a tree of arrays [share, ...] those of the whole batch, if the objective looks at them together.

    Every device then makes the same loss, so its gradient comes back once from each; `mean` makes one of them.
    """
    if self.data == 1 or not self.couples:
      return scores
    return jax.tree.map(lambda x: jax.lax.all_gather(x, DATA, tiled=True), scores)

  def mean(self, tree: T) -> T:
    """Mean over the shares of the batch."""
    return jax.lax.pmean(tree, DATA) if self.data > 1 else tree

  def all_devices(self, ok: Bool[Array, '']) -> Bool[Array, '']:
    """Whether it holds on every device."""
    axes = tuple(name for name, size in ((DATA, self.data), (WIDTH, self.width)) if size > 1)
    return jax.lax.pmin(ok.astype(jnp.int32), axes).astype(bool) if axes else ok

  def compile(self, dispatch: Callable[..., Any], specs: PyTree = None) -> Callable[..., Any]:
    """Compiles dispatch(state, data, count) -> (state, losses of the widths, loss) of one device for all of them.

    Args:
      dispatch: the function of one device.
      specs: how the state's leaves are split over the mesh, see `state_specs`.
    """
    if self.mesh is None:
      return jax.jit(dispatch, donate_argnums=0)
    if self.pmap:
      mapped = jax.pmap(
        dispatch, DATA, in_axes=(None, None, 0), out_axes=None, donate_argnums=0, devices=list(self.mesh.devices.flat)
      )
      return lambda state, data, count: mapped(state, data, jnp.full(self.data, count))
    mapped = jax.shard_map(
      dispatch, mesh=self.mesh, in_specs=(specs, P(), P()), out_specs=(specs, P(), P()), check_vma=False
    )
    return jax.jit(mapped, donate_argnums=0)

  def make(self, init: Callable[[], State], specs: PyTree = None) -> State:
    """Returns the state that `init` makes, laid out by its specs; no device holds more than its share."""
    if self.mesh is None:
      return init()
    place = lambda spec: NamedSharding(self.mesh, P() if self.pmap else spec)
    return jax.jit(init, out_shardings=jax.tree.map(place, specs))()

  def replicate(self, tree: PyTree) -> PyTree:
    """Puts the same arrays of the host on every device; every process has to have them."""
    if self.mesh is None:
      return jax.tree.map(jnp.asarray, tree)
    whole = NamedSharding(self.mesh, P())
    place = lambda x: jax.make_array_from_callback(x.shape, whole, lambda where: np.asarray(x[where]))
    return jax.tree.map(place, tree)

  def gather_tables(self, tree: PyTree) -> PyTree:
    """Arrays of the layout, whole, on one device of this process."""
    if self.mesh is None:
      return tree
    return jax.tree.map(
      jnp.asarray,
      multihost_utils.process_allgather(tree, tiled=True) if processes.several() else jax.tree.map(np.asarray, tree),
    )


ONE = Layout()


def state_specs(like: State, axes: PyTree, optimizer: optax.GradientTransformation) -> State:
  """Returns how the leaves of a state are split over a mesh, by the declared axes of its parameters.

  Args:
    like: a state, or its shapes.
    axes: the `core.axes.Axes` of its parameters, or of whole subtrees; the optimizer's leaves lie as theirs.
    optimizer: whose state it has.
  """
  spec = lambda one: P() if one.split is None else P(*[None] * one.split, WIDTH)
  of_params = jax.tree.map(spec, axes_lib.spread(axes, like.params))
  of_optimizer = optax.tree_utils.tree_map_params(
    optimizer, lambda _, spec: spec, like.opt_state, of_params, transform_non_params=lambda _: P()
  )
  return State(P(), of_params, of_optimizer, P())  # type: ignore[arg-type]  # specs in the place of arrays


def make_layout(
  settings: ParallelConfig,
  widths: Widths,
  couples: bool = False,
  check_batch: Callable[[int], None] = lambda shares: None,
) -> Layout:
  """Returns the `Layout` of a resolved configuration on the devices that are here.

  Args:
    settings: the `ParallelConfig`.
    widths: the sub-models.
    couples: whether an example's loss depends on the others of its batch.
    check_batch: raises ParallelError for a number of shares that the batch does not split into.

  Raises:
    ParallelError: more devices are asked for than there are, or the batch does not split over them.
    WidthError: the dimensions do not split over them.
  """
  mode = settings.mode
  if mode == 'jit':
    return ONE
  if settings.distributed and not jax.distributed.is_initialized():
    raise errors.ParallelError(
      'config.parallel.distributed=True: the processes were not joined; --mode=train joins them, and in a program of '
      'your own call medjax.training.processes.initialize() first'
    )
  devices = jax.local_devices() if mode == 'pmap' else jax.devices()
  data = len(devices) if mode == 'pmap' else settings.data
  width = 1 if mode == 'pmap' else settings.width or len(devices) // data
  if not 0 < data * width <= len(devices):
    raise errors.ParallelError(
      f'config.parallel.data={data} and width={width} take {data * max(width, 1)} devices; there are {len(devices)}'
    )
  if processes.several() and data * width != len(devices):
    raise errors.ParallelError(
      f'config.parallel.data={data} and width={width} use {data * width} of the '
      f'{len(devices)} devices of all processes; with several processes all have to be used'
    )
  check_batch(data)
  shape, names = ((data,), (DATA,)) if mode == 'pmap' else ((data, width), (DATA, WIDTH))
  mesh = jax.make_mesh(shape, names, axis_types=(AxisType.Auto,) * len(shape), devices=devices[: data * width])
  layout = Layout(data, width, mesh, mode == 'pmap', couples)
  layout.split(widths)
  return layout
