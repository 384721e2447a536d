"""The training step: one pure function of (state, data), all sub-models in one pass."""
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from medjax import parallel
from medjax import scores as scores_lib
from medjax.data import sampling
from medjax.objectives import med
from medjax.objectives import regularizers
from medjax.objectives import softmax
from medjax.scores import base
from medjax.training import optimizers
from medjax.training import state as state_lib
from medjax.training import teaching
from medjax.training.sparse import touched_rows

WEIGHT_RANGE = (0.0, 5.0)  # of w1, w2, w3 when they are learned adversarially


def init_state(config, score, widths, optimizer, num_entities, num_relations):
  """Returns the state before the first step."""
  key = jax.random.fold_in(jax.random.key(config.train.seed), 0)
  params = {'model': score.init(key, num_entities, num_relations, widths.full), 'objective': {}}
  if config.objective.weights != 'fixed':
    params['objective'] |= {name: jnp.float32(getattr(config.objective, name)) for name in ('w1', 'w2', 'w3')}
  if config.model.width_gamma == 'learned':
    params['objective']['gamma'] = jnp.full(len(widths.values), config.model.gamma, jnp.float32)
  params['objective'] |= teaching.initial(config, score, num_entities, num_relations)
  return state_lib.State(jnp.int32(0), params, optimizer.init(params), jnp.bool_(True))


def affine(config, score, widths, objective_params):
  """Returns (offset [N], scale [N]) of the sub-models' scores."""
  gamma = objective_params.get('gamma', config.model.gamma)
  model = config.model
  return scores_lib.affine(score.margin, widths.values, gamma, model.width_scale, model.width_gamma, model.gamma_half,
                           model.gamma_power)


def sandwich(key, count, widths):
  """0/1 mask [N] of the sub-models of a step: the narrowest, the widest and count - 2 drawn at random."""
  size = len(widths.values)
  draw = jnp.where(jnp.isin(jnp.arange(size), jnp.array([0, size - 1])), -1.0, jax.random.uniform(key, (size,)))
  return (jnp.argsort(jnp.argsort(draw)) < count).astype(jnp.float32)


class Rows(NamedTuple):
  """What a step gathers: entity rows of anchors, answers and negatives, and relation rows."""
  anchors: dict
  answers: dict
  negatives: dict
  relations: dict


def make_loss(config, score, widths, together=lambda scores: scores):
  """Returns loss(rows, objective params, batch, mask, teacher, step) -> (loss, own losses [N]).

  Rows are those of a `Rows`: anchors, relations and answers [B, C], negatives [B / S, K, C]. `teacher` is a
  `teaching.Teacher`, or None. `together` makes those of the whole batch of scores [B, ...] of a device's share of it.
  """
  objective = config.objective
  settings = med.Settings(**{name: getattr(objective, name) for name in med.Settings._fields})
  share = jnp.asarray(widths.values, jnp.float32) / widths.full

  def loss(rows, objective_params, batch, mask, teacher=None, step=None):
    half = batch.anchor.shape[0] // 2
    part = lambda rows, where: jax.tree.map(lambda x: x[where], rows)
    first, last = slice(None, half), slice(half, None)
    query = jax.tree.map(lambda *x: jnp.concatenate(x),
                         score.tail_query(part(rows.anchors, first), part(rows.relations, first)),
                         score.head_query(part(rows.anchors, last), part(rows.relations, last)))
    asked = jax.tree.map(lambda x: x.reshape(len(batch.negatives), -1, x.shape[-1]), query)
    offset, scale = affine(config, score, widths, objective_params)
    positive = offset[None] + scale[None] * score.sums(query, rows.answers, widths)
    weights = med.Weights(*(objective_params.get(name, getattr(objective, name)) for name in med.Weights._fields))
    if objective.weights == 'adversarial':
      # descent then raises w1 and w2: the weights look for what is hard
      weights = weights._replace(w1=ascend(weights.w1), w2=ascend(weights.w2))
    if objective.loss == 'softmax':
      negative = [offset[i] + scale[i] * raw.reshape(batch.valid.shape)
                  for i, raw in enumerate(score.cross(asked, rows.negatives, widths))]
      positive, negative, valid = together((positive, negative, batch.valid))
      total, own = softmax.losses(positive.T, negative, valid, share, weights, settings, mask)
    else:
      wrong = rows.negatives
      if len(batch.negatives) < len(batch.anchor):  # [B / S, S, 1, C] meets [B / S, 1, K, C]
        asked, wrong = scores_lib.lift(asked), jax.tree.map(lambda x: x[:, None], wrong)
      negative = score.sums(asked, wrong, widths)  # [B, 1, C] meets [B, K, C]: an axis more takes twice as long
      negative = negative.reshape(*batch.valid.shape, -1)
      negative = offset[None, None] + scale[None, None] * negative
      total, own = med.losses(*together((positive, negative, batch.valid)), share, weights, settings, mask)
    if teacher is not None:
      total = teaching.loss(config, total, (positive[..., 0], negative[..., 0]), rows, objective_params, batch, teacher,
                            step)
    if objective.regularizer != 'none':
      size = base.prefix_sums(component_sizes(objective.regularizer, score, query, rows), widths).mean(0)
      weight = med.width_weights(share, weights.w3, settings)
      if objective.regularize == 'scaled':
        weight *= scale
      each = jnp.sum((1.0 if mask is None else mask) * weight * size)
      total += objective.regularization * (size[-1] if objective.regularize == 'once' else each)
    if objective.weights == 'adversarial':
      total -= jnp.sum((1.0 if mask is None else mask) * weights.w3 * share)
    return total, own

  return loss


