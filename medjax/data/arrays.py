"""Reads the arrays of a torch-saved dictionary (.pt) or of a .npz, running no code of theirs.

A .pt is a zip archive around a pickle, and a pickle names functions to call. The reader here resolves the few names
as which numpy writes an array of numbers to functions of its own, and refuses every other one: whatever the file
says, nothing but arrays, dictionaries and numbers can come of it.
"""

from collections.abc import Callable
import pathlib
import pickle
import re
from typing import Any
import zipfile

from jaxtyping import Shaped
import numpy as np

from medjax import errors


class _Array:
  """Stands for numpy's _reconstruct, which makes an empty array; the state that the pickle gives it fills it."""

  def __init__(self, *unused):
    self.value: Any = None

  def __setstate__(self, state):
    _, shape, dtype, columns_first, content = state
    self.value = np.frombuffer(content, dtype.value).reshape(shape, order='F' if columns_first else 'C')


class _Type:
  """Stands for numpy's dtype, of numbers only; the state that the pickle gives it says the order of their bytes."""

  def __init__(self, name, *unused):
    if not re.fullmatch(r'[iuf][1248]', name):
      raise pickle.UnpicklingError(f'the type {name!r} is none of numbers')
    self.value = np.dtype(name)

  def __setstate__(self, state):
    self.value = self.value.newbyteorder({'<': '<', '>': '>'}.get(state[1], '='))


def _nothing() -> bytes:
  return b''  # protocol 2 of pickle writes no bytes as a call of bytes()


def _encode(text: str, encoding: str) -> bytes:
  if encoding != 'latin1':
    raise pickle.UnpicklingError(f'the encoding {encoding!r}')
  return text.encode('latin1')


_NAMES: dict[tuple[str, str], Callable[..., Any]] = {
  ('_codecs', 'encode'): _encode,
  ('numpy', 'dtype'): _Type,
  ('numpy', 'ndarray'): _Array,
  ('__builtin__', 'bytes'): _nothing,
}
_NAMES |= {(f'numpy.{core}.multiarray', '_reconstruct'): _Array for core in ('core', '_core')}


class _Reader(pickle.Unpickler):
  def find_class(self, module, name):
    if (module, name) not in _NAMES:
      raise pickle.UnpicklingError(f'it calls for {module}.{name}, and only arrays of numbers are read')
    return _NAMES[module, name]


def read(path: pathlib.Path) -> dict[str, Shaped[np.ndarray, '...']]:
  """Returns {name: array} of a .npz, or of a .pt that holds a dictionary of numpy arrays.

  Raises:
    errors.DataError: no such file, damage, or anything else in it than arrays of numbers.
  """
  try:
    if path.suffix == '.npz':
      with np.load(path, allow_pickle=False) as file:
        return dict(file)
    with zipfile.ZipFile(path) as packed:
      (name,) = (name for name in packed.namelist() if name.split('/')[-1] == 'data.pkl')
      with packed.open(name) as file:
        content = _Reader(file).load()
    return {name: array.value for name, array in content.items() if isinstance(array, _Array)}
  except Exception as error:  # a damaged pickle can raise anything
    raise errors.DataError(
      f'{path}: holds no dictionary of arrays of numbers ({error}). Get it again, or save the '
      'same arrays beside it as .npz.'
    ) from error
