"""BERT's encoder as published (Devlin et al., "BERT", NAACL 2019), in flax Linen.

Its parameters are those of `leaves`. A sub-model is the same module of a smaller configuration: every sum, and the mean
and variance of a layer normalisation, is then of the numbers that the sub-model has.
"""

from collections.abc import Callable
import functools
from typing import Any, NamedTuple

from flax import linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from medjax import errors
from medjax.bert.config import BertConfig

FUNCTIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
  'gelu': functools.partial(jax.nn.gelu, approximate=False),
  'gelu_new': functools.partial(jax.nn.gelu, approximate=True),
  'relu': jax.nn.relu,
}


class Output(NamedTuple):
  """What an encoder gives.

  Attributes:
    hidden: of every token, after the last layer.
    pooled: of the first token, through the pooler; None without one.
  """

  hidden: Float[Array, 'B L H']
  pooled: Float[Array, 'B H'] | None


class Bert(nn.Module):
  """The encoder.

  Attributes:
    config: its sizes and constants.
    with_pooler: whether it has a pooler.
    dtype: in which it computes; parameters are float32. Softmax, means and variances are always taken in float32.
  """

  config: BertConfig
  with_pooler: bool = True
  dtype: Any = jnp.float32

  def setup(self) -> None:
    """Makes the parts, whose names are those of the parameters."""
    config = self.config
    self.embeddings = Embeddings(config, self.dtype)
    self.layer = [Layer(config, self.dtype) for _ in range(config.num_hidden_layers)]
    if self.with_pooler:
      self.pooler = nn.Dense(config.hidden_size, dtype=self.dtype, kernel_init=drawn(config))

  def __call__(
    self,
    ids: Int[Array, 'B L'],
    mask: Bool[Array, 'B L'] | Int[Array, 'B L'],
    types: Int[Array, 'B L'] | None = None,
    deterministic: bool = True,
  ) -> Output:
    """Encodes tokens.

    Args:
      ids: of tokens.
      mask: true where there is a token, false where there is filling.
      types: 0 for tokens of the first sentence, 1 for those of the second; all 0 if not given.
      deterministic: whether nothing is dropped; else an rng named 'dropout' is needed.

    Raises:
      errors.DataError: more tokens than there are positions.
    """
    return self.contextualise(self.embed(ids, types), mask, deterministic)

  def embed(self, ids: Int[Array, 'B L'], types: Int[Array, 'B L'] | None = None) -> Float[Array, 'B L H']:
    """Returns the sums of embeddings before they are normalised: the only part of which sub-models have a prefix."""
    return self.embeddings.rows(ids, types)

  def contextualise(
    self, rows: Float[Array, 'B L H'], mask: Bool[Array, 'B L'] | Int[Array, 'B L'], deterministic: bool = True
  ) -> Output:
    """Encodes what `embed` gives; see `__call__`."""
    hidden = self.normalise(rows, deterministic)
    attended = (mask > 0)[:, None, None, :]
    for layer in self.layer:
      hidden = layer(hidden, attended, deterministic)
    return Output(hidden, self.pool(hidden))

  def normalise(self, rows: Float[Array, 'B L H'], deterministic: bool = True) -> Float[Array, 'B L H']:
    """Returns what the first layer reads of what `embed` gives."""
    return self.embeddings.normalise(rows, deterministic)

  def pool(self, hidden: Float[Array, 'B L H']) -> Float[Array, 'B H'] | None:
    """Returns the first token through the pooler, or None without one."""
    return jnp.tanh(self.pooler(hidden[:, 0])) if self.with_pooler else None


class Embeddings(nn.Module):
  """Embeddings of tokens, positions and types; see `Bert` for the attributes."""

  config: BertConfig
  dtype: Any

  def setup(self) -> None:
    """Makes the tables and the normalisation."""
    config = self.config
    table = lambda rows: nn.Embed(rows, config.hidden_size, dtype=self.dtype, embedding_init=drawn(config))
    self.word, self.type = table(config.vocab_size), table(config.type_vocab_size)
    self.position = table(config.max_position_embeddings)
    self.norm = normalisation(config, self.dtype)
    self.dropout = nn.Dropout(config.hidden_dropout_prob)

  def rows(self, ids: Int[Array, 'B L'], types: Int[Array, 'B L'] | None) -> Float[Array, 'B L H']:
    """Returns the sums of the three embeddings of every token."""
    length = ids.shape[1]
    if length > self.config.max_position_embeddings:
      raise errors.DataError(
        f'{length} tokens are more than the {self.config.max_position_embeddings} positions of this BERT; cut them'
      )
    types = jnp.zeros_like(ids) if types is None else types
    return self.word(ids) + self.type(types) + self.position(jnp.arange(length))[None]

  def normalise(self, rows: Float[Array, 'B L H'], deterministic: bool) -> Float[Array, 'B L H']:
    """Returns what the first layer reads."""
    return self.dropout(self.norm(rows), deterministic=deterministic)


class Layer(nn.Module):
  """Attention and neurons, each added to what it reads and normalised; see `Bert` for the attributes."""

  config: BertConfig
  dtype: Any

  @nn.compact
  def __call__(
    self, hidden: Float[Array, 'B L H'], attended: Bool[Array, 'B 1 1 L'], deterministic: bool
  ) -> Float[Array, 'B L H']:
    """Returns what the next layer reads."""
    config = self.config
    dense = functools.partial(nn.Dense, dtype=self.dtype, kernel_init=drawn(config))
    drop = lambda x: nn.Dropout(config.hidden_dropout_prob)(x, deterministic=deterministic)
    attention = nn.MultiHeadDotProductAttention(
      config.num_attention_heads,
      dtype=self.dtype,
      dropout_rate=config.attention_probs_dropout_prob,
      broadcast_dropout=False,
      force_fp32_for_softmax=True,
      kernel_init=drawn(config),
      name='attention',
    )
    found = attention(hidden, mask=attended, deterministic=deterministic)
    hidden = normalisation(config, self.dtype, 'attention_norm')(hidden + drop(found))
    neurons = FUNCTIONS[config.hidden_act](dense(config.intermediate_size, name='up')(hidden))
    found = dense(config.hidden_size, name='down')(neurons)
    return normalisation(config, self.dtype, 'norm')(hidden + drop(found))


def drawn(config: BertConfig) -> nn.initializers.Initializer:
  """Returns how the weights of an untrained BERT are drawn; biases begin at 0."""
  return nn.initializers.normal(config.initializer_range)


def normalisation(config: BertConfig, dtype: Any, name: str | None = None) -> nn.LayerNorm:
  """Returns a layer normalisation, whose variance is the mean of squared deviations."""
  return nn.LayerNorm(config.layer_norm_eps, dtype=dtype, use_fast_variance=False, name=name)