def component_sizes(regularizer, score, query, rows):
  """What a regulariser sums, of every triple and component, [B, C]."""
  if regularizer == 'dura':
    return regularizers.dura(query, rows.answers)
  return regularizers.n3(score.moduli(rows.anchors), score.moduli(rows.relations), score.moduli(rows.answers))


@jax.custom_vjp
def ascend(x):
  """Identity whose gradient is negated."""
  return x


ascend.defvjp(lambda x: (x, None), lambda _, grad: (-grad,))


def make_step(config, score, widths, optimizer, num_entities, layout=parallel.ONE):
  """Returns step(state, triples, known answers or None, teacher or None) -> (state, own losses [N], loss).

  It is the step of one device of a layout.
  """
  train, sub_models = config.train, config.objective.sub_models
  loss = make_loss(config, score, layout.split(widths), layout.together)
  run_key = jax.random.key(train.seed)

  def step(state, triples, known, teacher=None):
    key = jax.random.fold_in(run_key, 1)
    batch = sampling.sample(key, state.step, triples, num_entities, train.batch, train.negatives, known,
                            train.share_negatives)
    mask = None
    if sub_models != 'all':
      mask = sandwich(jax.random.fold_in(jax.random.fold_in(run_key, 2), state.step),
                      int(sub_models.split(':')[1]), widths)
    if train.sparse_updates:
      return touched_rows(update, optimizer)(state, batch, mask)
    return update(state, batch, mask, teacher)

  def update(state, batch, mask, teacher=None):
    batch = layout.mine(batch)
    model = state.params['model']
    entity = lambda ids: base.gather(model['entity'], ids)
    rows = Rows(entity(batch.anchor), entity(batch.answer), entity(batch.negatives),
                base.gather(model['relation'], batch.relation))
    (value, own), (row_grads, objective_grad) = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(
        rows, state.params['objective'], batch, mask, teacher, state.step)
    # Gradients of the rows are added into one dense gradient, instead of one per gather. Its zeros are made of them:
    # XLA would make mere zeros first, to lie beside the rows, instead of where the rows were.
    zeros = jax.tree.map(lambda table, *grads: jnp.full_like(table, 0 * sum(grad.ravel()[0] for grad in grads)),
                         model['entity'], row_grads.anchors, row_grads.negatives)
    pairs = jnp.concatenate([batch.anchor, batch.answer])
    pair_grad = jax.tree.map(lambda *x: jnp.concatenate(x), row_grads.anchors, row_grads.answers)
    entity_grad = base.scatter_add(zeros, batch.negatives, row_grads.negatives)
    entity_grad = base.scatter_add(entity_grad, pairs, pair_grad)
    grads = {'model': {'entity': entity_grad,
                       'relation': base.scatter_add(jax.tree.map(jnp.zeros_like, model['relation']), batch.relation,
                                                    row_grads.relations)},
             'objective': objective_grad}
    grads, value, own = layout.mean((grads, value, own))
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    if train.narrow_rate:
      updates = updates | {'model': optimizers.by_width(updates['model'], layout.split(widths), train.narrow_rate)}
    params = optax.apply_updates(state.params, updates)
    if config.objective.weights == 'adversarial':
      params['objective'] |= {name: jnp.clip(params['objective'][name], *WEIGHT_RANGE) for name in ('w1', 'w2', 'w3')}
    ok = layout.everywhere(jnp.isfinite(value) & jnp.isfinite(optax.tree.norm(grads)))
    return state_lib.State(state.step + 1, params, opt_state, ok), own, value

  return step


def make_dispatch(step, layout=parallel.ONE):
  """Returns dispatch(state, triples, known, count, [teacher]) -> (state, mean own losses [N], mean loss): several steps.

  Stops at the first step whose loss or gradient is not finite, with `state.ok` False.
  """

  def dispatch(state, triples, known, count, *teacher):
    last = state.step + count
    shapes = jax.eval_shape(step, state, triples, known, *teacher)
    zeros = [jnp.zeros(s.shape, s.dtype) for s in shapes[1:]]

    def body(carry):
      state, own_sum, loss_sum = carry
      state, own, loss = step(state, triples, known, *teacher)
      return state, own_sum + own, loss_sum + loss

    state, own, loss = jax.lax.while_loop(lambda c: c[0].ok & (c[0].step < last), body, (state, *zeros))
    return state, own / count, loss / count

  return layout.compile(dispatch)
