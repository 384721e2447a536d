"""Vectors of sentences: pooled as the folder says, in the order of the sentences, whatever the batches."""

import json

import numpy as np
import pytest

from medjax import bert, errors
from tests.bert import recorded

IDS, MASK, TYPES = recorded.given()
HIDDEN, THERE = recorded.FOUND['hidden_gelu'], MASK[..., None]
MEAN = (HIDDEN * THERE).sum(1) / THERE.sum(1)


def test_vectors_are_the_means_of_tokens(tmp_path):
  found = bert.load(recorded.sentence_transformer(tmp_path / 'mean', normalise=False)).encode(recorded.SENTENCES)
  np.testing.assert_allclose(found, MEAN, **recorded.EXACT)
  normalised = bert.load(recorded.sentence_transformer(tmp_path / 'normalised')).encode(recorded.SENTENCES)
  np.testing.assert_allclose(normalised, MEAN / np.linalg.norm(MEAN, axis=1, keepdims=True), **recorded.EXACT)


def test_or_of_the_first_token(tmp_path):
  first = bert.load(recorded.sentence_transformer(tmp_path / 'cls', 'cls', False))
  for encoder in (first, bert.load(recorded.TINY)):
    np.testing.assert_allclose(encoder.encode(recorded.SENTENCES), HIDDEN[:, 0], **recorded.EXACT)
  pairs = first.encode(recorded.PAIRS)
  np.testing.assert_allclose(pairs, recorded.FOUND['hidden_pairs'][:, 0], **recorded.EXACT)


@pytest.mark.parametrize('batch', [1, 3, 4, 32])
def test_batches_change_nothing(batch):
  encoder = bert.load(recorded.TINY)
  sentences = [*recorded.SENTENCES, *recorded.PAIRS, 'the river ' * 9]
  found = encoder.encode(sentences, batch=batch)
  for sentence, vector in zip(sentences, found):
    np.testing.assert_allclose(vector, encoder.encode([sentence])[0], rtol=0, atol=1e-5)


def test_a_width_is_that_of_the_crop():
  encoder = bert.load(recorded.TINY)
  np.testing.assert_array_equal(encoder.encode(recorded.SENTENCES, 16), encoder.crop(16).encode(recorded.SENTENCES))
  np.testing.assert_array_equal(encoder.encode('the river', 8), encoder.encode(['the river'], 8))
  assert encoder.encode([]).shape == (0, 32)
  with pytest.raises(errors.UsageError, match='batch=-1'):
    encoder.encode(recorded.SENTENCES, batch=-1)
  assert 'width 32, 4 heads, 64 neurons' in repr(encoder) and 'width 8, 1 heads, 16' in repr(encoder.crop(8))


@pytest.mark.parametrize(
  'mode, fields, words',
  [
    ('max', {}, 'the pooling is pooling_mode_max_tokens; only mean or cls'),
    ('none', {}, 'the pooling is none'),
    ('mean', {'pooling_mode_cls_token': True}, 'the pooling is cls, mean'),
    ('none', {'pooling_mode': 'lasttoken'}, 'the pooling is lasttoken'),
    ('none', {'pooling_mode': ['cls', 'mean']}, 'the pooling is cls, mean'),
  ],
)
def test_other_poolings_are_refused(mode, fields, words, tmp_path):
  folder = recorded.sentence_transformer(tmp_path / 'copy', mode, **fields)
  with pytest.raises(errors.ConfigError, match=words):
    bert.load(folder)


@pytest.mark.parametrize('named', ['mean', ['mean']])
def test_the_pooling_may_be_named(named, tmp_path):
  folder = recorded.sentence_transformer(tmp_path / 'copy', 'none', False, pooling_mode=named)
  np.testing.assert_allclose(bert.load(folder).encode(recorded.SENTENCES), MEAN, **recorded.EXACT)


def test_texts_may_be_made_lower_case_first(tmp_path):
  folder = recorded.sentence_transformer(tmp_path / 'copy')
  (folder / 'tokenizer.json').unlink()  # so that the settings below count
  (folder / 'tokenizer_config.json').write_text('{"do_lower_case": false}')
  encode = lambda text: bert.load(folder).encode([text])
  assert np.abs(encode('The River') - encode('the river')).max() > 1e-3
  (folder / 'sentence_bert_config.json').write_text('{"max_seq_length": 24, "do_lower_case": true}')
  np.testing.assert_array_equal(encode('The River'), encode('the river'))


@pytest.mark.parametrize(
  'change, words',
  [
    (lambda modules: [*modules, {'type': 'sentence_transformers.models.Dense', 'path': '3_Dense'}], 'Normalize, Dense'),
    (lambda modules: {'modules': modules}, 'no list of modules'),
    (lambda modules: [modules[0], modules[1] | {'path': '../1_Pooling'}], 'not all folders of this one'),
    (lambda modules: [modules[0], modules[1] | {'path': 'nowhere'}], 'nowhere/config.json is missing'),
  ],
)
def test_other_modules_are_refused(change, words, tmp_path):
  path = recorded.sentence_transformer(tmp_path / 'copy') / 'modules.json'
  path.write_text(json.dumps(change(json.loads(path.read_text()))))
  with pytest.raises(errors.MedjaxError, match=words):
    bert.load(tmp_path / 'copy')


def test_an_older_layout_has_the_bert_in_a_folder(tmp_path):
  folder = recorded.sentence_transformer(tmp_path / 'copy')
  encoder = bert.load(folder)
  (folder / '0_Transformer').mkdir()
  for path in [path for path in folder.iterdir() if path.is_file() and path.name != 'modules.json']:
    path.rename(folder / '0_Transformer' / path.name)
  modules = json.loads((folder / 'modules.json').read_text())
  (folder / 'modules.json').write_text(json.dumps([modules[0] | {'path': '0_Transformer'}, *modules[1:]]))
  older = bert.load(folder)
  np.testing.assert_array_equal(older.encode(recorded.SENTENCES), encoder.encode(recorded.SENTENCES))
  older.save(tmp_path / 'saved')
  np.testing.assert_array_equal(
    bert.load(tmp_path / 'saved').encode(recorded.SENTENCES), encoder.encode(recorded.SENTENCES)
  )
