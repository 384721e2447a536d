"""Declared axes of a model's leaves, and cropping by them.

A model says of each of its leaves which axes a width crops and which axis a mesh splits. Crops, checkpoints, layouts
and rates by width read that declaration; none of them looks at how many axes a leaf happens to have.
"""

import dataclasses
from fractions import Fraction
import math
from typing import Any

import jax
from jaxtyping import PyTree

from medjax import errors


@dataclasses.dataclass(frozen=True)
class Axes:
  """What a width and a mesh do to one leaf.

  >>> Axes(((0, 1), (1, 64))).lengths(128)
  {0: 128, 1: 2}

  Attributes:
    crop: (axis, unit) of every croppable axis: a model of width d has the first d / unit entries of that axis. A unit
      of 2 keeps one complex component for two numbers, one of 64 a head of an encoder for 64 hidden units, one of 1/4
      four neurons for each.
    split: the axis along which a mesh splits the leaf, or None: every device has all of it.
  """

  crop: tuple[tuple[int, int | Fraction], ...] = ()
  split: int | None = None

  def lengths(self, width: int) -> dict[int, int]:
    """Returns {axis: entries that a model of this width has}; raises WidthError for a part of an entry."""
    found = {}
    for axis, unit in self.crop:
      length = Fraction(width) / unit
      if length.denominator != 1 or length < 1:
        raise errors.WidthError(f'width {width} is impossible with {unit} numbers per component')
      found[axis] = int(length)
    return found


FIXED = Axes()


def columns(unit: int = 1) -> Axes:
  """The axes of a table [rows, components]: its columns are cropped, `unit` numbers each, and split by a mesh."""
  return Axes(((1, unit),), 1)


def spread(axes: PyTree, params: PyTree) -> PyTree:
  """Returns the `Axes` of every leaf, where `axes` may name whole subtrees of `params`."""
  return jax.tree.map(lambda one, part: jax.tree.map(lambda _: one, part), axes, params)


def crop(params: PyTree, axes: PyTree, width: int) -> PyTree:
  """Returns the sub-model of a width: the first entries of every croppable axis.

  >>> import numpy as np
  >>> tables = {'entity': {'re': np.zeros((3, 80)), 'im': np.zeros((3, 80))}, 'temperature': np.ones(())}
  >>> small = crop(tables, {'entity': columns(2), 'temperature': FIXED}, 40)
  >>> small['entity']['re'].shape, small['temperature'].shape
  ((3, 20), ())

  Args:
    params: arrays, or anything that slices as they do.
    axes: their `Axes`, or those of whole subtrees.
    width: the sub-model's.

  Raises:
    WidthError: a width that a leaf cannot be cropped to.
  """

  def cut(leaf: Any, one: Axes) -> Any:
    return leaf[tuple(slice(length) for length in cropped_shape(leaf.shape, one, width))] if one.crop else leaf

  return jax.tree.map(cut, params, spread(axes, params))


def cropped_shape(shape: tuple[int, ...], axes: Axes, width: int) -> tuple[int, ...]:
  """Returns the shape of a leaf of this shape in the sub-model of a width; raises WidthError if that is wider."""
  lengths = axes.lengths(width)
  for axis, unit in axes.crop:
    if lengths[axis] > shape[axis]:
      raise errors.WidthError(f'cannot crop a model of width {shape[axis] * unit} to {width}')
  return tuple(lengths.get(axis, size) for axis, size in enumerate(shape))


def crop_shapes(shapes: PyTree, axes: PyTree, width: int) -> PyTree:
  """Returns the shapes of the sub-model of a width, of those of the full model; see `crop`."""
  cut = lambda leaf, one: jax.ShapeDtypeStruct(cropped_shape(leaf.shape, one, width), leaf.dtype)
  return jax.tree.map(cut, shapes, spread(axes, shapes))


def num_numbers(params: PyTree) -> int:
  """Returns how many numbers a model stores."""
  return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params))
