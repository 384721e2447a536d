"""The loop that medjax replaces: the same objective, one sliced model after the other, in one compiled step.

Two readings of "slice": each sub-model crops the tables and gathers its rows from the crop (`slice_of='tables'`,
what 64 separate models do), or full rows are gathered once and each sub-model crops those (`slice_of='rows'`,
the kindest form of the loop). Both compute the loss of `medjax.training.step` and move the same parameters.
"""
import jax
import jax.numpy as jnp
import optax

from medjax.core import axes as axes_lib
from medjax.core import rows as rows_lib
from medjax.core import widths as widths_lib
from medjax.kge import batches as batches_lib
from medjax.kge import loss as loss_lib
from medjax.objectives import med
from medjax.training import state as state_lib

SLICES = ('tables', 'rows')


def gather(model, batch):
  """Returns rows of the (anchors [B, C], candidates [B, 1 + K, C], relations [B, C])."""
  negatives = jnp.repeat(batch.negatives, len(batch.anchor) // len(batch.negatives), 0)
  candidates = jnp.concatenate([batch.answer[:, None], negatives], 1)
  return (rows_lib.gather(model['entity'], batch.anchor), rows_lib.gather(model['entity'], candidates),
          rows_lib.gather(model['relation'], batch.relation))


def raw_scores(score, width, rows):
  """Raw scores [B, 1 + K] of one sub-model from its own rows, by the score of that width alone."""
  anchors, candidates, relations = rows
  half = jax.tree.leaves(anchors)[0].shape[0] // 2
  first, last = (lambda x: x[:half]), (lambda x: x[half:])
  part = lambda pick, rows: jax.tree.map(pick, rows)
  query = jax.tree.map(lambda *x: jnp.concatenate(x),
                       score.tail_query(part(first, anchors), part(first, relations)),
                       score.head_query(part(last, anchors), part(last, relations)))
  return score.scores_by_width(rows_lib.add_candidate_axis(query), candidates, widths_lib.Widths((width,), score.components))[..., 0]


def make_loss(config, score, widths, slice_of):
  """Returns loss(params, batch) -> (loss, own losses [N]), with sub-models one after the other."""
  objective = config.objective
  settings = med.Settings(**{name: getattr(objective, name) for name in med.Settings._fields})
  weights = med.Weights(objective.w1, objective.w2, objective.w3)
  share = jnp.asarray(widths.values, jnp.float32) / widths.full

  def loss(params, batch):
    model = params['model']
    rows = gather(model, batch) if slice_of == 'rows' else None
    raw = []
    for width in widths.values:
      own = (axes_lib.crop(rows, width, score.components) if slice_of == 'rows'
             else gather(axes_lib.crop(model, width, score.components), batch))
      raw.append(raw_scores(score, width, own))
    offset, scale = loss_lib.affine(config, score, widths, params['objective'])
    value = offset[None, None] + scale[None, None] * jnp.stack(raw, -1)
    return med.losses(value[:, 0], value[:, 1:], batch.valid, share, weights, settings)

  return loss


def make_step(config, score, widths, optimizer, num_entities, slice_of='tables'):
  """Returns the step of `medjax.training.step.make_step`, for fixed weights and all sub-models."""
  if config.objective.weights != 'fixed' or config.objective.sub_models != 'all':
    raise ValueError('the naive loop knows fixed weights and all sub-models only')
  train, loss = config.train, make_loss(config, score, widths, slice_of)
  key = jax.random.fold_in(jax.random.key(train.seed), 1)

  def step(state, triples, known):
    batch = batches_lib.sample(key, state.step, triples, num_entities, train.batch, train.negatives, known,
                            train.share_negatives)
    (value, own), grads = jax.value_and_grad(loss, has_aux=True)(state.params, batch)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    ok = jnp.isfinite(value) & jnp.isfinite(optax.tree.norm(grads))
    return state_lib.State(state.step + 1, optax.apply_updates(state.params, updates), opt_state, ok), own, value

  return step
