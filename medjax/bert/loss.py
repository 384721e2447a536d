"""The loss of a batch of labelled sentences: the objective on the scores of all sub-models, hidden states, a teacher.

Classification is a softmax over candidates, of which the classes are all there are: the right one is the positive, the
others are the negatives.
"""

from collections.abc import Callable, Mapping, Sequence
import itertools
from typing import Any, cast

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32
import numpy as np

from medjax import objectives
from medjax.bert import heads
from medjax.bert.config import BertConfig
from medjax.bert.examples import Batch
from medjax.bert.heads import Said
from medjax.config.text import TextObjectiveConfig
from medjax.core.sub_models import Drawings
from medjax.objectives import distill, mutual_learning, Options, squares, Strengths

Loss = Callable[..., tuple[Float[Array, ''], Float[Array, ' N']]]
Scores = tuple[Float[Array, 'B N'], Float[Array, 'B K N']]


def options_of(objective: TextObjectiveConfig) -> Options:
  """Returns the `Options` that a configuration asks for."""
  mutual = objectives.Mutual(objective.mutual_weight, objective.mutual_power, detach=cast(Any, objective.mutual_detach))
  return Options(
    mutual=mutual if objective.mutual else None,
    difficulty='sigmoid' if objective.evolutionary else None,
    dynamic=objective.dynamic,
    narrow_power=objective.narrow_weight,
  )


def of_classes(scores: Float[Array, 'B C N'], labels: Int32[Array, ' B']) -> Scores:
  """Returns (scores of the right classes, scores of all others)."""
  classes = scores.shape[1]
  places = (labels[:, None] + jnp.arange(classes)[None]) % classes  # the right one first
  ordered = jnp.take_along_axis(scores, places[:, :, None], 1)
  return ordered[:, 0], ordered[:, 1:]


def make_loss(
  objective: TextObjectiveConfig,
  config: BertConfig,
  widths: Sequence[int],
  number: bool,
  among: Drawings | None = None,
  dtype: Any = jnp.float32,
) -> Loss:
  """Returns loss(params, batch, drawn) -> (loss, losses of the sub-models [K]).

  Args:
    objective: what is learned.
    config: of the encoder.
    widths: hidden sizes of all sub-models.
    number: whether a number is learned, and no class.
    among: what a step may draw, see `core.sub_models`; None: all sub-models are trained.
    dtype: in which they compute.
  """
  options = options_of(objective)
  strengths = Strengths(objective.w1, 1.0, objective.w3)
  all_fractions = jnp.asarray(widths, jnp.float32) / widths[-1]

  def loss(
    params: Mapping[str, Any], batch: Batch, drawn: Int32[Array, ' K'] | None = None
  ) -> tuple[Float[Array, ''], Float[Array, ' N']]:
    if among is None or drawn is None:
      said, fractions = heads.say(params, config, widths, batch, batch.key, dtype), all_fractions
    else:
      said, fractions = Said(say_drawn(params, batch, drawn), {}), all_fractions[drawn]
    labels: Any = batch.labels
    if number:
      total, each = squares.squared_losses(said.scores[:, 0], labels, fractions, strengths, options)
    else:
      right, others = of_classes(said.scores, labels)
      valid = jnp.ones(others.shape[:2], bool)
      total, each = objectives.softmax_losses(right, others, valid, fractions, strengths, options)
    if batch.teacher is not None:
      total = taught(total, said.scores[..., 0], batch)
    if objective.hidden:
      total += objective.hidden * apart(said.hidden, batch)
    return total, each

  def say_drawn(params, batch, drawn):
    """Scores of drawn sub-models: what a place of the drawing may be is all compiled, and one of it is computed."""
    found = []
    for place, may in enumerate(np.asarray(among).T):
      each = sorted(set(may.tolist()))
      branches = [
        lambda params, one=one: heads.say(params, config, widths[one : one + 1], batch, batch.key, dtype).scores
        for one in each
      ]
      found.append(jax.lax.switch(jnp.searchsorted(jnp.asarray(each), drawn[place]), branches, params))
    return jnp.concatenate(found, -1)

  def taught(hard, scores, batch):
    """The loss of a student of one width."""
    weight, teacher = objective.teacher_weight, batch.teacher
    if number:
      return (1 - weight) * hard + weight * 0.5 * jnp.square(scores[:, 0] - teacher[:, 0]).mean()
    of_width = lambda scores: tuple(part[..., 0] for part in of_classes(scores[..., None], batch.labels))
    own, other = cast(Any, of_width(scores)), cast(Any, of_width(teacher))
    return distill.hinton(hard, own, other, jnp.ones(own[1].shape, bool), weight, objective.temperature)

  def apart(hidden, batch):
    """Mean squared differences of neighbours' hidden states, of the numbers and tokens that both have."""
    there = batch.mask.astype(jnp.float32)[..., None]
    total = jnp.zeros(())
    for narrow, wide in itertools.pairwise(widths):
      sides: Any = hidden[narrow].astype(jnp.float32), hidden[wide][..., :narrow].astype(jnp.float32)
      one, other = cast(Any, mutual_learning.hold(sides[0], sides[1], cast(Any, objective.mutual_detach)))
      total += (there * jnp.square(one - other)).sum() / (there.sum() * narrow)
    return total

  return loss
