"""What a user holds: a loaded, perhaps cropped, encoder that makes vectors of sentences."""

from collections.abc import Mapping, Sequence
import dataclasses
import functools
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, Int
import numpy as np

from medjax import errors
from medjax.bert import config as config_lib
from medjax.bert import crop as crop_lib
from medjax.bert import export, importance, weights
from medjax.bert import leaves as leaves_lib
from medjax.bert import sentences as sentences_lib
from medjax.bert import tokens as tokens_lib
from medjax.bert.config import BertConfig
from medjax.bert.encoder import Bert, Output
from medjax.bert.sentences import Sentences
from medjax.bert.tokens import Sentence, Tokens
from medjax.core import axes as axes_lib
from medjax.saved import manifest
from medjax.saved.files import Path

DTYPES = ('float32', 'bfloat16')


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Encoder:
  """A BERT with its tokeniser.

  Attributes:
    config: its sizes and constants.
    params: float32, as `leaves` lists them.
    tokens: its tokeniser.
    sentences: how it makes vectors of sentences.
    settings: all fields of the config.json that it came from.
    files: {name: content} of the files that `save` leaves as they are.
    left_out: names of the arrays that came with it and are not its own, such as those of a head.
    dtype: in which it computes: 'float32' or 'bfloat16'.
  """

  config: BertConfig
  params: dict[str, Any]
  tokens: Tokens
  sentences: Sentences = dataclasses.field(default_factory=Sentences)
  settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  files: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
  left_out: tuple[str, ...] = ()
  dtype: str = 'float32'

  def __repr__(self) -> str:
    config, vectors = self.config, self.sentences
    own = [f'pooling {vectors.pooling}', *(['normalised'] if vectors.normalise else [])]
    own += [] if self.has_pooler else ['without a pooler']
    own += [f'{len(self.left_out)} arrays left out'] if self.left_out else []
    return (
      f'Encoder: {config.num_hidden_layers} layers, width {self.width}, {config.num_attention_heads} heads, '
      f'{config.intermediate_size} neurons; {axes_lib.num_numbers(self.params):,} numbers; {", ".join(own)}'
    )

  @property
  def width(self) -> int:
    """Its hidden size, which is the length of its vectors."""
    return self.config.hidden_size

  @property
  def has_pooler(self) -> bool:
    """Whether it has the pooler, which vectors of sentences do not need."""
    return leaves_lib.POOLER in self.params

  @property
  def module(self) -> Bert:
    """The flax module of its parameters."""
    return Bert(self.config, self.has_pooler, jnp.dtype(self.dtype))

  def __call__(self, ids: Int[Array, 'B L'], mask: Int[Array, 'B L'], types: Int[Array, 'B L'] | None = None) -> Output:
    """Returns what the encoder gives of tokens, see `encoder.Bert`."""
    return _forward(self.module, self.params, ids, mask, jnp.zeros_like(ids) if types is None else types)

  def encode(
    self, sentences: Sequence[Sentence], width: int | None = None, batch: int = 32
  ) -> Float32[np.ndarray, 'S H']:
    """Returns vectors of sentences, or of pairs of them, in their order.

    They are pooled as the folder says that the encoder came from; where it does not, they are those of the first token.

    Args:
      sentences: texts or pairs of them.
      width: the sub-model that makes them; `crop` once where many calls follow.
      batch: the most sentences at a time.

    Raises:
      errors.WidthError: a width that it cannot be cropped to.
      errors.DataError: what is neither a text nor a pair of them.
      errors.UsageError: a batch of no sentence.
    """
    if batch < 1:
      raise errors.UsageError(f'batch={batch}: at least one sentence is encoded at a time')
    if isinstance(sentences, str):
      sentences = [sentences]
    if width is not None and width != self.width:
      return self.crop(width).encode(sentences, batch=batch)
    encoded = self.tokens.encode(sentences)
    found = np.zeros((len(encoded), self.width), np.float32)
    order = sorted(range(len(encoded)), key=lambda place: len(encoded[place][0]))  # alike lengths side by side
    for first in range(0, len(order), batch):
      places = order[first : first + batch]
      length = tokens_lib.bucket(len(encoded[places[-1]][0]), self.tokens.max_length)
      filled = 1 << (len(places) - 1).bit_length()  # rows that are there and are not looked at: few shapes
      own = [encoded[place] for place in places] + [encoded[places[0]]] * (min(filled, batch) - len(places))
      given = tokens_lib.fill(own, length, self.tokens.pad)
      vectors = _vectors(self.module, self.sentences.pooling, self.sentences.normalise, self.params, *given)
      found[places] = np.asarray(vectors)[: len(places)]
    return found

  def crop(self, width: int, layers: int | None = None) -> 'Encoder':
    """Returns the sub-model of a hidden size, and perhaps of the first layers only; see `crop.crop`."""
    params = crop_lib.crop(self.params, self.config, width, layers)
    return dataclasses.replace(self, config=self.config.cropped(width, layers), params=params)

  def reorder(self, sentences: Sequence[Sentence], batch: int = 32) -> 'Encoder':
    """Returns the same encoder with what matters most for the vectors of some sentences first, see `importance`.

    Its vectors have the same numbers in another order.

    Raises:
      errors.DataError: no sentence, or what is none.
    """
    parts = [sentences[first : first + batch] for first in range(0, len(sentences), batch)]
    batches = [self.tokens.batch(part) for part in parts]
    found = importance.measure(self.params, self.config, batches, importance.size_of_vectors(self.sentences.pooling))
    return dataclasses.replace(self, params=importance.reorder(self.params, self.config, found))

  def save(self, folder: Path) -> None:
    """Writes a folder that `load`, transformers and, if it came from there, sentence-transformers load.

    Raises:
      errors.UsageError: the folder has files.
    """
    export.write(folder, self.config, self.params, self.settings, self.sentences, self.files)


