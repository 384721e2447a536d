"""Torch-saved models are read as arrays, and whatever else their pickles ask for is not done."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from medjax import errors
from medjax.data import arrays


class Call:
  """What pickle writes as a call of a function that is found by its name."""

  def __init__(self, module, name, *given):
    self.function, self.given = type(name, (), {'__module__': module, '__qualname__': name}), given

  def __reduce__(self):
    return self.function, self.given


class Writer(pickle._Pickler):
  """Writes torch's archives without torch: tensors are calls, their numbers persistent ids."""

  dispatch = dict(pickle._Pickler.dispatch)  # noqa: RUF012

  def save_type(self, kind):
    self.write(pickle.GLOBAL + f'{kind.__module__}\n{kind.__qualname__}\n'.encode())

  dispatch[type] = save_type

  def persistent_id(self, value):
    return value.pid if isinstance(value, Storage) else None


class Storage:
  """The numbers of tensors."""

  def __init__(self, kind, key, count):
    self.pid = ('storage', type(kind, (), {'__module__': 'torch', '__qualname__': kind}), key, 'cpu', count)


def tensor(key, size, stride, offset=0, kind='FloatStorage', count=12):
  return Call('torch._utils', '_rebuild_tensor_v2', Storage(kind, key, count), offset, size, stride, False, {})


def save(path, value, storages=(), folder='model'):
  file = io.BytesIO()
  Writer(file, protocol=2).dump(value)
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr(f'{folder}/data.pkl', file.getvalue())
    archive.writestr(f'{folder}/byteorder', 'little')
    for key, array in dict(storages).items():
      archive.writestr(f'{folder}/data/{key}', array.tobytes())
  return path


def test_views_of_one_storage_are_read(tmp_path):
  numbers = np.arange(12, dtype=np.float32)
  value = {
    'whole': tensor('0', (3, 4), (4, 1)),
    'turned': tensor('0', (4, 3), (1, 4)),
    'part': Call('torch._utils', '_rebuild_parameter', tensor('0', (2, 2), (4, 1), 5), True, {}),
    'number': tensor('0', (), (), 7),
    'empty': tensor('0', (0, 4), (4, 1)),
    'epoch': 3,
    'inner': {'ids': tensor('1', (3,), (1,), 0, 'LongStorage', 3)},
  }
  found, kinds = arrays.read_tensors(save(tmp_path / 'm.pt', value, {'0': numbers, '1': np.array([5, 6, 7])}))
  table = numbers.reshape(3, 4)
  expected = {'whole': table, 'turned': table.T, 'part': table[1:, 1:3], 'number': numbers[7], 'empty': table[:0]}
  for name, array in expected.items():
    np.testing.assert_array_equal(found[name], array)
  np.testing.assert_array_equal(found['inner.ids'], [5, 6, 7])
  assert kinds == {'epoch': '3'}


@pytest.mark.parametrize('module, name', [('os', 'system'), ('builtins', 'exec'), ('builtins', 'eval')])
def test_what_a_file_asks_for_is_not_done(module, name, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  asked = Call(module, name, 'open("made", "w")' if module == 'builtins' else 'touch made')
  value = {'x': asked, 'w': tensor('0', (2,), (1,), count=2)}
  found, kinds = arrays.read_tensors(save(tmp_path / 'm.pt', value, {'0': np.ones(2, np.float32)}))
  np.testing.assert_array_equal(found['w'], [1, 1])
  assert kinds == {'x': f'{module}.{name}'} and os.listdir(tmp_path) == ['m.pt']


@pytest.mark.parametrize(
  'size, stride, offset', [((3, 5), (4, 1), 0), ((4,), (4,), 0), ((1,), (1,), 12), ((2,), (-1,), 3), ((1,), (1,), -1)]
)
def test_a_tensor_beyond_its_numbers_is_refused(size, stride, offset, tmp_path):
  path = save(tmp_path / 'm.pt', {'w': tensor('0', size, stride, offset)}, {'0': np.ones(12, np.float32)})
  with pytest.raises(errors.DataError, match='m.pt: holds no torch model .* reaches beyond its 12 numbers'):
    arrays.read_tensors(path)


def test_no_archive_is_refused(tmp_path):
  (tmp_path / 'old.pt').write_bytes(pickle.dumps({'w': 1}))
  with pytest.raises(errors.DataError, match='old.pt: holds no torch model'):
    arrays.read_tensors(tmp_path / 'old.pt')
  with pytest.raises(errors.DataError, match='none.pt'):
    arrays.read_tensors(tmp_path / 'none.pt')
