"""What a run carries from step to step."""

from collections.abc import Callable
from typing import Any, ClassVar

import flax.struct
import jax


@flax.struct.dataclass
class State:
  """Everything that a resumed run needs.

  Attributes:
    step: int32 [], steps done.
    params: what is trained; a `Task` declares the axes of its leaves.
    opt_state: the optimizer's state for `params`.
    ok: bool [], False once a step gave a loss or gradient that is not finite; nothing moves after it.
  """

  step: jax.Array
  params: Any
  opt_state: Any
  ok: jax.Array
  replace: ClassVar[Callable[..., 'State']]  # which flax adds
