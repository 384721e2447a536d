"""Tables of the tables of a checkpoint by pieces along the axis that a width crops.

A narrow sub-model is read out of a run without reading the rest of it, so its check cannot be that of whole files: what
was read is compared with the hashes of its pieces instead, after libraries have decoded it.
"""

import jax
from jaxtyping import PyTree, Shaped
import numpy as np

from medjax.core import axes as axes_lib
from medjax.saved import manifest
from medjax.saved.manifest import Tables

PIECES = 64  # of a croppable leaf, as many as it is stored in


def named(tree: PyTree) -> dict[str, Shaped[np.ndarray, '...']]:
  """Returns the leaves of a tree by their paths, such as model/entity/re."""
  return {
    jax.tree_util.keystr(path, simple=True, separator='/'): leaf
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
  }


def of_tree(tree: PyTree[Shaped[jax.Array, '...']], axes: PyTree[axes_lib.Axes]) -> Tables:
  """Returns the hashes of all leaves; `axes` are the `Axes` of every leaf."""
  found = {}
  for (name, leaf), one in zip(named(tree).items(), jax.tree.leaves(axes)):
    array = np.asarray(leaf)
    length = max(1, array.shape[axis] // PIECES) if (axis := crop_axis(one)) is not None else 0
    found[name] = (length, of_pieces(array, axis, length))
  return found


def of_pieces(array: Shaped[np.ndarray, '...'], axis: int | None, length: int) -> tuple[str, ...]:
  """Returns the hashes of the pieces of an array along an axis, or of the whole array where that is None."""
  if axis is None:
    return (manifest.hash_of(np.ascontiguousarray(array).tobytes()),)
  pieces = np.split(array, range(length, array.shape[axis], length), axis)
  return tuple(manifest.hash_of(np.ascontiguousarray(piece).tobytes()) for piece in pieces)


def crop_axis(axes: axes_lib.Axes) -> int | None:
  """The axis along which a leaf is hashed piece by piece: the croppable one, if there is one alone."""
  return axes.crop[0][0] if len(axes.crop) == 1 else None


def whole_pieces(like: PyTree, stored: PyTree, axes: PyTree[axes_lib.Axes], hashes: Tables) -> PyTree | None:
  """Returns the shapes to read so that all of it can be checked: those of `like`, up to the end of a piece.

  Args:
    like: shapes that are asked for, with the shardings to read them with.
    stored: shapes that are stored.
    axes: the `Axes` of every leaf.
    hashes: of the stored leaves.

  Returns:
    None where a leaf is not hashed by pieces that end near enough.
  """

  def shape(asked, there, one, name):
    length, axis = hashes[name][0], crop_axis(one)
    if asked.shape == there.shape or axis is None or not length:
      return there.shape
    end = min(-(-asked.shape[axis] // length) * length, there.shape[axis])
    return tuple(end if i == axis else size for i, size in enumerate(there.shape))

  paths = named(like)
  if not paths.keys() <= hashes.keys():
    return None
  names = jax.tree.unflatten(jax.tree.structure(like), list(paths))
  wanted = lambda asked, there, one, name: jax.ShapeDtypeStruct(
    shape(asked, there, one, name), asked.dtype, sharding=getattr(asked, 'sharding', None)
  )
  return jax.tree.map(wanted, like, stored, axes, names)


def difference(tree: PyTree, axes: PyTree[axes_lib.Axes], hashes: Tables) -> str:
  """Returns which leaf, that was read up to the end of a piece, is not as it was hashed, in words; '' if none."""
  for (name, leaf), one in zip(named(tree).items(), jax.tree.leaves(axes)):
    length, expected = hashes[name]
    found = of_pieces(np.asarray(leaf), crop_axis(one) if length else None, length)
    if found != tuple(expected[: len(found)]):
      return f'{name} was changed'
  return ''
