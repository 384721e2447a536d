"""Labelled sentences as a `training.task.Task`: a croppable BERT with a head, all sub-models in one step."""

from collections.abc import Callable, Mapping
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from medjax.bert import examples as examples_lib
from medjax.bert import heads, stacked
from medjax.bert.config import BertConfig
from medjax.bert.examples import Examples, Plan
from medjax.bert.loss import make_loss
from medjax.config.text import TextConfig
from medjax.core import sub_models
from medjax.core.sub_models import Drawings
from medjax.core.widths import Widths
from medjax.training import optimizers
from medjax.training.task import Task, Validate

DECAYED = ('kernel', 'embedding')  # leaves that weight decay draws to 0


def make_task(
  config: TextConfig,
  encoder: BertConfig,
  params: Mapping[str, Any],
  widths: Widths,
  given: Examples,
  plan: Plan,
  outputs: int,
  number: bool,
  validate: Validate,
) -> Task:
  """Returns the `Task` of learning labels.

  Its parameters are {'bert': the encoder with its pooler, stacked, 'head': the head}.

  Args:
    config: the resolved `TextConfig`.
    encoder: the configuration of the encoder.
    params: of the encoder, which the training starts from; without a pooler, one is drawn.
    widths: the sub-models.
    given, plan: the training examples, sorted by length, and how batches are drawn of them.
    outputs: how many classes, or numbers.
    number: whether numbers are learned, and no classes.
    validate: parameters -> (merit, {width: merit}).
  """
  among = drawings(config.objective.sub_models, widths)
  loss = make_loss(config.objective, encoder, widths.values, number, among, jnp.dtype(config.bert.dtype))

  def init(key):
    kept = stacked.stack(jax.tree.map(lambda leaf: jnp.array(leaf, copy=True), dict(params)))  # steps take them over
    if 'pooler' not in kept:
      size = encoder.hidden_size
      kernel = encoder.initializer_range * jax.random.normal(jax.random.fold_in(key, 1), (size, size))
      kept['pooler'] = {'kernel': kernel, 'bias': jnp.zeros(size)}
    return {'bert': kept, 'head': heads.init(key, encoder, outputs)}

  def batch(key, step, data):
    rows, length = plan.draw(key, step)
    return examples_lib.batch_of(data, rows)._replace(length=length, key=dropout_key(jax.random.fold_in(key, step)))

  return Task(
    init,
    batch,
    of_lengths(functools.partial(accumulated, loss, config.train.accumulate), plan.lengths),
    validate,
    axes=heads.axes(encoder),
    widths=widths,
    data=given,
    merit='score',
    drawings=among,
    optimizer=lambda train: optimizers.adamw(
      train.learning_rate,
      train.steps,
      config.train.warmup,
      config.train.weight_decay,
      config.train.clip,
      lambda tree: jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key in DECAYED, tree),
    ),
  )


def dropout_key(key: jax.Array) -> jax.Array:
  """Returns a key of the generator that devices have built in: programs that drop much compile in less time with it."""
  return jax.random.wrap_key_data(jax.random.bits(jax.random.fold_in(key, 1), (4,), jnp.uint32), impl='rbg')


def drawings(rule: str, widths: Widths) -> Drawings | None:
  """Returns what a step draws sub-models from, see `core.sub_models`; under the rule 'one', each of them alone."""
  if rule == 'one':
    return np.arange(len(widths.values), dtype=np.int32)[:, None] if len(widths.values) > 1 else None
  return sub_models.drawings(rule, widths.values)


def accumulated(loss: Callable[..., Any], parts: int, params: Any, batch: Any, drawn: Any) -> Any:
  """Returns the value and gradient of a loss, the mean over parts of a batch that are taken one after the other."""
  gradient = jax.value_and_grad(loss, has_aux=True)
  if parts == 1:
    return gradient(params, batch, drawn)
  key, length = batch.key, batch.length
  apart = jax.tree.map(lambda x: x.reshape(parts, -1, *x.shape[1:]), batch._replace(key=None, length=None))

  def add(total, part):
    number, one = part
    found = gradient(params, one._replace(key=jax.random.fold_in(key, number), length=length), drawn)
    return jax.tree.map(lambda sum, value: sum + value / parts, total, found), None

  shapes = jax.eval_shape(gradient, params, jax.tree.map(lambda x: x[0], apart)._replace(key=key, length=length), drawn)
  zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
  return jax.lax.scan(add, zeros, (jnp.arange(parts), apart))[0]


def of_lengths(gradient: Callable[..., Any], lengths: tuple[int, ...]) -> Callable[..., Any]:
  """Returns the value and gradient of batches of several lengths: each is compiled, and a step computes one."""

  def value_and_grad(params, batch, drawn, step):
    del step  # what is dropped hangs on it by the key of the batch
    branches = [
      lambda params, batch, drawn, length=length: gradient(params, batch.cut(length), drawn) for length in lengths
    ]
    return jax.lax.switch(batch.length, branches, params, batch, drawn)

  return value_and_grad