def load(
  folder: Path,
  width: int | None = None,
  layers: int | None = None,
  dtype: str = 'float32',
  max_length: int | None = None,
) -> Encoder:
  """Loads a BERT from a folder of Hugging Face or sentence-transformers; runs no code of it.

  Args:
    folder: with config.json, model.safetensors (or its shards and index) and tokenizer.json or vocab.txt.
    width: the hidden size of a sub-model, of which alone is read; all if not given.
    layers: the number of first layers; all if not given.
    dtype: in which it computes: 'float32' or 'bfloat16'; parameters are float32.
    max_length: the most tokens of a sentence; what the folder says if not given.

  Raises:
    errors.ArtifactError: a file is missing, damaged, or does not fit its config.json.
    errors.ConfigError: the model is no BERT, or one that computes what this encoder does not; another dtype.
    errors.WidthError: a width or number of layers that it cannot be cropped to.
    errors.FormatError: the package tokenizers is not installed.
  """
  if dtype not in DTYPES:
    raise errors.ConfigError(f'dtype is {dtype!r}, but has to be one of {", ".join(DTYPES)}')
  root = pathlib.Path(folder)
  manifest.check_there(root, (*export.KEPT, sentences_lib.MODULES))
  sentences = sentences_lib.read(root)
  place = root / sentences.place
  config, settings = config_lib.read(place)
  small = config.cropped(config.hidden_size if width is None else width, layers)
  tokens = tokens_lib.load(place, config, sentences.max_length if max_length is None else max_length, sentences.lower)
  found = weights.read(place, config, small)
  return Encoder(
    small,
    jax.tree.map(jnp.asarray, found.params),
    tokens,
    sentences,
    settings,
    export.read_kept(root, place),
    found.left_out,
    dtype,
  )


@functools.partial(jax.jit, static_argnums=0)
def _forward(module, params, ids, mask, types):
  return module.apply({'params': params}, ids, mask, types)


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _vectors(module, pooling, normalise, params, ids, mask, types):
  return sentences_lib.pool(module.apply({'params': params}, ids, mask, types).hidden, mask, pooling, normalise)
