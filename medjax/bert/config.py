"""The configuration of a BERT, as config.json of Hugging Face has it; what the encoder cannot do is refused by name."""

import dataclasses
from fractions import Fraction
import json
import pathlib
from typing import Any

from medjax import errors
from medjax.core import files
from medjax.saved import manifest
from medjax.saved.files import Path

CONFIG = 'config.json'
ACTIVATIONS = ('gelu', 'gelu_new', 'relu')
ONLY: dict[str, tuple[Any, ...]] = {  # fields that change what a BERT computes, and the values that this one has
  'model_type': ('bert',),
  'position_embedding_type': ('absolute', None),
  'is_decoder': (False, None),
  'is_encoder_decoder': (False, None),
  'add_cross_attention': (False, None),
  'pruned_heads': ({}, None),
  'quantization_config': (None,),
}


@dataclasses.dataclass(frozen=True)
class BertConfig:
  """The sizes and constants of a BERT; names, meanings and defaults are those of Hugging Face.

  >>> BertConfig(hidden_size=384, num_attention_heads=12, intermediate_size=1536).cropped(96).num_attention_heads
  3

  Attributes:
    vocab_size: tokens.
    hidden_size: numbers of a token between the layers, H.
    num_hidden_layers: layers.
    num_attention_heads: heads of a layer, A, of H / A numbers each.
    intermediate_size: neurons of a layer's feed-forward part.
    hidden_act: their function: gelu (by the error function), gelu_new (by tanh) or relu.
    hidden_dropout_prob, attention_probs_dropout_prob: the shares that a training drops.
    max_position_embeddings: the most tokens of a sentence or pair.
    type_vocab_size: types of tokens: first and second sentence.
    initializer_range: standard deviation of drawn weights.
    layer_norm_eps: what is added to a variance.
  """

  vocab_size: int = 30522
  hidden_size: int = 768
  num_hidden_layers: int = 12
  num_attention_heads: int = 12
  intermediate_size: int = 3072
  hidden_act: str = 'gelu'
  hidden_dropout_prob: float = 0.1
  attention_probs_dropout_prob: float = 0.1
  max_position_embeddings: int = 512
  type_vocab_size: int = 2
  initializer_range: float = 0.02
  layer_norm_eps: float = 1e-12

  def __post_init__(self) -> None:
    for field in dataclasses.fields(self):
      value = getattr(self, field.name)
      whole = isinstance(value, int) and not isinstance(value, bool)
      if field.type is int and not (whole and value >= 1):
        raise errors.ConfigError(f'{field.name} is {value!r}, but has to be a whole number of at least 1')
      if field.type is float and not ((whole or isinstance(value, float)) and 0 <= value < 1):
        raise errors.ConfigError(f'{field.name} is {value!r}, but has to be a number from 0 to below 1')
    if not isinstance(self.hidden_act, str) or self.hidden_act not in ACTIVATIONS:
      raise errors.ConfigError(f'hidden_act is {self.hidden_act!r}, but has to be one of {", ".join(ACTIVATIONS)}')
    if self.hidden_size % self.num_attention_heads:
      raise errors.ConfigError(
        f'hidden_size {self.hidden_size} is no multiple of num_attention_heads {self.num_attention_heads}'
      )

  @property
  def head_size(self) -> int:
    """The numbers of a head, which a crop keeps."""
    return self.hidden_size // self.num_attention_heads

  @property
  def units(self) -> dict[str, int | Fraction]:
    """{croppable axis: the hidden numbers for which a sub-model has one entry of it}, see `core.axes.Axes`."""
    return {'hidden': 1, 'heads': self.head_size, 'neurons': Fraction(self.hidden_size, self.intermediate_size)}

  @property
  def widths(self) -> tuple[int, ...]:
    """The hidden sizes of all sub-models: those with whole heads and whole neurons."""
    every = range(self.head_size, self.hidden_size + 1, self.head_size)
    return tuple(width for width in every if width * self.intermediate_size % self.hidden_size == 0)

  def cropped(self, width: int, layers: int | None = None) -> 'BertConfig':
    """Returns the configuration of a sub-model: heads and neurons in proportion to the width.

    Args:
      width: its hidden size.
      layers: its number of layers, the first ones; all if not given.

    Raises:
      errors.WidthError: a width without whole heads and neurons, or more than there is.
    """
    if width not in self.widths:
      nearest = sorted(sorted(self.widths, key=lambda each: abs(each - width))[:3])
      raise errors.WidthError(
        f'width {width} is impossible: a sub-model of this BERT has whole heads of {self.head_size} numbers, whole '
        f'neurons and at most {self.hidden_size} numbers; the nearest are {", ".join(map(str, nearest))}'
      )
    layers = self.num_hidden_layers if layers is None else layers
    if not 1 <= layers <= self.num_hidden_layers:
      raise errors.WidthError(f'{layers} layers are impossible: this BERT has 1 to {self.num_hidden_layers}')
    return dataclasses.replace(
      self,
      hidden_size=width,
      num_hidden_layers=layers,
      num_attention_heads=width // self.head_size,
      intermediate_size=width * self.intermediate_size // self.hidden_size,
    )


def from_settings(settings: dict[str, Any], place: Path = CONFIG) -> BertConfig:
  """Returns the `BertConfig` of the fields of a config.json.

  Fields that a BERT's encoder does not read, such as those of heads, training and generation, change nothing here.

  Args:
    settings: the fields.
    place: the file that errors name.

  Raises:
    errors.ConfigError: a model that is no BERT, or a field that the encoder cannot do as it says.
  """
  for field, values in ONLY.items():
    if settings.get(field, values[0]) not in values:
      raise errors.ConfigError(
        f'{place}: {field} is {settings[field]!r}; a croppable BERT can only be {values[0]!r} there'
      )
  own = {field.name: settings[field.name] for field in dataclasses.fields(BertConfig) if field.name in settings}
  try:
    return BertConfig(**own)
  except errors.ConfigError as error:
    raise errors.ConfigError(f'{place}: {error}') from None


def read(folder: Path) -> tuple[BertConfig, dict[str, Any]]:
  """Returns the `BertConfig` of a folder and all fields of its config.json.

  Raises:
    errors.ArtifactError: the file is missing or no JSON.
    errors.ConfigError: see `from_settings`.
  """
  path = pathlib.Path(folder) / CONFIG
  settings = read_record(path)
  if 'model_type' not in settings:
    raise errors.ConfigError(f"{path} has no model_type; a BERT's says bert")
  return from_settings(settings, path), settings


def read_json(path: pathlib.Path) -> Any:
  """Returns what a JSON file of a Hugging Face folder holds; raises errors.ArtifactError where it cannot be read."""
  manifest.check(path)
  try:
    return json.loads(files.read_text(path, files.SETTINGS))
  except FileNotFoundError:
    raise errors.ArtifactError(f'{path} is missing; is {path.parent} a folder of a Hugging Face BERT?') from None
  except (OSError, ValueError, RecursionError) as error:
    raise errors.ArtifactError(f'{path} cannot be read as JSON ({error}); copy the folder anew') from error


def read_record(path: pathlib.Path) -> dict[str, Any]:
  """Returns the fields that a JSON file holds; raises errors.ArtifactError where it holds anything else."""
  fields = read_json(path)
  if not isinstance(fields, dict):
    raise errors.ArtifactError(f'{path} holds no fields but {type(fields).__name__}; copy the folder anew')
  return fields
