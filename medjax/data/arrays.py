"""Reads the arrays of a torch-saved file (.pt, .pth, .pkl) or of a .npz, running no code of theirs.

Such a file is a zip archive around a pickle, and a pickle names functions to call. The readers here resolve the few
names as which numpy and torch write arrays of numbers to functions of their own. `read` refuses every other name;
`read_tensors`, for whole models, makes an inert `Foreign` of it, which holds what the file says of it and does nothing.
Whatever the file says, nothing but arrays, containers, numbers and such records can come of it.
"""

from collections.abc import Callable, Iterator
import itertools
import math
import os
import pathlib
import pickle
import re
from typing import Any, IO, NamedTuple
import zipfile

from jaxtyping import Shaped
import numpy as np

from medjax import errors
from medjax.core import memory
from medjax.data import limits

MOST = 10**6  # things that are looked at in a model
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


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


class Foreign:
  """Stands for an object of a class that is not imported: it keeps the state that a file gives it, and does nothing.

  Attributes:
    kind: the class's dotted name.
    state: {attribute: value}, or whatever else the file has as its state.
  """

  kind = ''

  def __new__(cls, *unused: Any, **named: Any) -> 'Foreign':
    made = super().__new__(cls)
    made.state = {}
    return made

  def __init__(self, *unused: Any, **named: Any):
    self.state: Any

  def __setstate__(self, state: Any) -> None:
    self.state = state[0] or {} if isinstance(state, tuple) and len(state) == 2 else state

  def __call__(self, *unused: Any, **named: Any) -> 'Foreign':
    return self

  def append(self, item: Any) -> None:
    """Items of a subclass of list are left out."""

  def __setitem__(self, key: Any, item: Any) -> None:
    pass  # so are those of a subclass of dict


class _Dictionary(dict[Any, Any]):
  """Stands for collections.OrderedDict; attributes that torch gives it, such as _metadata, are left out."""

  def __setstate__(self, state):
    pass


class _Storage(NamedTuple):
  """The numbers that tensors are views of."""

  numbers: Shaped[np.ndarray, ' n']


_STORAGES = {
  'FloatStorage': 'f4',
  'DoubleStorage': 'f8',
  'HalfStorage': 'f2',
  'LongStorage': 'i8',
  'IntStorage': 'i4',
  'ShortStorage': 'i2',
  'CharStorage': 'i1',
  'ByteStorage': 'u1',
  'BoolStorage': '?',
}


def _tensor(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *unused: Any) -> Any:
  if not isinstance(storage, _Storage):
    return Foreign()  # numbers of a type that numpy lacks, such as bfloat16
  numbers = storage.numbers
  last = offset + sum((n - 1) * step for n, step in zip(size, stride))
  if min((*size, *stride, offset), default=0) < 0 or (0 not in size and last >= len(numbers)):
    raise pickle.UnpicklingError(f'a tensor {size} reaches beyond its {len(numbers)} numbers')
  if math.prod(size) > len(numbers):
    raise pickle.UnpicklingError(f'a tensor {size} has more than its {len(numbers)} numbers')
  if 0 in size:
    return np.zeros(size, numbers.dtype)
  steps = tuple(step * numbers.itemsize for step in stride)
  return np.lib.stride_tricks.as_strided(numbers[offset:], size, steps, writeable=False).copy()


def _parameter(data: Any, *unused: Any) -> Any:
  return data


_TENSORS: dict[tuple[str, str], Callable[..., Any]] = {
  ('collections', 'OrderedDict'): _Dictionary,
  ('torch._utils', '_rebuild_tensor_v2'): _tensor,
  ('torch._utils', '_rebuild_parameter'): _parameter,
  ('torch._utils', '_rebuild_parameter_with_state'): _parameter,
  ('builtins', 'set'): set,
  ('builtins', 'frozenset'): frozenset,
}


class _Unpickler(pickle._Unpickler):
  """Reads a pickle in Python: the reader in C makes room for as many objects as a number in the file says."""


class _ModelReader(_Unpickler):
  """Reads a torch archive, whose tensors are numpy arrays then."""

  def __init__(self, file: Any, packed: zipfile.ZipFile, folder: str):
    super().__init__(file)
    self.packed, self.folder = packed, folder
    self.storages: dict[str, _Storage] = {}

  def find_class(self, module, name):
    known = _TENSORS.get((module, name))
    return known or type(name, (Foreign,), {'kind': f'{module}.{name}'})

  def persistent_load(self, pid):
    kind, storage, key, *_ = pid
    letter = _STORAGES.get(str(getattr(storage, 'kind', '')).rpartition('.')[2])
    if kind != 'storage' or letter is None:
      return Foreign()
    if key not in self.storages:
      self.storages[key] = _Storage(np.frombuffer(self.packed.read(f'{self.folder}data/{key}'), f'<{letter}'))
    return self.storages[key]


class _Reader(_Unpickler):
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
      return read_npz(path)
    with zipfile.ZipFile(path) as packed:
      limits.check_unpacked(path, sum(info.file_size for info in packed.infolist()))
      (name,) = (name for name in packed.namelist() if name.split('/')[-1] == 'data.pkl')
      with packed.open(name) as file:
        content = _Reader(file).load()
    return {name: array.value for name, array in content.items() if isinstance(array, _Array)}
  except errors.TooLarge:
    raise
  except Exception as error:  # a damaged pickle can raise anything
    raise errors.DataError(
      f'{path}: holds no dictionary of arrays of numbers ({error}). Get it again, or save the '
      'same arrays beside it as .npz.'
    ) from error


