"""The training step: one pure function of (state, data), all sub-models in one pass."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree
import optax

from medjax.config.fields import TrainConfig
from medjax.core import sub_models
from medjax.training import optimizers, parallel, sparse
from medjax.training.state import State
from medjax.training.task import Task

Step = Callable[[State, PyTree], tuple[State, Float[Array, ' N'], Float[Array, '']]]


def init_state(task: Task, train: TrainConfig, optimizer: optax.GradientTransformation) -> State:
  """Returns the state before the first step."""
  params = task.init(jax.random.fold_in(jax.random.key(train.seed), 0))
  return State(jnp.int32(0), params, optimizer.init(params), jnp.bool_(True))


def make_step(
  task: Task, train: TrainConfig, optimizer: optax.GradientTransformation, layout: parallel.Layout = parallel.ONE
) -> Step:
  """Returns step(state, data) -> (state, losses of the widths [N], loss): the step of one device of a layout.

  The losses of the widths that a step does not train are NaN.
  """
  run_key = jax.random.key(train.seed)
  local_widths = layout.split(task.widths)
  size = len(task.widths.values)

  def step(state, data):
    batch = task.batch(jax.random.fold_in(run_key, 1), state.step, data)
    drawn = None
    if task.drawings is not None:
      key = jax.random.fold_in(jax.random.fold_in(run_key, 2), state.step)
      drawn = sub_models.draw(key, task.drawings)
    if task.touched:
      return sparse.on_touched_rows(update, task.touched, optimizer)(state, batch, drawn)
    return update(state, batch, drawn)

  def update(state, batch, drawn):
    (value, width_losses), grads = task.value_and_grad(state.params, task.local_batch(batch), drawn, state.step)
    grads, value, width_losses = layout.mean((grads, value, width_losses))
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    if train.narrow_rate:
      updates = optimizers.by_width(updates, task.axes, local_widths, train.narrow_rate)
    params = task.constrain(optax.apply_updates(state.params, updates))
    ok = layout.all_devices(jnp.isfinite(value) & jnp.isfinite(optax.tree.sum(grads)))
    return State(state.step + 1, params, opt_state, ok), sub_models.spread(width_losses, drawn, size), value

  return step


def make_dispatch(step: Step, layout: parallel.Layout = parallel.ONE, specs: PyTree = None) -> Callable[..., Any]:
  """Returns dispatch(state, data, count) -> (state, mean losses of the widths [N], mean loss): several steps.

  Stops at the first step whose loss or gradient is not finite, with `state.ok` False. The losses of a width are those
  of the steps that trained it, and NaN if none did.

  Args:
    step: what `make_step` returns.
    layout: where state and data lie.
    specs: how the state's leaves are split over a mesh, see `parallel.state_specs`.
  """

  def dispatch(state, data, count):
    last = state.step + count
    shapes = jax.eval_shape(step, state, data)
    zeros = [jnp.zeros(s.shape, s.dtype) for s in (shapes[1], *shapes[1:])]

    def body(carry):
      state, counts, loss_sums, loss_sum = carry
      state, width_losses, loss = step(state, data)
      trained = ~jnp.isnan(width_losses)
      return state, counts + trained, loss_sums + jnp.where(trained, width_losses, 0), loss_sum + loss

    go_on = lambda carry: carry[0].ok & (carry[0].step < last)
    state, counts, width_losses, loss = jax.lax.while_loop(go_on, body, (state, *zeros))
    return state, width_losses / counts, loss / count

  return layout.compile(dispatch, specs)


def prepare(
  task: Task, train: TrainConfig, layout: parallel.Layout = parallel.ONE
) -> tuple[State, PyTree, Callable[..., Any]]:
  """Returns (the state before the first step, the task's data, dispatch), laid out; see `make_dispatch`."""
  optimizer = task.optimizer(train)
  init = lambda: init_state(task, train, optimizer)
  specs = parallel.state_specs(jax.eval_shape(init), task.axes, optimizer) if layout.mesh is not None else None
  dispatch = make_dispatch(make_step(task, train, optimizer, layout), layout, specs)
  return layout.make(init, specs), layout.replicate(task.data), dispatch
