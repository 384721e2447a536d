"""Every leaf of a BERT's parameters: its axes by name, and how Hugging Face stores it.

Crops, files and reorderings follow from this one list. An axis of the same name has the same entries in the same order
in all leaves of a layer, and 'hidden' in all leaves of the model, so it is cropped and permuted in all of them alike.
"""

from collections.abc import Iterable
import math
from typing import Any, NamedTuple

from flax import traverse_util
from jaxtyping import Shaped
import numpy as np

from medjax.bert.config import BertConfig
from medjax.core import axes as axes_lib
from medjax.core.axes import Axes

POOLER = 'pooler'
Array = Shaped[np.ndarray, '...']


class Leaf(NamedTuple):
  """A leaf of the parameters.

  Attributes:
    path: where it is among them.
    name: what files call it, without a prefix.
    axes: the names of its axes: vocabulary, positions, types, hidden, heads, head (the numbers of one), neurons.
    stored: for every axis of the array in a file, the leaf's axes that it is made of.
    layer: its layer, or None.
  """

  path: tuple[str, ...]
  name: str
  axes: tuple[str, ...]
  stored: tuple[tuple[int, ...], ...]
  layer: int | None = None

  def shape(self, config: BertConfig) -> tuple[int, ...]:
    """Returns the shape of the leaf."""
    lengths = sizes(config)
    return tuple(lengths[axis] for axis in self.axes)

  def stored_shape(self, config: BertConfig) -> tuple[int, ...]:
    """Returns the shape of the array in a file; that of a sub-model is a prefix of the full one along every axis."""
    shape = self.shape(config)
    return tuple(math.prod(shape[axis] for axis in group) for group in self.stored)

  def from_stored(self, array: Array, config: BertConfig) -> Array:
    """Returns the leaf of an array in a file."""
    order, shape = [axis for group in self.stored for axis in group], self.shape(config)
    split = array.reshape([shape[axis] for axis in order])
    return np.ascontiguousarray(np.transpose(split, np.argsort(order)))

  def to_stored(self, leaf: Array) -> Array:
    """Undoes `from_stored`."""
    order = [axis for group in self.stored for axis in group]
    turned = np.transpose(np.asarray(leaf), order)
    return turned.reshape([math.prod(np.shape(leaf)[axis] for axis in group) for group in self.stored])


def sizes(config: BertConfig) -> dict[str, int]:
  """Returns {axis: its entries}."""
  return {
    'vocabulary': config.vocab_size,
    'positions': config.max_position_embeddings,
    'types': config.type_vocab_size,
    'hidden': config.hidden_size,
    'heads': config.num_attention_heads,
    'head': config.head_size,
    'neurons': config.intermediate_size,
  }


def leaves(config: BertConfig, pooler: bool = True) -> tuple[Leaf, ...]:
  """Returns all leaves, those of the embeddings first and those of the pooler, if there is one, last."""
  found = [
    Leaf(('embeddings', path, 'embedding'), f'embeddings.{name}.weight', (axis, 'hidden'), ((0,), (1,)))
    for path, name, axis in (
      ('word', 'word_embeddings', 'vocabulary'),
      ('position', 'position_embeddings', 'positions'),
      ('type', 'token_type_embeddings', 'types'),
    )
  ]
  found += _norm(('embeddings', 'norm'), 'embeddings.LayerNorm')
  for layer in range(config.num_hidden_layers):
    found += [leaf._replace(layer=layer) for leaf in _layer(f'layer_{layer}', f'encoder.layer.{layer}')]
  return (*found, *(_dense((POOLER,), 'pooler.dense', ('hidden',), ('hidden',)) if pooler else ()))


def _layer(path: str, name: str) -> list[Leaf]:
  """The leaves of a layer."""
  heads = ('heads', 'head')
  found = []
  for part in ('query', 'key', 'value'):
    found += _dense((path, 'attention', part), f'{name}.attention.self.{part}', ('hidden',), heads)
  found += _dense((path, 'attention', 'out'), f'{name}.attention.output.dense', heads, ('hidden',))
  found += _norm((path, 'attention_norm'), f'{name}.attention.output.LayerNorm')
  found += _dense((path, 'up'), f'{name}.intermediate.dense', ('hidden',), ('neurons',))
  found += _dense((path, 'down'), f'{name}.output.dense', ('neurons',), ('hidden',))
  return found + _norm((path, 'norm'), f'{name}.output.LayerNorm')


def _dense(path: tuple[str, ...], name: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> list[Leaf]:
  """A kernel, whose inputs are the last axis of the array in a file, and a bias."""
  ins, outs = range(len(inputs)), range(len(inputs), len(inputs + outputs))
  return [
    Leaf((*path, 'kernel'), f'{name}.weight', inputs + outputs, (tuple(outs), tuple(ins))),
    Leaf((*path, 'bias'), f'{name}.bias', outputs, (tuple(range(len(outputs))),)),
  ]


def _norm(path: tuple[str, ...], name: str) -> list[Leaf]:
  return [
    Leaf((*path, 'scale'), f'{name}.weight', ('hidden',), ((0,),)),
    Leaf((*path, 'bias'), f'{name}.bias', ('hidden',), ((0,),)),
  ]


def nested(values: Iterable[tuple[Leaf, Any]]) -> dict[str, Any]:
  """Returns the tree of parameters that has a value in the place of every leaf."""
  return traverse_util.unflatten_dict({leaf.path: value for leaf, value in values})


def axes(config: BertConfig, pooler: bool = True) -> dict[str, Any]:
  """Returns the `core.axes.Axes` of every leaf, whose width is the hidden size."""
  units = config.units
  crop = lambda leaf: tuple((place, units[axis]) for place, axis in enumerate(leaf.axes) if axis in units)
  return nested((leaf, Axes(crop(leaf)) if crop(leaf) else axes_lib.FIXED) for leaf in leaves(config, pooler))
