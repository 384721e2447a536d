"""Tokens are those of transformers, from either file, and fill up to few lengths."""

import json
import os
import sys

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from medjax import errors
from medjax.bert import config as config_lib
from medjax.bert import tokens as tokens_lib
from tests.bert import recorded

CONFIG, _ = config_lib.read(recorded.TINY)


@pytest.fixture(scope='module', params=['tokenizer.json', 'vocab.txt'])
def tokens(request, tmp_path_factory):
  other = {'tokenizer.json': 'vocab.txt', 'vocab.txt': 'tokenizer.json'}[request.param]
  return tokens_lib.load(recorded.copy(tmp_path_factory.mktemp('tokens') / 'copy', without=[other]), CONFIG)


def check(batch, name):
  for own, expected in zip(batch, recorded.given(name)):
    length = expected.shape[1]
    np.testing.assert_array_equal(own[:, :length], expected)
    assert not own[:, length:].any()  # filling: [PAD] is 0


def test_sentences_and_pairs_are_those_of_transformers(tokens):
  check(tokens.batch(recorded.SENTENCES), 'given')
  check(tokens.batch(recorded.PAIRS), 'pairs')


def test_the_longer_sentence_of_a_pair_is_cut_first(tokens):
  batch = tokens.batch(recorded.PAIRS, 12)
  assert batch.ids.shape[1] == 12
  check(batch, 'short')


def test_texts_and_pairs_go_together(tokens):
  both = tokens.encode([recorded.SENTENCES[1], recorded.PAIRS[0]])
  assert both == [*tokens.encode([recorded.SENTENCES[1]]), *tokens.encode([recorded.PAIRS[0]])]


def test_no_sentence_is_longer_than_the_most(tokens):
  assert tokens.max_length == 40
  (long, _), (short, _) = tokens.encode(['the river ' * 50, 'a'])
  assert len(long) == 40 and len(short) == 3 and long[-1] == short[-1]  # it ends with [SEP]
  assert tokens.batch([]).ids.shape[0] == 0
  with pytest.raises(errors.DataError, match='max_length=0 has no room'):
    tokens.encode(['a'], 0)


@pytest.mark.parametrize('odd', [3, None, ('a',), ('a', 3), b'bytes', 'half \ud800'])
def test_what_is_no_text_is_refused(tokens, odd):
  with pytest.raises(errors.DataError, match='sentence 1 '):
    tokens.encode(['a', odd])


@hypothesis.given(st.integers(0, 600), st.integers(16, 600))
def test_a_bucket_holds_its_lengths(length, largest):
  filled = tokens_lib.bucket(length, largest)
  assert filled <= largest and (filled >= length or filled == largest)
  assert filled in (largest, 16, 32, 64, 128, 256, 512)


def test_settings_of_a_vocabulary_are_heard(tmp_path):
  folder = recorded.copy(tmp_path / 'copy', without=['tokenizer.json'])
  path = folder / 'tokenizer_config.json'
  path.write_text(json.dumps({'do_lower_case': False, 'model_max_length': 20, 'unk_token': {'content': '[UNK]'}}))
  tokens = tokens_lib.load(folder, CONFIG)
  assert tokens.max_length == 20
  words = (folder / 'vocab.txt').read_text().split('\n')
  (ids, _), (lower, _) = tokens.encode(['The river', 'the river'])
  assert [words[each] for each in lower] == ['[CLS]', 'the', 'river', '[SEP]']
  assert [words[each] for each in ids] == ['[CLS]', '[UNK]', 'river', '[SEP]']


@pytest.mark.parametrize('most', [float('nan'), float('inf'), 1e30, None, '9'])
def test_a_length_that_is_none_is_that_of_the_positions(tmp_path, most):
  folder = recorded.copy(tmp_path / 'copy')
  (folder / 'tokenizer_config.json').write_text(json.dumps({'model_max_length': most}))
  assert tokens_lib.load(folder, CONFIG).max_length == CONFIG.max_position_embeddings


@pytest.mark.parametrize('name', ['tokenizer.json', 'vocab.txt', 'tokenizer_config.json'])
def test_a_file_that_is_too_large_is_not_read(tmp_path, name):
  folder = recorded.copy(tmp_path / 'copy', without=['tokenizer.json'] if name == 'vocab.txt' else [])
  os.truncate(folder / name, tokens_lib.LARGEST + 1)
  with pytest.raises(errors.ArtifactError, match=f'{name} has .* more than the'):
    tokens_lib.load(folder, CONFIG)


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes here')
def test_a_pipe_is_no_tokeniser(tmp_path):
  folder = recorded.copy(tmp_path / 'copy', without=['tokenizer.json'])
  os.mkfifo(folder / 'tokenizer.json')
  with pytest.raises(errors.ArtifactError, match='tokenizer.json is a pipe'):
    tokens_lib.load(folder, CONFIG)


def test_files_that_do_not_fit_are_named(tmp_path):
  folder = recorded.copy(tmp_path / 'copy')
  with pytest.raises(errors.ArtifactError, match=r'tokens, but the BERT of config.json only 7'):
    tokens_lib.load(folder, config_lib.BertConfig(vocab_size=7))
  settings = (folder / 'tokenizer_config.json').read_text()
  (folder / 'tokenizer_config.json').write_text('[]')
  with pytest.raises(errors.ArtifactError, match='tokenizer_config.json holds no fields but list'):
    tokens_lib.load(folder, CONFIG)
  (folder / 'tokenizer_config.json').write_text(settings)
  (folder / 'tokenizer.json').write_text('{"model": {}}')
  with pytest.raises(errors.ArtifactError, match='tokenizer.json is no tokeniser'):
    tokens_lib.load(folder, CONFIG)
  (folder / 'tokenizer.json').unlink()
  (folder / 'vocab.txt').write_text('a\nb\n')
  with pytest.raises(errors.ArtifactError, match='vocab.txt is no tokeniser'):
    tokens_lib.load(folder, CONFIG)
  (folder / 'vocab.txt').unlink()
  with pytest.raises(errors.ArtifactError, match='has neither tokenizer.json nor vocab.txt'):
    tokens_lib.load(folder, CONFIG)


def test_a_missing_package_is_told_with_its_extra(monkeypatch):
  monkeypatch.setitem(sys.modules, 'tokenizers', None)
  with pytest.raises(errors.FormatError, match=r"pip install 'medjax\[bert\]'"):
    tokens_lib.load(recorded.TINY, CONFIG)
