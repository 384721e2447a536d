"""Sub-models: the first numbers of every croppable axis, and perhaps the first layers.

A sub-model costs a forward pass of its own. Its layer normalisations divide by other deviations than those of wider
ones, and what follows them differs in every number, so nothing that a layer computes serves two widths. What does are
the sums of embeddings before the first normalisation, which are gathered once (`by_width`), and whose gradient is
therefore added into the tables once.
"""

from collections.abc import Sequence
from typing import Any, cast

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from medjax.bert import leaves as leaves_lib
from medjax.bert import stacked
from medjax.bert.config import BertConfig
from medjax.bert.encoder import Bert, Layer, Output
from medjax.core import axes as axes_lib

Params = dict[str, Any]  # the tree of `leaves`; see there


def crop(params: Params, config: BertConfig, width: int, layers: int | None = None) -> Params:
  """Returns the parameters of a sub-model, whose configuration is `config.cropped(width, layers)`.

  Args:
    params: of the BERT, or anything that slices as arrays do.
    config: of the BERT.
    width: the sub-model's hidden size.
    layers: how many of the first layers it has; all if not given.

  Raises:
    errors.WidthError: a width or number of layers that the BERT cannot be cropped to.
  """
  kept = config.cropped(width, layers).num_hidden_layers
  axes = leaves_lib.axes(config, leaves_lib.POOLER in params)
  dropped = {f'layer_{layer}' for layer in range(kept, config.num_hidden_layers)}
  without = lambda tree: {name: part for name, part in tree.items() if name not in dropped}
  return axes_lib.crop(without(params), without(axes), width)


def by_width(
  params: Params,
  config: BertConfig,
  widths: Sequence[int],
  ids: Int[Array, 'B L'],
  mask: Bool[Array, 'B L'] | Int[Array, 'B L'],
  types: Int[Array, 'B L'] | None = None,
  dropout: jax.Array | None = None,
  dtype: Any = jnp.float32,
) -> dict[int, Output]:
  """Returns {width: what the sub-model of that hidden size gives}, of one gather of embeddings.

  Args:
    params: of the BERT, perhaps `stacked`.
    config: of the BERT.
    widths: hidden sizes of sub-models.
    ids, mask, types: see `Bert`.
    dropout: a key, from which every sub-model draws what it drops; None: nothing is dropped.
    dtype: in which they compute.

  Raises:
    errors.WidthError: a width that the BERT cannot be cropped to.
    errors.DataError: more tokens than there are positions.
  """
  with_pooler = leaves_lib.POOLER in params
  whole, axes, widest = stacked.stack(params), stacked.axes(config, with_pooler), max(widths)
  module = lambda width: Bert(config.cropped(width), with_pooler, dtype)
  own = {width: axes_lib.crop(whole, axes, width) for width in widths}
  rows: Any = module(widest).apply({'params': own[widest]}, ids, types, method='embed')
  found: dict[int, Any] = {}
  for width in widths:
    key = None if dropout is None else jax.random.fold_in(dropout, width)
    found[width] = scanned(module(width), own[width], rows[..., :width], mask, key)
  return found


def scanned(
  module: Bert,
  params: Params,
  rows: Float[Array, 'B L H'],
  mask: Bool[Array, 'B L'] | Int[Array, 'B L'],
  dropout: jax.Array | None = None,
) -> Output:
  """Returns what `Bert.contextualise` does, with one compiled layer for all.

  Args:
    module: the encoder.
    params: its own, stacked.
    rows: sums of embeddings.
    mask: see `Bert`.
    dropout: a key, or None: nothing is dropped.
  """
  part = lambda number: None if dropout is None else {'dropout': jax.random.fold_in(dropout, number)}
  layers = module.config.num_hidden_layers
  hidden: Any = module.apply({'params': params}, rows, dropout is None, method='normalise', rngs=part(layers))
  layer, attended = Layer(module.config, module.dtype), (mask > 0)[:, None, None, :]

  def step(hidden, given):
    own, number = given
    return layer.apply({'params': own}, hidden, attended, dropout is None, rngs=part(number)), None

  hidden, _ = jax.lax.scan(step, hidden, (params[stacked.LAYERS], jnp.arange(layers)))
  return Output(hidden, cast(Any, module.apply({'params': params}, hidden, method='pool')))
