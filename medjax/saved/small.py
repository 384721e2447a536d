"""Tables in fewer bytes: float16, or int8 with a scale for every column. Reading gives float32 again.

A column of int8 is x = scale * q with the largest |q| = 127, so cropping and shrinking commute: the crop of a shrunk
model is the shrunk crop, and narrow sub-models, whose columns are the largest, lose nothing to wide ones.
"""

from collections.abc import Mapping
from typing import Any, Literal

from jaxtyping import Float, Shaped
import numpy as np

from medjax import errors

Dtype = Literal['float32', 'float16', 'int8']
DTYPES: tuple[Dtype, ...] = ('float32', 'float16', 'int8')
SCALE = '@scale'  # behind a leaf's name: the scales of its columns, float32 [C]
LARGEST = 127


def shrink(name: str, leaf: Float[np.ndarray, '... C'], dtype: str) -> dict[str, Shaped[np.ndarray, '...']]:
  """Returns {name: array} that stores a leaf [..., C] as a type; int8 has {name@scale: float32 [C]} besides.

  Raises:
    errors.FormatError: another type than those of `DTYPES`, or numbers that float16 cannot hold.
  """
  if dtype not in DTYPES:
    raise errors.FormatError(f'--dtype={dtype}: numbers are stored as one of {", ".join(DTYPES)}')
  leaf = np.asarray(leaf, np.float32)
  if dtype == 'int8':
    largest = np.abs(leaf).reshape(-1, leaf.shape[-1]).max(0, initial=0.0)
    scale = np.maximum(largest / LARGEST, np.finfo(np.float32).tiny).astype(np.float32)  # never 0
    return {name: np.rint(leaf / scale).clip(-LARGEST, LARGEST).astype(np.int8), name + SCALE: scale}
  if dtype == 'float16' and np.abs(leaf).max(initial=0.0) > np.finfo(np.float16).max:
    raise errors.FormatError(f'--dtype=float16: {name} holds numbers beyond 65504; take float32 or int8')
  return {name: np.ascontiguousarray(leaf, dtype)}


def restore(flat: Mapping[str, Any]) -> dict[str, Float[np.ndarray, '...']]:
  """Undoes `shrink` for all leaves of a file: {name: float32 array}.

  Raises:
    ValueError: int8 without its scales or with such that are not above 0, or another type.
  """
  restored = {}
  for name, leaf in flat.items():
    if name.endswith(SCALE):
      continue
    if leaf.dtype == np.int8:
      if name + SCALE not in flat:
        raise ValueError(f'{name} is int8 and {name + SCALE} is missing')
      scale = flat[name + SCALE]
      if scale.dtype != np.float32 or scale.shape != leaf.shape[-1:] or not (scale > 0).all():
        raise ValueError(f'{name + SCALE} has to hold a number above 0 for every column of {name}')
      leaf = leaf * scale
    elif leaf.dtype not in (np.float32, np.float16):
      raise ValueError(f'{name} holds {leaf.dtype}, and tables are float32, float16 or int8')
    restored[name] = leaf if leaf.dtype == np.float32 else leaf.astype(np.float32)
  return restored
