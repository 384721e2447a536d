"""config.json: what a BERT is, and what is refused by name."""

import dataclasses
import json

import pytest

from medjax import errors
from medjax.bert import config as config_lib
from medjax.bert.config import BertConfig
from tests.bert import recorded


def test_a_recorded_configuration_is_read():
  config, settings = config_lib.read(recorded.TINY)
  assert (config.hidden_size, config.num_attention_heads, config.intermediate_size) == (32, 4, 64)
  assert (config.num_hidden_layers, config.max_position_embeddings, config.layer_norm_eps) == (2, 40, 1e-12)
  assert settings['model_type'] == 'bert'


def test_what_is_not_there_is_as_published():
  assert config_lib.from_settings({'model_type': 'bert'}) == BertConfig()
  assert dataclasses.astuple(BertConfig())[:5] == (30522, 768, 12, 12, 3072)


@pytest.mark.parametrize(
  'fields, words',
  [
    ({'model_type': 'roberta'}, "model_type is 'roberta'"),
    ({'position_embedding_type': 'relative_key'}, "position_embedding_type is 'relative_key'"),
    ({'is_decoder': True}, 'is_decoder is True'),
    ({'add_cross_attention': True}, 'add_cross_attention is True'),
    ({'pruned_heads': {'0': [1]}}, 'pruned_heads is'),
    ({'quantization_config': {'bits': 4}}, 'quantization_config is'),
    ({'hidden_act': 'silu'}, "hidden_act is 'silu', but has to be one of gelu, gelu_new, relu"),
    ({'hidden_size': 30}, 'hidden_size 30 is no multiple of num_attention_heads 4'),
    ({'hidden_act': {}}, 'hidden_act is {}'),
    ({'num_hidden_layers': '2'}, "num_hidden_layers is '2'"),
    ({'num_hidden_layers': True}, 'num_hidden_layers is True'),
    ({'vocab_size': 0}, 'vocab_size is 0'),
    ({'layer_norm_eps': 'small'}, "layer_norm_eps is 'small'"),
    ({'hidden_dropout_prob': 1.5}, 'hidden_dropout_prob is 1.5'),
  ],
)
def test_what_it_cannot_do_is_refused_by_name(fields, words, tmp_path):
  folder = recorded.copy(tmp_path / 'copy', **fields)
  with pytest.raises(errors.ConfigError) as error:
    config_lib.read(folder)
  assert words in str(error.value) and str(folder / 'config.json') in str(error.value)


@pytest.mark.parametrize('content', ['{', '[]', '{}', None])
def test_a_damaged_file_is_named(content, tmp_path):
  if content is not None:
    (tmp_path / 'config.json').write_text(content)
  with pytest.raises(errors.MedjaxError, match='config.json'):
    config_lib.read(tmp_path)


def test_sub_models_have_whole_heads_and_neurons():
  config = BertConfig(hidden_size=384, num_attention_heads=12, intermediate_size=1536)
  assert config.widths == tuple(range(32, 385, 32))
  small = config.cropped(96, 3)
  assert (small.num_attention_heads, small.intermediate_size, small.num_hidden_layers) == (3, 384, 3)
  assert small.head_size == config.head_size
  odd = BertConfig(hidden_size=32, num_attention_heads=4, intermediate_size=50)
  assert odd.widths == (16, 32)  # 8 of 32 numbers would have 12.5 neurons
  with pytest.raises(errors.WidthError, match='width 8 is impossible.*nearest are 16, 32'):
    odd.cropped(8)
  with pytest.raises(errors.WidthError, match='width 100 is impossible.*64, 96, 128'):
    config.cropped(100)
  with pytest.raises(errors.WidthError, match='13 layers are impossible: this BERT has 1 to 12'):
    config.cropped(96, 13)


def test_a_written_configuration_is_read_again(tmp_path):
  config = BertConfig(hidden_size=64, num_attention_heads=4)
  (tmp_path / 'config.json').write_text(json.dumps(dataclasses.asdict(config) | {'model_type': 'bert'}))
  assert config_lib.read(tmp_path)[0] == config
