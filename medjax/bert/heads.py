"""The head of a classifier or of a regression: from the pooled first token to a score a class, or a number.

Its kernel is cropped along its inputs with the encoder; its biases serve all widths. It is the head of Hugging Face's
BertForSequenceClassification.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from medjax.bert import crop as crop_lib
from medjax.bert import stacked
from medjax.bert.config import BertConfig
from medjax.bert.examples import Batch
from medjax.core.axes import Axes, FIXED

AXES = {'kernel': Axes(((0, 1),)), 'bias': FIXED}


class Said(NamedTuple):
  """What sub-models say of a batch.

  Attributes:
    scores: of the classes, float32; or a number.
    hidden: {width: hidden states of the last layer}.
  """

  scores: Float[Array, 'B C N']
  hidden: dict[int, Float[Array, 'B L H']]


def init(key: jax.Array, config: BertConfig, outputs: int) -> dict[str, Float[Array, '...']]:
  """Returns an untrained head."""
  kernel = config.initializer_range * jax.random.normal(key, (config.hidden_size, outputs))
  return {'kernel': kernel, 'bias': jnp.zeros(outputs)}


def axes(config: BertConfig) -> dict[str, Any]:
  """Returns the `core.axes.Axes` of the parameters {'bert': the encoder with its pooler, stacked, 'head': the head}."""
  return {'bert': stacked.axes(config), 'head': AXES}


def say(
  params: Mapping[str, Any],
  config: BertConfig,
  widths: Sequence[int],
  batch: Batch,
  dropout: jax.Array | None = None,
  dtype: Any = jnp.float32,
) -> Said:
  """Returns what sub-models say of a batch.

  Args:
    params: {'bert': the encoder with its pooler, perhaps stacked, 'head': the head}.
    config: of the encoder.
    widths: hidden sizes of the sub-models.
    batch: tokens.
    dropout: a key, from which every sub-model draws what it drops; None: nothing is dropped.
    dtype: in which they compute.
  """
  found = crop_lib.by_width(params['bert'], config, widths, batch.ids, batch.mask, batch.types, dropout, dtype)
  kernel, bias, kept = params['head']['kernel'], params['head']['bias'], 1 - config.hidden_dropout_prob
  scores = []
  for width in widths:
    pooled: Any = found[width].pooled
    pooled = pooled.astype(jnp.float32)
    if dropout is not None and kept < 1:
      drawn = jax.random.bernoulli(jax.random.fold_in(jax.random.fold_in(dropout, 0), width), kept, pooled.shape)
      pooled = jnp.where(drawn, pooled / kept, 0.0)
    scores.append(pooled @ kernel[:width] + bias[None])
  return Said(jnp.stack(scores, -1), {width: found[width].hidden for width in widths})
