"""Saved folders: an encoder that was cropped is one of its own, with all that was beside it."""

import json
import os
import subprocess

import jax
import numpy as np
import pytest

from medjax import bert, errors
from medjax.bert import heads
from tests.bert import recorded

IDS, MASK, TYPES = recorded.given()
PEER = os.environ.get('PYTHON_WITH_TRANSFORMERS', '')


@pytest.fixture(scope='module')
def tiny():
  return bert.load(recorded.TINY)


@pytest.fixture
def classifier(tiny):
  """The crop of width 16 of a classifier whose head is drawn."""
  head = jax.tree.map(lambda leaf: 10 * leaf + 0.1, heads.init(jax.random.key(0), tiny.config, 3))
  return bert.Classifier(tiny, head, ('a', 'b', 'c')).crop(16)


@pytest.mark.parametrize('width, layers', [(32, None), (16, None), (8, 1)])
def test_a_saved_crop_is_loaded_alike(tiny, width, layers, tmp_path):
  crop = tiny.crop(width, layers)
  crop.save(tmp_path / 'saved')
  again = bert.load(tmp_path / 'saved')
  jax.tree.map(np.testing.assert_array_equal, again.params, crop.params)
  assert again.config == crop.config
  np.testing.assert_array_equal(again.encode(recorded.SENTENCES), crop.encode(recorded.SENTENCES))


def test_a_saved_classifier_is_loaded_alike(classifier, tmp_path):
  classifier.save(tmp_path / 'saved')
  again = bert.load_classifier(tmp_path / 'saved')
  jax.tree.map(np.testing.assert_array_equal, again.params, classifier.params)
  assert again.classes == classifier.classes and again.encoder.config == classifier.encoder.config
  np.testing.assert_array_equal(again.scores(recorded.SENTENCES), classifier.scores(recorded.SENTENCES))


def test_a_saved_folder_is_as_transformers_writes_it(tiny, tmp_path):
  tiny.save(tmp_path / 'saved')
  read = recorded.safetensors_numpy.load_file
  saved, source = read(tmp_path / 'saved' / 'model.safetensors'), recorded.arrays()
  assert saved.keys() == source.keys()
  for name, array in source.items():
    np.testing.assert_array_equal(saved[name], array)
  fields = lambda folder: json.loads((folder / 'config.json').read_text())
  assert fields(tmp_path / 'saved') == fields(recorded.TINY)
  for name in ('tokenizer.json', 'vocab.txt', 'tokenizer_config.json'):
    assert (tmp_path / 'saved' / name).read_bytes() == (recorded.TINY / name).read_bytes()


def test_what_made_vectors_of_sentences_goes_along(tmp_path):
  encoder = bert.load(recorded.sentence_transformer(tmp_path / 'source'))
  encoder.crop(16).save(tmp_path / 'saved')
  pooling = json.loads((tmp_path / 'saved' / '1_Pooling' / 'config.json').read_text())
  assert pooling['word_embedding_dimension'] == 16 and pooling['pooling_mode_mean_tokens'] is True
  assert json.loads((tmp_path / 'saved' / 'modules.json').read_text()) == list(encoder.sentences.modules)
  assert (tmp_path / 'saved' / '2_Normalize').is_dir()
  again = bert.load(tmp_path / 'saved')
  assert again.tokens.max_length == 36
  np.testing.assert_array_equal(again.encode(recorded.SENTENCES), encoder.encode(recorded.SENTENCES, 16))


def test_files_that_are_there_are_kept(tiny, tmp_path):
  (tmp_path / 'note.txt').write_text('mine')
  with pytest.raises(errors.UsageError, match='has files already; name a new folder'):
    tiny.save(tmp_path)
  assert [path.name for path in tmp_path.iterdir()] == ['note.txt']


@pytest.mark.skipif(not PEER, reason='PYTHON_WITH_TRANSFORMERS names no Python, see record.py')
@pytest.mark.parametrize('width, layers', [(32, None), (16, None), (8, 1)])
def test_transformers_gives_the_same_of_a_saved_crop(width, layers, tmp_path):
  encoder = bert.load(recorded.sentence_transformer(tmp_path / 'source')).reorder(recorded.SENTENCES)
  crop = encoder.crop(width, layers)
  crop.save(tmp_path / 'saved')
  found, vectors = crop(IDS, MASK, TYPES), crop.encode(recorded.SENTENCES)
  np.savez(tmp_path / 'given.npz', hidden=found.hidden, pooled=found.pooled, vectors=vectors)
  command = [PEER, str(recorded.HERE / 'record.py'), 'check', str(tmp_path / 'saved')]
  done = subprocess.run(command, capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stderr
  told = json.loads(done.stdout.splitlines()[-1])
  assert not told.pop('odd') and told.keys() == {'hidden', 'pooled', 'vectors'} and max(told.values()) < 1e-5, told


@pytest.mark.skipif(not PEER, reason='PYTHON_WITH_TRANSFORMERS names no Python, see record.py')
def test_transformers_classifies_by_a_saved_crop_alike(classifier, tmp_path):
  classifier.save(tmp_path / 'saved')
  command = [PEER, str(recorded.HERE / 'record.py'), 'classify', str(tmp_path / 'saved')]
  done = subprocess.run(command, capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stderr
  told = json.loads(done.stdout.splitlines()[-1])
  assert told['odd'] == [] and told['classes'] == ['a', 'b', 'c']
  np.testing.assert_allclose(classifier.scores(recorded.SENTENCES), told['scores'], rtol=0, atol=1e-5)
