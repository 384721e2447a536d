"""A second task beside the graph's: a nested linear autoencoder, of which every width is an autoencoder of its own.

`python -m tests.training.autoencoder FOLDER` trains it, or goes on, as test_autoencoder.py does in its own process.
"""

import pathlib
import sys

import jax
import jax.numpy as jnp
import numpy as np

from medjax import config as config_lib
from medjax.core import axes as axes_lib
from medjax.core.widths import Widths
from medjax.report import metrics
from medjax.saved import checkpoint
from medjax.training import loop, parallel
from medjax.training.task import Task

WIDTHS, INPUTS = Widths((2, 4, 8)), 12
AXES = {
  'code': {'encoder': axes_lib.columns(), 'mixer': axes_lib.Axes(((0, 1), (1, 1)))},
  'decoder': axes_lib.Axes(((0, 1),)),
}
ROWS = np.random.default_rng(0).normal(size=(256, INPUTS)).astype(np.float32) * np.linspace(2, 0.1, INPUTS, dtype='f4')


def make_task():
  """Returns the `Task`: rows x are mapped to x E M D, and width d has the first d columns of E, of M, and rows of D."""

  def init(key):
    draw = lambda key, *shape: 0.3 * jax.random.normal(key, shape)
    encoder, mixer, decoder = jax.random.split(key, 3)
    return {
      'code': {'encoder': draw(encoder, INPUTS, WIDTHS.full), 'mixer': draw(mixer, WIDTHS.full, WIDTHS.full)},
      'decoder': draw(decoder, WIDTHS.full, INPUTS),
    }

  def batch(key, step, data):
    return data[jax.random.randint(jax.random.fold_in(key, step), (32,), 0, len(data))]

  def loss(params, rows, drawn):
    each = jnp.stack([error(axes_lib.crop(params, AXES, width), rows) for width in WIDTHS.values])
    each = each if drawn is None else each[drawn]
    return each.sum(), each

  def validate(params):
    each = {width: -float(error(axes_lib.crop(params, AXES, width), ROWS)) for width in WIDTHS.values}
    return sum(each.values()), each

  gradient = jax.value_and_grad(loss, has_aux=True)
  return Task(
    init,
    batch,
    lambda params, rows, drawn, step: gradient(params, rows, drawn),
    validate,
    AXES,
    WIDTHS,
    data=ROWS,
    merit='fit',
  )


def error(params, rows):
  """Mean squared error of a model's reconstruction."""
  return jnp.square(rows @ params['code']['encoder'] @ params['code']['mixer'] @ params['decoder'] - rows).mean()


def train(folder, steps=400):
  """Trains in a folder, or goes on there; returns the last state."""
  settings = config_lib.TrainConfig(
    steps=steps, steps_per_dispatch=2, log_every=10, checkpoint_every=50, learning_rate=0.01, narrow_rate=0.5
  )
  checkpoints = checkpoint.Checkpoints(folder / 'checkpoints', axes=AXES)
  state = loop.fit(
    make_task(),
    settings,
    config_lib.EvalConfig(every=100),
    parallel.ONE,
    checkpoints,
    lambda step: metrics.Writer(folder, step),
  )
  checkpoints.close()
  return state


if __name__ == '__main__':
  train(pathlib.Path(sys.argv[1]))
