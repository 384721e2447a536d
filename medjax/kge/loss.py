"""The loss of a batch of triples: scores of all widths, the objective on them, regularisers, and a teacher."""

from collections.abc import Callable
from typing import Any, cast

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32

from medjax import objectives
from medjax.config.fields import Config, ObjectiveConfig
from medjax.core import prefix, sub_models, width_scale
from medjax.core.widths import Widths
from medjax.kge import regularizers, scoring, teaching
from medjax.kge.batches import Batch
from medjax.objectives import nested_softmax, Options, Strengths
from medjax.scores.contract import Score

Loss = Callable[..., tuple[Float[Array, ''], Float[Array, ' N']]]
Scored = tuple[Float[Array, 'B N'], Any, Bool[Array, 'B K']]  # positive and negative scores, and which are valid


def objective_options(objective: ObjectiveConfig) -> Options:
  """Returns the `Options` that a configuration asks for."""
  mutual = objectives.Mutual(
    weight=objective.mutual_weight,
    power=objective.mutual_power,
    form=cast(Any, objective.mutual_form),
    reduction=cast(Any, objective.mutual_reduction),
    detach=cast(Any, objective.mutual_detach),
  )
  return Options(
    mutual=mutual if objective.mutual else None,
    difficulty=cast(Any, objective.difficulty) if objective.evolutionary else None,
    weigh_over=cast(Any, objective.weigh_over),
    adversarial_temperature=objective.adversarial_temperature,
    dynamic=objective.dynamic,
    narrow_power=objective.narrow_weight,
  )


def affine(
  config: Config, score: Score, widths: Widths, objective_params: dict[str, Any]
) -> tuple[Float[Array, ' N'], Float[Array, ' N']]:
  """Returns (offset [N], scale [N]) of the sub-models' scores."""
  model = config.model
  return width_scale.affine(
    score.margin,
    widths.values,
    objective_params.get('gamma', model.gamma),
    model.width_scale,
    model.width_gamma,
    model.gamma_half,
    model.gamma_power,
  )


def make_loss(
  config: Config, score: Score, widths: Widths, gather_batch: Callable[[Scored], Scored] = lambda scores: scores
) -> Loss:
  """Returns loss(rows, objective params, batch, drawn, step) -> (loss, losses of the sub-models [K]).

  Args:
    config: the resolved `Config`.
    score, widths: `Score`, `Widths` of a device.
    gather_batch: makes scores [B, ...] of the whole batch of those of a device's share of it.
  """
  objective = config.objective
  options = objective_options(objective)
  among = sub_models.drawings(objective.sub_models, widths.values)
  all_fractions = jnp.asarray(widths.values, jnp.float32) / widths.full

  def loss(
    rows: scoring.Rows,
    objective_params: dict[str, Any],
    batch: Batch,
    drawn: Int32[Array, ' K'] | None,
    step: Any = None,
  ) -> tuple[Float[Array, ''], Float[Array, ' N']]:
    negative: Any
    scored: Any
    objective_losses: Any
    query = scoring.make_queries(score, rows)
    pick = lambda x: x if drawn is None else x[..., drawn]
    fractions = pick(all_fractions)
    offset, scale = map(pick, affine(config, score, widths, objective_params))
    given = Strengths(*(objective_params.get(name, getattr(objective, name)) for name in Strengths._fields))
    # under 'adversarial', descent raises w1 and w2: the weights look for what is hard
    strengths = (
      given if objective.weights != 'adversarial' else given._replace(w1=ascend(given.w1), w2=ascend(given.w2))
    )
    shared = scoring.queries_of_a_set(query, rows) > 1  # else a query's products with its candidates have one row
    if objective.loss == 'softmax' and score.inner_product and shared:
      positive = offset[None] + scale[None] * pick(score.scores_by_width(query, rows.answers, widths))
      found = scoring.walk_batch(query, rows, batch.valid, scale, widths, options.mutual, among, drawn, batch.offset)
      scored = positive, found
      objective_losses = nested_softmax.losses_of_totals
    else:
      positive, negative = scoring.score_batch(scoring.by_width(score, widths, drawn), query, rows)
      positive = offset[None] + scale[None] * positive
      negative = offset[None, None] + scale[None, None] * negative
      if batch.offset is not None:
        negative += jnp.repeat(batch.offset, len(negative) // len(batch.offset), 0)[..., None]
      scored = positive, negative, batch.valid
      objective_losses = objectives.softmax_losses if objective.loss == 'softmax' else objectives.log_sigmoid_losses
    total, width_losses = objective_losses(*gather_batch(scored), fractions, strengths, options)
    if batch.teacher is not None:
      total = teaching.loss(config, total, (positive[..., 0], negative[..., 0]), rows, objective_params, batch, step)
    if objective.regularizer != 'none':
      total += regularization(query, rows, fractions, strengths, scale, pick)
    if objective.weights == 'adversarial':
      total -= jnp.sum(strengths.w3 * fractions)
    return total, width_losses

  def regularization(query, rows, fractions, strengths, scale, pick):
    components = regularizers.component_sizes(objective.regularizer, score, query, rows)
    size = pick(prefix.prefix_sums(components, widths).mean(0))
    weight = objectives.width_weights(fractions, strengths.w3, options)
    if objective.regularize == 'scaled':
      weight *= scale
    if objective.regularization_power:
      of_whole = fractions * (widths.full / (objective.regularization_width or widths.full))
      weight *= jnp.minimum(of_whole, 1.0) ** objective.regularization_power
    each = jnp.sum(weight * size)
    return objective.regularization * (size[-1] if objective.regularize == 'once' else each)

  return loss


@jax.custom_vjp
def ascend(x: Float[Array, '']) -> Float[Array, '']:
  """Identity whose gradient is negated."""
  return x


ascend.defvjp(lambda x: (x, None), lambda _, grad: (-grad,))
