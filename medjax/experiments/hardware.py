"""Which devices are here, and which fields of a training follow from them."""

from collections.abc import Mapping
import dataclasses

import jax

from medjax.evaluation import ranking

NAMES = {'cpu': 'CPU', 'gpu': 'GPU', 'tpu': 'TPU'}


@dataclasses.dataclass(frozen=True)
class Hardware:
  """The devices of this process; its text is what a person wants to know of them.

  >>> print(Hardware('tpu', {'TPU v3': 8}, 48))
  8 TPU devices (TPU v3)
  a training lies on all 8: every batch is split over them, parallel.mode='pmap'
  >>> Hardware('gpu', {'NVIDIA A100': 1, 'Tesla T4': 1}, 8).fields
  {}

  Attributes:
    platform: 'cpu', 'gpu' or 'tpu', of the devices that JAX computes on.
    kinds: {name of a kind of device: how many there are}.
    cores: of the processor, that this process may use.
  """

  platform: str
  kinds: Mapping[str, int]
  cores: int

  @property
  def count(self) -> int:
    """How many devices there are."""
    return sum(self.kinds.values())

  @property
  def fields(self) -> dict[str, str]:
    """The fields with which `medjax.train` uses them: all devices of one kind if a batch splits over them, else one."""
    alike = len(self.kinds) == 1 and self.count & (self.count - 1) == 0  # batches are powers of two
    return {'parallel.mode': 'pmap'} if alike and self.count > 1 else {}

  def __repr__(self) -> str:
    return f'{self._found()}\n{self._follows()}'

  def _found(self) -> str:
    name = NAMES.get(self.platform, self.platform)
    if self.platform == 'cpu':
      cores = f'a CPU with {self.cores} core{"s" if self.cores > 1 else ""}, no GPU or TPU'
      return cores if self.count == 1 else f'{cores}; it pretends to be {self.count} devices (XLA_FLAGS)'
    kinds = ', '.join(kind if len(self.kinds) == 1 else f'{number} x {kind}' for kind, number in self.kinds.items())
    return f'{self.count} {name} device{"s" if self.count > 1 else ""} ({kinds})'

  def _follows(self) -> str:
    if self.fields:
      return f"a training lies on all {self.count}: every batch is split over them, parallel.mode='pmap'"
    if self.count == 1:
      return 'a training lies on one device, and nothing has to be set'
    why = 'are of different kinds' if len(self.kinds) > 1 else 'are no power of two, as batches are'
    return f'a training lies on one of the {self.count}, since they {why}; parallel.mode says otherwise'


def hardware() -> Hardware:
  """Looks at the devices of this process, which starts JAX.

  Returns:
    The `Hardware`; printed, it says what is here, and its `fields` go to `train`.
  """
  kinds: dict[str, int] = {}
  for device in jax.local_devices():
    kinds[device.device_kind] = kinds.get(device.device_kind, 0) + 1
  return Hardware(jax.default_backend(), kinds, ranking.processors())
