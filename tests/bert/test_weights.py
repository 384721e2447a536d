"""Files of weights: every layout gives the same parameters, and what is odd is named."""

import json

import jax
import ml_dtypes
import numpy as np
import pytest
from safetensors import numpy as safetensors_numpy

from medjax import errors
from medjax.bert import config as config_lib
from medjax.bert import crop as crop_lib
from medjax.bert import weights
from medjax.core import axes as axes_lib
from medjax.saved import tensors
from tests.bert import recorded

CONFIG, _ = config_lib.read(recorded.TINY)


@pytest.fixture(scope='module')
def plain():
  return weights.read(recorded.TINY, CONFIG)


def same(one, other):
  jax.tree.map(np.testing.assert_array_equal, one, other)


def test_a_kernel_has_its_inputs_first(plain):
  arrays, layer = recorded.arrays(), plain.params['layer_1']
  query = arrays['encoder.layer.1.attention.self.query.weight']  # [heads * head, hidden]
  out = arrays['encoder.layer.1.attention.output.dense.weight']  # [hidden, heads * head]
  np.testing.assert_array_equal(layer['attention']['query']['kernel'][3, 2], query[16:24, 3])
  np.testing.assert_array_equal(layer['attention']['out']['kernel'][2, :, 3], out[3, 16:24])
  np.testing.assert_array_equal(layer['up']['kernel'], arrays['encoder.layer.1.intermediate.dense.weight'].T)
  assert not plain.left_out


def test_a_head_buffers_and_old_names_do_no_harm(plain, tmp_path):
  arrays = {
    f'bert.{name}'.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'): array
    for name, array in recorded.arrays().items()
  }
  arrays['bert.embeddings.position_ids'] = np.arange(40)[None]
  arrays['cls.predictions.bias'] = arrays['classifier.weight'] = np.zeros(3, np.float32)
  found = weights.read(recorded.copy(tmp_path / 'copy', arrays), CONFIG)
  same(found.params, plain.params)
  assert found.left_out == ('bert.embeddings.position_ids', 'classifier.weight', 'cls.predictions.bias')


def test_shards_are_read_together(plain, tmp_path):
  arrays, folder = recorded.arrays(), recorded.copy(tmp_path / 'copy', without=['model.safetensors'])
  names = sorted(arrays)
  places = {name: f'model-0000{1 + i % 2}-of-00002.safetensors' for i, name in enumerate(names)}
  for place in set(places.values()):
    part = {name: arrays[name] for name in names if places[name] == place}
    safetensors_numpy.save_file(part, folder / place)
  index = folder / 'model.safetensors.index.json'
  index.write_text(json.dumps({'metadata': {}, 'weight_map': places}))
  same(weights.read(folder, CONFIG).params, plain.params)

  index.write_text(json.dumps({'weight_map': places | {'pooler.dense.weight': '../other.safetensors'}}))
  with pytest.raises(errors.ArtifactError, match=r"names '../other.safetensors', which is no file of this folder"):
    weights.read(folder, CONFIG)
  other = next(place for place in set(places.values()) if place != places[names[0]])
  index.write_text(json.dumps({'weight_map': places | {names[0]: other}}))
  with pytest.raises(errors.ArtifactError, match=f'arrays that their files lack: {names[0]}'):
    weights.read(folder, CONFIG)
  index.write_text(json.dumps({'weight_map': places}))
  (folder / other).unlink()
  with pytest.raises(errors.ArtifactError, match=f'{other} is missing'):
    weights.read(folder, CONFIG)
  index.write_text('{}')
  with pytest.raises(errors.ArtifactError, match='no weight_map'):
    weights.read(folder, CONFIG)


@pytest.mark.parametrize('dtype', [np.float16, ml_dtypes.bfloat16, np.float64])
def test_numbers_become_float32(plain, dtype, tmp_path):
  arrays = {name: array.astype(dtype) for name, array in recorded.arrays().items()}
  found = weights.read(recorded.copy(tmp_path / 'copy', arrays), CONFIG).params
  same(found, jax.tree.map(lambda leaf: leaf.astype(dtype).astype(np.float32), plain.params))
  assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {np.dtype(np.float32)}