def read_npz(path: str | pathlib.Path) -> dict[str, Shaped[np.ndarray, '...']]:
  """Returns {name: array of numbers} of a .npz, the size of which is checked before anything is unpacked.

  Raises:
    ValueError, OSError, zipfile.BadZipFile, zlib.error: it is damaged, or holds anything else.
    errors.TooLarge: its arrays fit into memory no more, or are more than `limits` allow.
  """
  try:
    with zipfile.ZipFile(path) as packed:
      sizes = []
      for info in packed.infolist():
        with packed.open(info) as member:
          sizes.append(_size(member, info.file_size))
    limits.check_unpacked(path, sum(sizes))
    memory.check(sum(sizes), f'{path}: what it unpacks to', 'Get it again, or use a machine with more memory')
    with np.load(path, allow_pickle=False) as file:
      return dict(file)
  except (RuntimeError, RecursionError, SyntaxError) as error:  # what zipfile and numpy's reader of headers raise
    raise ValueError(str(error)) from error


def read_npy(path: str | pathlib.Path) -> Shaped[np.ndarray, '...']:
  """Returns the array of numbers of a .npy, whose size is checked first; its errors are those of `read_npz`."""
  try:
    with open(path, 'rb') as file:
      size = check_header(file)
    memory.check(size, str(path), 'Use a machine with more memory')
    return np.load(path, allow_pickle=False)
  except (RecursionError, SyntaxError) as error:
    raise ValueError(str(error)) from error


def check_header(file: IO[bytes]) -> int:
  """Returns the bytes of the array in an open .npy; raises ValueError unless its header fits the size of the file."""
  return _size(file, os.fstat(file.fileno()).st_size)


def _size(file: IO[bytes], there: int) -> int:
  """The bytes of an array by its header, which have to be those that are there."""
  version = np.lib.format.read_magic(file)
  if version not in HEADERS:
    raise ValueError(f'an array of version {version}')
  shape, _, dtype = HEADERS[version](file)
  size = math.prod(shape) * dtype.itemsize
  if dtype.hasobject:
    raise ValueError('an array of objects, which are pickles: loading runs no code')
  if min(shape, default=0) < 0 or size != there - file.tell():
    raise ValueError(f'{there} bytes for an array {shape} of {dtype}')
  return size


def read_tensors(path: pathlib.Path) -> tuple[dict[str, Shaped[np.ndarray, '...']], dict[str, str]]:
  """Returns (arrays, kinds) of a torch-saved file that holds a module, a state dictionary, or a dictionary of those.

  Both are by dotted path, and a module's parameters have the names that its state_dict has:
  {'entity.weight': [E, D], ...}, and {'': 'my.Model', 'entity': 'torch.nn.modules.sparse.Embedding', ...}. Single
  numbers and texts are among the kinds, as text: {'interaction.p': '1'}.

  Raises:
    errors.DataError: no such file, damage, or a file of torch before 1.6, which is no zip archive.
  """
  try:
    with zipfile.ZipFile(path) as packed:
      limits.check_unpacked(path, sum(info.file_size for info in packed.infolist()))
      (name,) = (name for name in packed.namelist() if name.split('/')[-1] == 'data.pkl')
      folder = name.removesuffix('data.pkl')
      order = packed.read(f'{folder}byteorder') if f'{folder}byteorder' in packed.namelist() else b'little'
      if order.strip() != b'little':
        raise ValueError(f'its numbers are {order.decode()} endian')
      with packed.open(name) as file:
        content = _ModelReader(file, packed, folder).load()
    arrays: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    _collect(content, '', arrays, kinds, itertools.count())
    return arrays, kinds
  except errors.TooLarge:
    raise
  except Exception as error:  # a damaged pickle can raise anything
    raise errors.DataError(
      f'{path}: holds no torch model or dictionary of tensors ({error}). Save it again by torch.save, or copy it again.'
    ) from error


def _collect(
  value: Any, place: str, arrays: dict[str, Any], kinds: dict[str, str], seen: Iterator[int], depth: int = 0
) -> None:
  """Adds what lies in a value at a dotted path to `arrays` and `kinds`; a module's inner dictionaries have no name."""
  if depth > 50 or next(seen) > MOST:
    raise ValueError('it is nested too deeply, or holds too much')
  if isinstance(value, np.ndarray):
    arrays[place] = value
  elif isinstance(value, Foreign):
    kinds[place] = value.kind
    if isinstance(value.state, dict):
      _collect(value.state, place, arrays, kinds, seen, depth + 1)
  elif isinstance(value, dict):
    for name, inner in value.items():
      if isinstance(name, str | int):
        nameless = name in ('_parameters', '_buffers', '_modules')
        _collect(inner, place if nameless else f'{place}.{name}'.lstrip('.'), arrays, kinds, seen, depth + 1)
  elif isinstance(value, str | int | float):
    kinds[place] = str(value)
