"""Optimizers by configuration, and rates by width."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree
import numpy as np
import optax

from medjax.config.fields import TrainConfig
from medjax.core import axes as axes_lib
from medjax.core.widths import Widths


def make(train: TrainConfig) -> optax.GradientTransformation:
  """Returns Adam or Adagrad with the learning rate of a `TrainConfig`, decayed as it says."""
  rate = train.learning_rate
  if train.decay == 'linear':
    rate = optax.linear_schedule(train.learning_rate, 0.0, train.steps)
  return (
    optax.adam(rate) if train.optimizer == 'adam' else optax.adagrad(rate, initial_accumulator_value=0.0, eps=1e-10)
  )


def adamw(
  rate: float, steps: int, warmup: float, weight_decay: float, clip: float, decayed: Callable[[PyTree], PyTree]
) -> optax.GradientTransformation:
  """Returns AdamW (Loshchilov and Hutter, ICLR 2019) under a learning rate that rises from 0, and falls to 0 linearly.

  Args:
    rate: the highest learning rate.
    steps: of the training.
    warmup: the share of them in which the rate rises.
    weight_decay: how much of a decayed leaf a step takes away, times the rate.
    clip: the largest norm of all gradients together; 0: any.
    decayed: parameters -> whether each leaf decays.
  """
  rises = round(warmup * steps)
  shape = optax.join_schedules(
    [optax.linear_schedule(0.0, 1.0, rises), optax.linear_schedule(1.0, 0.0, steps - rises)], [rises]
  )
  return optax.chain(
    optax.clip_by_global_norm(clip) if clip else optax.identity(),
    optax.scale_by_adam(),
    optax.add_decayed_weights(weight_decay, decayed),
    optax.scale_by_schedule(shape),
    kept_rate(rate),
  )


class Rate(NamedTuple):
  """The highest learning rate."""

  highest: Float[Array, '']


def kept_rate(rate: float) -> optax.GradientTransformation:
  """Returns the step down by a rate that is part of the state, so that one program serves a search of it."""
  return optax.GradientTransformation(
    lambda params: Rate(jnp.float32(rate)),
    lambda updates, state, params=None: (jax.tree.map(lambda leaf: -state.highest * leaf, updates), state),
  )


def by_width(updates: PyTree, axes: PyTree, widths: Widths, power: float) -> PyTree:
  """Scales the updates of croppable leaves: those of an entry by (d_n/d)^p, d the narrowest width that has it.

  A normalised score moves by as much a step at every width (see `core.width_scale.affine`), but the rate that is best
  still falls with the width; this gives every block its own. Where several axes of a leaf are cropped, an entry is in a
  sub-model only if all its axes are, so the smallest of their factors holds.

  Args:
    updates: what is added to the parameters.
    axes: their `Axes`.
    widths: those of a device, of whose mesh axis it holds a share.
    power: p.
  """

  def factors(unit):
    ends = np.array([int(width / unit) for width in widths.values])
    narrowest = np.array(widths.values)[np.searchsorted(ends, np.arange(ends[-1]), side='right')]
    return jnp.asarray((widths.full / narrowest) ** power, jnp.float32)

  def scale(leaf, one):
    smallest = None
    for axis, unit in one.crop:
      factor = factors(unit)
      if widths.axis and axis == one.split:  # a device's share of the entries
        size = len(factor) // widths.parts
        factor = jax.lax.dynamic_slice(factor, [jax.lax.axis_index(widths.axis) * size], [size])
      factor = jnp.expand_dims(factor, [other for other in range(leaf.ndim) if other != axis])
      smallest = factor if smallest is None else jnp.minimum(smallest, factor)
    return leaf if smallest is None else leaf * smallest

  return jax.tree.map(scale, updates, axes_lib.spread(axes, updates))