def test_a_pooler_may_lack_but_not_half_of_it(plain, tmp_path):
  arrays = {name: array for name, array in recorded.arrays().items() if 'pooler' not in name}
  found = weights.read(recorded.copy(tmp_path / 'none', arrays), CONFIG)
  same(found.params, {name: part for name, part in plain.params.items() if name != 'pooler'})
  arrays['pooler.dense.bias'] = recorded.arrays()['pooler.dense.bias']
  with pytest.raises(errors.ArtifactError, match=r'lacks arrays of the encoder: pooler.dense.weight'):
    weights.read(recorded.copy(tmp_path / 'half', arrays), CONFIG)


def test_missing_and_unknown_arrays_are_named(tmp_path):
  arrays = recorded.arrays()
  lacking = {name: array for name, array in arrays.items() if not name.startswith('encoder.layer.1.output')}
  with pytest.raises(errors.ArtifactError, match=r'lacks .*encoder.layer.1.output.LayerNorm.bias, .*dense.weight;'):
    weights.read(recorded.copy(tmp_path / 'lacking', lacking), CONFIG)
  more = arrays | {f'adapter.{i}.weight': np.zeros(2, np.float32) for i in range(10)}
  with pytest.raises(errors.ArtifactError, match=r'no BERT of 2 layers has: adapter.0.weight, .* and 2 more'):
    weights.read(recorded.copy(tmp_path / 'more', more), CONFIG)
  with pytest.raises(errors.ArtifactError, match='no BERT of 1 layers has: encoder.layer.1'):
    weights.read(recorded.copy(tmp_path / 'deeper'), CONFIG.cropped(32, 1))
  twice = arrays | {'embeddings.LayerNorm.gamma': arrays['embeddings.LayerNorm.weight']}
  with pytest.raises(errors.ArtifactError, match=r'has embeddings.LayerNorm.weight twice'):
    weights.read(recorded.copy(tmp_path / 'twice', twice), CONFIG)


def test_other_shapes_and_types_are_told(tmp_path):
  arrays = recorded.arrays()
  name = 'encoder.layer.0.intermediate.dense.weight'
  with pytest.raises(errors.ArtifactError, match=rf'{name} has shape \[60, 32\], but config.json says \[64, 32\]'):
    weights.read(recorded.copy(tmp_path / 'shape', arrays | {name: arrays[name][:60]}), CONFIG)
  with pytest.raises(errors.ArtifactError, match=f'{name} is of type I8'):
    weights.read(recorded.copy(tmp_path / 'type', arrays | {name: arrays[name].astype(np.int8)}), CONFIG)


def test_what_could_run_code_or_is_damaged_is_refused(tmp_path):
  folder = recorded.copy(tmp_path / 'copy', without=['model.safetensors'])
  with pytest.raises(errors.ArtifactError, match=r'model.safetensors is missing; is .* a folder'):
    weights.read(folder, CONFIG)
  (folder / 'pytorch_model.bin').write_bytes(b'\x80\x04.')
  with pytest.raises(errors.ArtifactError, match=r'pytorch_model.bin is not read.*safe_serialization=True'):
    weights.read(folder, CONFIG)
  whole = (recorded.TINY / 'model.safetensors').read_bytes()
  for content in (b'', whole[:100], whole[:-100]):
    (folder / 'model.safetensors').write_bytes(content)
    with pytest.raises(errors.ArtifactError, match=r'model.safetensors is damaged'):
      weights.read(folder, CONFIG)


@pytest.mark.parametrize('width, layers', [(8, None), (16, 1), (24, 2)])
def test_a_sub_model_is_read_alone(plain, width, layers, tmp_path, monkeypatch):
  folder, small, asked = recorded.copy(tmp_path / 'copy'), CONFIG.cropped(width, layers), []
  first = tensors.Stored.first
  monkeypatch.setattr(tensors.Stored, 'first', lambda own, shape: (asked.append(shape), first(own, shape))[1])
  found = weights.read(folder, CONFIG, small).params
  same(found, crop_lib.crop(plain.params, CONFIG, width, layers))
  assert sum(map(np.prod, asked)) == axes_lib.num_numbers(found)  # and the numbers of no others
