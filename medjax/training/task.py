"""What a training needs to know of what it trains: a record of functions.

The loop, the step, layouts, checkpoints and rates by width take everything that is particular from a `Task`, and know
nothing else of it: not what its parameters are, nor where its examples come from.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
from jaxtyping import Array, Float, Int32, PyTree
import optax

from medjax.config.fields import TrainConfig
from medjax.core.sub_models import Drawings
from medjax.core.widths import Widths
from medjax.training import optimizers


class Init(Protocol):
  """Returns the parameters before the first step."""

  def __call__(self, key: jax.Array) -> PyTree: ...


class MakeBatch(Protocol):
  """Returns the whole batch of a step: a function of (key, step), so that a resumed run goes on alike."""

  def __call__(self, key: jax.Array, step: Int32[Array, ''], data: PyTree) -> Any: ...


class ValueAndGrad(Protocol):
  """Returns ((loss [], losses of the sub-models [K]), gradients like the parameters) of a device's share of a batch.

  `drawn` has the places of the K sub-models that are trained now, see `core.sub_models`, or is None for all of them.
  """

  def __call__(
    self, params: PyTree, batch: Any, drawn: Int32[Array, ' K'] | None, step: Int32[Array, '']
  ) -> tuple[tuple[Float[Array, ''], Float[Array, ' K']], PyTree]: ...


class Validate(Protocol):
  """Returns (merit, {width: merit}), higher is better; the first decides on the best checkpoint and on stopping."""

  def __call__(self, params: PyTree) -> tuple[float, dict[int, float]]: ...


class Touched(NamedTuple):
  """The rows of tables that a batch touches, see `training.sparse`.

  Attributes:
    rows: {name: sorted distinct ids int32 [n], padded with the number of rows}.
    tables: the name in `rows` of every leaf, or of whole subtrees; '' for leaves that are taken whole.
    batch: the batch with places among those rows instead of ids.
  """

  rows: dict[str, Int32[Array, ' n']]
  tables: PyTree
  batch: Any


class Task(NamedTuple):
  """What is trained.

  Attributes:
    init: key -> parameters.
    batch: (key, step, data) -> the batch of a step.
    value_and_grad: (params, batch, drawn, step) -> ((loss, losses of the sub-models [K]), gradients).
    validate: params -> (merit, {width: merit}).
    axes: the `core.axes.Axes` of the parameters, or of whole subtrees of them.
    widths: the sub-models.
    data: arrays that `batch` draws from; every device has them.
    merit: what validation measures, as lines of metrics call it.
    local_batch: the whole batch -> this device's share of it, under the task's layout.
    constrain: parameters after an update -> parameters in their range.
    touched: (params, batch) -> the `Touched` rows, for updates of no other rows; None updates densely.
    drawings: the places of the sub-models that a step may train, see `core.sub_models`; None trains all.
    optimizer: what makes the optimizer of a configuration.
  """

  init: Init
  batch: MakeBatch
  value_and_grad: ValueAndGrad
  validate: Validate
  axes: PyTree
  widths: Widths
  data: PyTree = ()
  merit: str = 'merit'
  local_batch: Callable[[Any], Any] = lambda batch: batch
  constrain: Callable[[PyTree], PyTree] = lambda params: params
  touched: Callable[[PyTree, Any], Touched] | None = None
  drawings: Drawings | None = None
  optimizer: Callable[[TrainConfig], optax.GradientTransformation] = optimizers.make
