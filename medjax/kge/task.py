"""The graph task: knowledge graph embeddings as a `training.task.Task`."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from medjax.config.fields import Config
from medjax.core import axes as axes_lib
from medjax.core import rows as rows_lib
from medjax.core import sub_models
from medjax.core.widths import Widths
from medjax.kge import batches, scoring, teaching
from medjax.kge.loss import Loss, make_loss
from medjax.scores.contract import Params, Score
from medjax.training import parallel, sparse
from medjax.training.task import Task, Touched, ValueAndGrad

WEIGHT_RANGE = (0.0, 5.0)  # of w1, w2, w3 when they are learned adversarially
LEARNED = ('w1', 'w2', 'w3')


def no_validation(params: PyTree) -> tuple[float, dict[int, float]]:
  """The `validate` of a training that asks for none."""
  raise ValueError('this task was made without a validation, but eval.every asks for one')


def make_task(
  config: Config,
  score: Score,
  widths: Widths,
  graph: batches.Triples,
  layout: parallel.Layout = parallel.ONE,
  validate: Callable[[Params], tuple[float, dict[int, float]]] = no_validation,
  teacher: teaching.Teacher | None = None,
) -> Task:
  """Returns the `Task` of embedding a graph.

  Its parameters are {'model': {'entity', 'relation'} tables, 'objective': what is learned besides, not cropped}.

  Args:
    config: the resolved `Config`.
    score, widths: `Score`, `Widths`.
    graph: the training triples, and how many entities and relations there are.
    layout: where the training lies.
    validate: tables -> (merit, {width: merit}).
    teacher: of a distilled run.
  """
  train, objective = batches.settled(config.train, graph.num_entities), config.objective

  def init(key):
    params: dict[str, dict[str, Any]] = {
      'model': score.init(key, graph.num_entities, graph.num_relations, widths.full),
      'objective': {},
    }
    if objective.weights != 'fixed':
      params['objective'] |= {name: jnp.float32(getattr(objective, name)) for name in LEARNED}
    if config.model.width_gamma == 'learned':
      params['objective']['gamma'] = jnp.full(len(widths.values), config.model.gamma, jnp.float32)
    params['objective'] |= teaching.initial(config, teacher)
    return params

  def batch(key, step, data):
    drawn = batches.sample(
      key,
      step,
      data['triples'],
      graph.num_entities,
      train.batch,
      train.negatives,
      data['known'],
      train.share_negatives,
      data['frequency'],
      train.weigh_negatives,
    )
    return drawn._replace(teacher=data['teacher'])

  def constrain(params):
    if objective.weights != 'adversarial':
      return params
    return params | {
      'objective': params['objective'] | {name: jnp.clip(params['objective'][name], *WEIGHT_RANGE) for name in LEARNED}
    }

  return Task(
    init,
    batch,
    gathered_gradient(make_loss(config, score, layout.split(widths), layout.gather_batch)),
    validate=lambda params: validate(params['model']),
    axes={'model': score.axes, 'objective': axes_lib.FIXED},
    widths=widths,
    merit='mrr',
    local_batch=lambda whole: batches.local_batch(whole, layout),
    constrain=constrain,
    data={
      'triples': graph.train,
      'known': batches.known(graph.train) if train.filter_negatives else None,
      'frequency': batches.frequency(graph.train, graph.num_entities, train.negative_power)
      if train.negative_power and train.negatives
      else None,
      'teacher': teaching.in_batches(config, teacher),
    },
    touched=touched if train.sparse_updates else None,
    drawings=sub_models.drawings(objective.sub_models, widths.values),
  )


def gathered_gradient(loss: Loss) -> ValueAndGrad:
  """Returns the value and gradient of a loss of gathered rows.

  The loss is differentiated with respect to the rows of a batch, and their gradients are added into one dense gradient
  of each table, instead of one for every gather.
  """

  def value_and_grad(params, batch, drawn, step):
    model = params['model']
    rows = scoring.gather_rows(model, batch)
    value, (row_grads, objective_grad) = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(
      rows, params['objective'], batch, drawn, step
    )
    # The zeros that the gradients are added to depend on those gradients (times 0). Zeros that depend on nothing XLA
    # would make before the rows' gradients, in memory of their own; so they take the place of the rows.
    zeros = jax.tree.map(
      lambda table, *grads: jnp.full_like(table, 0 * sum(grad.ravel()[0] for grad in grads)),
      model['entity'],
      row_grads.anchors,
      row_grads.negatives,
    )
    pairs = jnp.concatenate([batch.anchor, batch.answer])
    pair_grad = jax.tree.map(lambda *x: jnp.concatenate(x), row_grads.anchors, row_grads.answers)
    entity_grad = rows_lib.scatter_add(zeros, batch.negatives, row_grads.negatives)
    entity_grad = rows_lib.scatter_add(entity_grad, pairs, pair_grad)
    relation_grad = rows_lib.scatter_add(
      jax.tree.map(jnp.zeros_like, model['relation']), batch.relation, row_grads.relations
    )
    return value, {'model': {'entity': entity_grad, 'relation': relation_grad}, 'objective': objective_grad}

  return value_and_grad


def touched(params: PyTree, batch: batches.Batch) -> Touched:
  """Returns the rows of both tables that a batch touches, see `training.sparse`."""
  size = {kind: jax.tree.leaves(table)[0].shape[0] for kind, table in params['model'].items()}
  pair, negatives = jnp.concatenate([batch.anchor, batch.answer]), batch.negatives.reshape(-1)
  entities, places = sparse.distinct(jnp.concatenate([pair, negatives]), size['entity'])
  relations, relation = sparse.distinct(batch.relation, size['relation'])
  anchor, answer, wrong = jnp.split(places, [len(batch.anchor), len(pair)])
  return Touched(
    {'entity': entities, 'relation': relations},
    {'model': {'entity': 'entity', 'relation': 'relation'}, 'objective': ''},
    batch._replace(anchor=anchor, answer=answer, relation=relation, negatives=wrong.reshape(batch.negatives.shape)),
  )


def make_layout(config: Config, widths: Widths) -> parallel.Layout:
  """Returns the `Layout` of a resolved configuration, see `training.parallel.make_layout`."""
  train, objective = config.train, config.objective
  couples = bool(
    objective.evolutionary
    or objective.weigh_over == 'batch'
    or (objective.mutual and (objective.mutual_reduction == 'sum' or train.filter_negatives))
  )
  return parallel.make_layout(config.parallel, widths, couples, lambda shares: batches.check_shares(train, shares))
