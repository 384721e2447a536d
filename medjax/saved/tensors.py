"""Files of safetensors: written whole, read whole, or by the first entries of every axis.

The only module that imports safetensors.
"""

from collections.abc import Mapping
import dataclasses
import pathlib
from typing import Any

from jaxtyping import Shaped
import numpy as np
from safetensors import numpy as safetensors_numpy
from safetensors import safe_open, SafetensorError

from medjax.core import files
from medjax.saved.files import Path, replacing

Arrays = dict[str, Shaped[np.ndarray, '...']]


def write(path: Path, arrays: Mapping[str, Shaped[np.ndarray, '...']], metadata: dict[str, str] | None = None) -> None:
  """Writes named arrays, and texts about them, as one file."""
  with replacing(path) as file:
    file.write(safetensors_numpy.save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata))


def read(path: Path) -> Arrays:
  """Returns all arrays of a file; raises ValueError where it is damaged."""
  files.check(path)
  try:
    return safetensors_numpy.load_file(path)
  except (SafetensorError, KeyError) as error:  # KeyError: a type that numpy has not
    raise ValueError(error) from error


@dataclasses.dataclass(frozen=True)
class Stored:
  """An array that lies in a file.

  Attributes:
    path: the file.
    shape: of the array.
    dtype: the type of its numbers as safetensors calls it, such as F32.
  """

  path: pathlib.Path
  shape: tuple[int, ...]
  dtype: str
  _slices: Any = dataclasses.field(repr=False)

  def first(self, shape: tuple[int, ...]) -> Shaped[np.ndarray, '...']:
    """Returns the first entries of every axis, as many as `shape` says; no others are copied out of the file."""
    return self._slices[tuple(slice(length) for length in shape)]


def stored(path: Path) -> dict[str, Stored]:
  """Returns {name: `Stored`} of all arrays of a file without reading them; raises ValueError where it is damaged."""
  files.check(path)
  try:
    file = safe_open(path, framework='numpy')
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  (it is no mapping)
  except SafetensorError as error:
    raise ValueError(error) from error
  return {
    name: Stored(pathlib.Path(path), tuple(one.get_shape()), one.get_dtype(), one) for name, one in slices.items()
  }
