"""What transformers gave, see record.py, and changed copies of the folder that it wrote."""

import json
import pathlib
import shutil

import numpy as np
from safetensors import numpy as safetensors_numpy

HERE = pathlib.Path(__file__).parent
TINY = HERE / 'tiny'  # a BERT of 2 layers, 32 hidden numbers, 4 heads and 64 neurons
TOLD = json.loads((HERE / 'tiny.json').read_text())
SENTENCES, PAIRS = TOLD['sentences'], [tuple(pair) for pair in TOLD['pairs']]
FOUND = np.load(HERE / 'tiny.npz', allow_pickle=False)
KEYS = ('input_ids', 'attention_mask', 'token_type_ids')
EXACT = {'rtol': 0, 'atol': 1e-5}


def given(name='given'):
  """(ids, mask, types) of recorded sentences."""
  return tuple(FOUND[f'{name}_{key}'] for key in KEYS)


def arrays():
  """The arrays of the recorded BERT, by name."""
  return safetensors_numpy.load_file(TINY / 'model.safetensors')


def copy(folder, arrays=None, without=(), **fields):
  """Returns a copy of the recorded folder with other arrays, fields of config.json, or without some files."""
  shutil.copytree(TINY, folder)
  if arrays is not None:
    safetensors_numpy.save_file(arrays, folder / 'model.safetensors')
  for name in without:
    (folder / name).unlink()
  if fields:
    path = folder / 'config.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
  return folder


def sentence_transformer(folder, mode='mean', normalise=True, **pooling):
  """Returns a copy of the recorded folder as sentence-transformers writes one."""
  copy(folder)
  kinds = ['Transformer', 'Pooling', *(['Normalize'] if normalise else [])]
  modules = [
    {'idx': i, 'name': str(i), 'path': f'{i}_{kind}' if i else '', 'type': f'sentence_transformers.models.{kind}'}
    for i, kind in enumerate(kinds)
  ]
  (folder / 'modules.json').write_text(json.dumps(modules))
  (folder / '1_Pooling').mkdir()
  fields = {'word_embedding_dimension': 32, 'pooling_mode_cls_token': mode == 'cls'}
  fields |= {'pooling_mode_mean_tokens': mode == 'mean', 'pooling_mode_max_tokens': mode == 'max'}
  (folder / '1_Pooling' / 'config.json').write_text(json.dumps(fields | pooling))
  (folder / 'sentence_bert_config.json').write_text(json.dumps({'max_seq_length': 36, 'do_lower_case': False}))
  return folder
