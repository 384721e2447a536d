"""Parameters in which a leaf of all layers is one array [layers, ...], as trainings hold them.

What slices, updates and sums a leaf is then compiled once for all layers, of which nothing depends on their number.
"""

from typing import Any

import jax
import jax.numpy as jnp

from medjax.bert import leaves as leaves_lib
from medjax.bert.config import BertConfig
from medjax.core.axes import Axes

LAYERS = 'layers'
LAYER = 'layer_'  # what the names of single layers begin with


def stack(params: dict[str, Any]) -> dict[str, Any]:
  """Returns parameters of `leaves` stacked; those that are stay as they are."""
  if LAYERS in params:
    return params
  count = sum(name.startswith(LAYER) for name in params)
  layers = [params[f'{LAYER}{number}'] for number in range(count)]
  rest = {name: part for name, part in params.items() if not name.startswith(LAYER)}
  return rest | {LAYERS: jax.tree.map(lambda *parts: jnp.stack(parts), *layers)}


def unstack(params: dict[str, Any]) -> dict[str, Any]:
  """Undoes `stack`; works on arrays and on what indexes as they do."""
  rest = {name: part for name, part in params.items() if name != LAYERS}
  count = len(jax.tree.leaves(params[LAYERS])[0])
  return rest | {
    f'{LAYER}{number}': jax.tree.map(lambda leaf, own=number: leaf[own], params[LAYERS]) for number in range(count)
  }


def axes(config: BertConfig, pooler: bool = True) -> dict[str, Any]:
  """Returns the `core.axes.Axes` of every stacked leaf, see `leaves.axes`."""
  found = leaves_lib.axes(config, pooler)
  rest = {name: part for name, part in found.items() if not name.startswith(LAYER)}
  behind = lambda one: Axes(tuple((axis + 1, unit) for axis, unit in one.crop))
  return rest | {LAYERS: jax.tree.map(behind, found[f'{LAYER}0'])}
