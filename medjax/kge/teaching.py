"""Distillation in the step: the teacher's scores of the same batch, and the loss that learns from them."""

from collections.abc import Callable
from typing import Any, ClassVar

import flax.struct
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32

from medjax.config.fields import Config
from medjax.core import rows as rows_lib
from medjax.core.widths import Widths
from medjax.kge import scoring, structure
from medjax.kge.batches import Batch
from medjax.objectives import distill
from medjax.objectives.mutual_learning import Scores
from medjax.scores.contract import Params, Score, Table

LEARNERS = ('student', 'teacher')


@flax.struct.dataclass
class Teacher:
  """A trained model that a step learns from.

  Attributes:
    params: its tables; None where they are trained too, and lie in the state.
    offset, scale: its affine map.
    score, widths: its `Score`, and the `Widths` of its one width.
  """

  params: Any
  offset: jax.Array
  scale: jax.Array
  score: Score = flax.struct.field(pytree_node=False)
  widths: Widths = flax.struct.field(pytree_node=False)
  replace: ClassVar[Callable[..., 'Teacher']]  # which flax adds


def initial(config: Config, teacher: 'Teacher | None') -> dict[str, Any]:
  """Returns what a distillation adds to the parameters of the objective: DualDE's scalars and teacher, else nothing."""
  if config.distill.method != 'dualde' or teacher is None:
    return {}
  scalars = distill.Reliability()._asdict()
  return {'teacher': teacher.params} | {
    f'{learner}_{name}': jnp.float32(value) for learner in LEARNERS for name, value in scalars.items()
  }


def in_batches(config: Config, teacher: 'Teacher | None') -> 'Teacher | None':
  """Returns the teacher as batches carry it: DualDE trains its tables, which then lie among the parameters."""
  return teacher.replace(params=None) if teacher is not None and config.distill.method == 'dualde' else teacher


def scores(teacher: 'Teacher', tables: Params, batch: Batch) -> Scores:
  """The teacher's scores of a batch: (positive [B], negative [B, K])."""
  rows = scoring.gather_rows(tables, batch)
  raw = scoring.score_batch(
    scoring.by_width(teacher.score, teacher.widths), scoring.make_queries(teacher.score, rows), rows
  )
  positive, negative = (teacher.offset + teacher.scale * x[..., 0] for x in raw)
  return positive, negative


def loss(
  config: Config,
  hard: Float[Array, ''],
  student: Scores,
  rows: scoring.Rows,
  objective: dict[str, Any],
  batch: Batch,
  step: Int32[Array, ''],
) -> Float[Array, '']:
  """Returns the loss of a distilled student.

  Args:
    config: the `Config`.
    hard: the loss of direct training.
    student: its scores (positive [B], negative [B, K]).
    rows: the step's `Rows`.
    objective: the objective's parameters.
    batch: `Batch`, with the teacher.
    step: int32 [].
  """
  settings, teacher, valid, done = config.distill, batch.teacher, batch.valid, step / config.train.steps
  tables = objective.get('teacher', teacher.params)
  taught = scores(teacher, tables, batch)
  if settings.method in ('bkd', 'ta'):
    return distill.hinton(hard, student, taught, valid, settings.weight, settings.temperature)
  if settings.method == 'iterde':
    soft = distill.huber(student, taught, valid)
    return hard + distill.soft_weight(hard, soft, settings.weight, done, settings.schedule) * soft
  own, other = (
    structure.structure(*heads_and_tails(*pair))
    for pair in (
      (rows.anchors, rows.answers),
      (rows_lib.gather(tables['entity'], ids) for ids in (batch.anchor, batch.answer)),
    )
  )
  together = done >= settings.first_stage
  released = jax.tree.map(lambda x: jnp.where(together, x, jax.lax.stop_gradient(x)), (taught, other))
  judge = lambda learner: distill.Reliability(*(objective[f'{learner}_{name}'] for name in distill.Reliability._fields))
  temperature = config.objective.adversarial_temperature
  apart = structure.structure_distance(own, released[1]) if settings.structure else 0.0
  first = distill.dual(student, released[0], valid, judge('student'), apart, temperature)
  second = distill.dual(taught, student, valid, judge('teacher'), apart, temperature)
  return first + jnp.where(together, second, 0.0)


def heads_and_tails(anchors: Table, answers: Table) -> tuple[Table, Table]:
  """Rows of heads and of tails: the first half of a batch asks for tails, the second for heads."""
  half = len(jax.tree.leaves(anchors)[0]) // 2
  join = lambda first, last: jax.tree.map(lambda a, b: jnp.concatenate([a[:half], b[half:]]), first, last)
  return join(anchors, answers), join(answers, anchors)
