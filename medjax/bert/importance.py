"""Reordering before a training, so that sub-models begin with what matters most.

How much an entry of an axis matters is, for every leaf that has it, the size of sum(gradient * weight) over its numbers
in that leaf: to first order, what the loss would change by without them (Molchanov et al., "Importance Estimation for
Neural Network Pruning", CVPR 2019). Michel et al. ("Are Sixteen Heads Really Better than One?", NeurIPS 2019) judge
heads so, and Hou et al. ("DynaBERT", NeurIPS 2020) heads and neurons, which they then sort before they train widths.
Hidden numbers are judged and sorted here likewise, over all layers at once, since all layers add to them.

A permutation changes no value: heads and neurons are added up within their layer, and hidden numbers, which every layer
reads and writes, are permuted in all leaves alike; what the encoder gives is permuted with them.
"""

from collections.abc import Callable, Iterable
import functools
from typing import Any, NamedTuple

from flax import traverse_util
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
import numpy as np

from medjax import errors
from medjax.bert import leaves as leaves_lib
from medjax.bert import sentences
from medjax.bert.config import BertConfig
from medjax.bert.encoder import Bert, Output
from medjax.bert.tokens import Batch

Loss = Callable[[Output, Any], Float[Array, '']]  # (what the encoder gives, the batch) -> what is judged by


class ByAxis(NamedTuple):
  """Something for every entry of the croppable axes: its importance, or its new order.

  Attributes:
    hidden: of the hidden numbers, [H].
    heads: of the heads of every layer, [layers, A].
    neurons: of the neurons of every layer, [layers, neurons].
  """

  hidden: Any
  heads: Any
  neurons: Any


@functools.cache
def size_of_vectors(pooling: str = 'mean') -> Loss:
  """Returns the loss that needs no labels: half the squared length of the vectors of sentences, added up."""

  def loss(output, batch):
    return 0.5 * jnp.square(sentences.pool(output.hidden, batch.mask, pooling, normalise=False)).sum()

  return loss


def measure(params: dict[str, Any], config: BertConfig, batches: Iterable[Batch], loss: Loss | None = None) -> ByAxis:
  """Returns the importance of every hidden number, head and neuron, added up over batches.

  Args:
    params: of the BERT.
    config: of the BERT.
    batches: of tokens; a record with more fields than `Batch`, such as labels, where the loss reads them.
    loss: what is judged by; `size_of_vectors` if not given.

  Raises:
    errors.DataError: no batch.
  """
  loss, pooler = loss or size_of_vectors(), leaves_lib.POOLER in params
  total: ByAxis | None = None
  for batch in batches:
    found = _importance(Bert(config, pooler), loss, params, batch)
    total = found if total is None else jax.tree.map(jnp.add, total, found)
  if total is None:
    raise errors.DataError('importance is measured on at least one batch of sentences; there is none')
  return jax.tree.map(np.asarray, total)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _importance(module, loss, params, batch):
  """The importance by one batch."""
  config = module.config
  value = lambda params: loss(module.apply({'params': params}, batch.ids, batch.mask, batch.types), batch)
  flat, gradient = traverse_util.flatten_dict(params), traverse_util.flatten_dict(jax.grad(value)(params))
  hidden = jnp.zeros(config.hidden_size)
  heads = jnp.zeros((config.num_hidden_layers, config.num_attention_heads))
  neurons = jnp.zeros((config.num_hidden_layers, config.intermediate_size))
  for leaf in leaves_lib.leaves(config, module.with_pooler):
    product = flat[leaf.path] * gradient[leaf.path]
    for place, axis in enumerate(leaf.axes):
      size = jnp.abs(product.sum(tuple(other for other in range(product.ndim) if other != place)))
      if axis == 'hidden':
        hidden += size
      elif axis == 'heads':
        heads = heads.at[leaf.layer].add(size)
      elif axis == 'neurons':
        neurons = neurons.at[leaf.layer].add(size)
  return ByAxis(hidden, heads, neurons)


def reorder(params: dict[str, Any], config: BertConfig, importance: ByAxis) -> dict[str, Any]:
  """Returns the parameters with the most important entries of every axis first; those of equal importance stay."""
  return permute(params, config, jax.tree.map(lambda each: np.argsort(-each, axis=-1, kind='stable'), importance))


def permute(params: dict[str, Any], config: BertConfig, order: ByAxis) -> dict[str, Any]:
  """Returns the parameters whose entry j of an axis is the entry `order[j]` of before.

  Args:
    params: of the BERT.
    config: of the BERT.
    order: permutations: hidden [H], heads [layers, A], neurons [layers, neurons].
  """
  flat = traverse_util.flatten_dict(params)
  permuted = {}
  for leaf in leaves_lib.leaves(config, leaves_lib.POOLER in params):
    value = flat[leaf.path]
    for place, axis in enumerate(leaf.axes):
      if axis in ByAxis._fields:
        own: Int[np.ndarray, ' entries'] = order.hidden if axis == 'hidden' else getattr(order, axis)[leaf.layer]
        value = value.take(own, place)
    permuted[leaf.path] = value
  return traverse_util.unflatten_dict(permuted)
