"""Extraction (Ext): narrow models cut out of a trained wide one, its most important components first.

The baselines Ext-L and Ext-V of "Croppable Knowledge Graph Embedding" (arXiv 2407.02779). A component is kept or left
out as a whole: a complex one with both of its numbers. Its importance is judged once, in the full model, as in pruning
by loss (Molchanov et al., 2017) and by magnitude (Han et al., 2015), so the kept components of every width are a prefix
of one order: the reordered tables are the extracted models of all widths.
"""

from collections.abc import Sequence
import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float64, Int
import numpy as np

from medjax import objectives
from medjax.core import axes as axes_lib
from medjax.core import widths as widths_lib
from medjax.kge import batches as batches_lib
from medjax.kge import scoring
from medjax.scores import contract
from medjax.scores.contract import Params
from medjax.serve import model as model_lib
from medjax.serve.model import Model

METHODS = {'loss': 'Ext-L', 'value': 'Ext-V', 'random': 'Ext-random'}
TRIPLES = 1024  # positives whose loss is taken, at most
NEGATIVES = 64  # corrupted triples of each
BATCH = 32  # positives at once: a batch holds BATCH * NEGATIVES scores for every component
# Leaves that hold angles. A rotation's component is e^(i angle), of modulus 1 whatever the angle, so the size of the
# angle says nothing about the component.
ANGLES = ('phase',)


def importance(model: Model, by: str, seed: int = 0, temperature: float = 1.0) -> Float64[np.ndarray, ' C']:
  """Returns how much each component of a `Model` counts, float [C]; see `ranked` for the order that it gives.

  Args:
    model: the full-width model.
    by: 'loss', 'value' or 'random'.
    seed: of the sample of triples, their negatives, and the random order.
    temperature: of the self-adversarial weights in the loss.
  """
  if by == 'value':
    return by_value(model.params)
  if by == 'random':
    return np.random.RandomState(seed).permutation(num_components(model)).astype(np.float64)
  return by_loss(model, seed, temperature)


def by_value(params: Params) -> Float64[np.ndarray, ' C']:
  """Mean absolute value of each component (Ext-V), float64 [C].

  The mean over the entities plus that over the relations, so that the few relations count as much as the many
  entities. The absolute value of a component of several numbers is its modulus. A rotation has modulus 1 in every
  component, which changes no order.
  """
  total: Any = 0.0
  for table in params.values():
    leaves = [np.square(leaf, dtype=np.float64) for name, leaf in table.items() if name not in ANGLES]
    if leaves:
      total += np.sqrt(sum(leaves)).mean(0)
  return total


def by_loss(model: Model, seed: int = 0, temperature: float = 1.0) -> Float64[np.ndarray, ' C']:
  """Change of the loss when each component is left out (Ext-L), float64 [C]: exact, one component at a time.

  The loss is that of direct training (self-adversarial log-sigmoid) on validation triples, with uniform negatives
  that are no known training or validation answers. Its self-adversarial weights, too, are computed without the
  component.
  """
  length = num_components(model)
  if length == 1:
    return np.zeros(1)
  graph, score = model.graph, model.description.make_score()
  facts = np.concatenate([graph.valid, graph.train])
  size = len(graph.valid) or len(facts)  # without validation triples, those of the training
  triples, known = jnp.asarray(facts[:size]), batches_lib.known(facts)
  known = jax.tree.map(jnp.asarray, batches_lib.Known(known.start[:, :size], known.count[:, :size], known.answers))
  params = jax.tree.map(jnp.asarray, model.params)
  affine = model.description.offset[-1], model.description.scale[-1]
  batches = max(1, min(TRIPLES, size) // BATCH)
  total = np.zeros(length)
  for step in range(batches):
    batch = batches_lib.sample(jax.random.key(seed), step, triples, graph.num_entities, BATCH, NEGATIVES, known)
    full, without = batch_losses(params, batch, *affine, temperature, score=score)
    total += np.asarray(without, np.float64) - float(full[0])
  return total / batches


@functools.partial(jax.jit, static_argnames='score')
def batch_losses(
  params: Params, batch: batches_lib.Batch, offset: float, scale: float, temperature: float, *, score: contract.Score
) -> tuple[Float[Array, ' 1'], Float[Array, ' C']]:
  """Losses of a batch as (of the full model [1], without each component [C])."""
  rows = scoring.gather_rows(params, batch)
  query = scoring.make_queries(score, rows)
  width = jax.tree.leaves(rows.answers)[0].shape[-1] * score.components
  options = objectives.Options(adversarial_temperature=temperature)

  def loss(scorer):
    positive, negative = (offset + scale * raw for raw in scoring.score_batch(scorer, query, rows))
    return objectives.evolutionary((positive, negative), (positive, negative), batch.valid, 0.0, 0.0, options)

  return (
    loss(scoring.by_width(score, widths_lib.Widths((width,), score.components))),
    loss(lambda *pair: contract.leave_one_out(score, *pair)),
  )


def extract(model: Model, order: Int[np.ndarray, ' C'], widths: Sequence[int]) -> Model:
  """Returns the `Model` whose sub-models of these widths keep the first components of an order.

  Leaving components out leaves the full model's affine map as it is.

  Args:
    model: the full-width `Model`.
    order: int [C], the components from the most important one on.
    widths: increasing widths, at most the model's own.

  Raises:
    errors.WidthError: a width that the score cannot represent or that is wider than the model.
  """
  chosen = widths_lib.Widths(tuple(widths), model.widths.components)
  description = dataclasses.replace(
    model.description,
    widths=chosen.values,
    block=chosen.block,
    extra_widths='',
    offset=model.description.offset[-1:] * len(widths),
    scale=model.description.scale[-1:] * len(widths),
  )
  reordered = jax.tree.map(lambda leaf: np.asarray(leaf)[..., order], model.params)
  axes = model.description.make_score().axes
  return model_lib.Model(description, axes_lib.crop(reordered, axes, chosen.full), model.graph)


def ranked(values: Float[np.ndarray, ' C']) -> Int[np.ndarray, ' C']:
  """Returns the components from the most important one on, int [C]; equals keep their order.

  Of changes of the loss the size counts, as in Molchanov et al., 2017, eq. 1: without a component every distance is
  shorter, so all changes may be decreases, and the smallest decrease is that of the component which matters least.
  """
  return np.argsort(-np.abs(values), kind='stable')


def num_components(model: Model) -> int:
  """Returns C, the length of every leaf."""
  return model.width // model.widths.components
