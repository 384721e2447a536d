"""The loop that medjax replaces: the same objective, one sliced model after the other, in one compiled step.

Two readings of "slice": each sub-model crops the tables and gathers its rows from the crop (`slice_of='tables'`,
what 64 separate models do), or full rows are gathered once and each sub-model crops those (`slice_of='rows'`,
the kindest form of the loop). Both compute the loss of `medjax.kge.loss` and move the same parameters.
"""

import jax
import jax.numpy as jnp

from medjax import objectives
from medjax.core import axes as axes_lib
from medjax.core import rows as rows_lib
from medjax.core.widths import Widths
from medjax.kge import loss as loss_lib

SLICES = ('tables', 'rows')


def gather(model, batch):
  """Returns rows of the (anchors [B, C], candidates [B, 1 + K, C], relations [B, C])."""
  negatives = jnp.repeat(batch.negatives, len(batch.anchor) // len(batch.negatives), 0)
  candidates = jnp.concatenate([batch.answer[:, None], negatives], 1)
  return (
    rows_lib.gather(model['entity'], batch.anchor),
    rows_lib.gather(model['entity'], candidates),
    rows_lib.gather(model['relation'], batch.relation),
  )


def crop_rows(rows, width, components):
  """Returns gathered rows of a width: their last axis is cropped, however many stand before it."""
  return jax.tree.map(lambda leaf: leaf[..., : width // components], rows)


def raw_scores(score, width, rows):
  """Raw scores [B, 1 + K] of one sub-model from its own rows, by the score of that width alone."""
  anchors, candidates, relations = rows
  half = jax.tree.leaves(anchors)[0].shape[0] // 2
  first, last = (lambda x: x[:half]), (lambda x: x[half:])
  part = lambda pick, rows: jax.tree.map(pick, rows)
  query = jax.tree.map(
    lambda *x: jnp.concatenate(x),
    score.tail_query(part(first, anchors), part(first, relations)),
    score.head_query(part(last, anchors), part(last, relations)),
  )
  one = Widths((width,), score.components)
  return score.scores_by_width(rows_lib.add_candidate_axis(query), candidates, one)[..., 0]


def make_loss(config, score, widths, slice_of):
  """Returns loss(params, batch) -> (loss, losses of the widths [N]), with sub-models one after the other."""
  options = loss_lib.objective_options(config.objective)
  strengths = objectives.Strengths(config.objective.w1, config.objective.w2, config.objective.w3)
  fractions = jnp.asarray(widths.values, jnp.float32) / widths.full

  def loss(params, batch):
    model = params['model']
    rows = gather(model, batch) if slice_of == 'rows' else None
    raw = []
    for width in widths.values:
      own = (
        crop_rows(rows, width, score.components)
        if slice_of == 'rows'
        else gather(axes_lib.crop(model, score.axes, width), batch)
      )
      raw.append(raw_scores(score, width, own))
    offset, scale = loss_lib.affine(config, score, widths, params['objective'])
    value = offset[None, None] + scale[None, None] * jnp.stack(raw, -1)
    return objectives.log_sigmoid_losses(value[:, 0], value[:, 1:], batch.valid, fractions, strengths, options)

  return loss


def value_and_grad(setup, slice_of='tables'):
  """Returns the `training.task.ValueAndGrad` of the loop, for fixed weights and all sub-models."""
  config, score, widths = setup
  if config.objective.weights != 'fixed' or config.objective.sub_models != 'all':
    raise ValueError('the naive loop knows fixed weights and all sub-models only')
  of_loss = jax.value_and_grad(make_loss(config, score, widths, slice_of), has_aux=True)
  return lambda params, batch, drawn, step: of_loss(params, batch)
