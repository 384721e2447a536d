"""The training loop: dispatches of steps, and between them logging, validation and checkpoints."""

from collections.abc import Callable, Iterable
import math
import time
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree
import numpy as np
from tqdm import tqdm

from medjax import errors
from medjax.config.fields import EvalConfig, TrainConfig
from medjax.core import terminal
from medjax.core.widths import Widths
from medjax.training import parallel, processes, signals
from medjax.training import step as step_lib
from medjax.training.state import State
from medjax.training.task import Task

BRIEF = 10.0  # seconds of a training that nobody has to be told of


class Checkpoints(Protocol):
  """Where states are kept, see `saved.checkpoint.Checkpoints`."""

  directory: Any

  @property
  def latest(self) -> int | None:
    """Step of the newest checkpoint, or None."""

  def save(self, state: State, merit: float | None = None) -> None:
    """Saves a state, with the validation's merit if there was one."""

  def restore(self, like: State) -> State:
    """Returns the newest state, laid out as `like`."""


class Writer(Protocol):
  """Where lines of metrics go, see `report.metrics.Writer`."""

  history: list[dict[str, Any]]

  def write(self, step: int, values: dict[str, Any]) -> None:
    """Writes one line."""

  def close(self) -> None:
    """Ends it."""


def fit(
  task: Task,
  train: TrainConfig,
  evaluation: EvalConfig,
  layout: parallel.Layout,
  checkpoints: Checkpoints,
  open_writer: Callable[[int], Writer],
) -> State:
  """Trains, or goes on from the latest checkpoint, to the last step or to an early stop.

  Args:
    task: what is trained.
    train, evaluation: sections of the resolved configuration.
    layout: where it lies; the one that the task was made for.
    checkpoints: those of the workdir.
    open_writer: step -> a metrics writer.

  Returns:
    The last state.

  Raises:
    Diverged, CheckpointError: the training cannot go on.
    signals.Stopped: a signal ended it.
  """
  state, advance = begin(task, train, layout, checkpoints)
  start = int(state.step)
  writer = open_writer(start)
  merit_name = f'valid_{task.merit}'
  stopping = Patience(evaluation.patience, [line[merit_name] for line in writer.history if merit_name in line])
  try:
    with (
      signals.deferred() as received,
      tqdm(total=train.steps, initial=start, unit='step', desc='training', disable=not processes.first()) as bar,
    ):
      if start == 0:
        checkpoints.save(state)
      step, since, seconds = start, start, 0.0
      measured: list[tuple[int, float]] = []
      while step < train.steps and not stopping.over:
        goal, begun = next_stop(step, train, evaluation), time.perf_counter()
        state, width_losses, loss = advance(state, goal - step)
        if not bool(state.ok):
          raise diverged('the loss or its gradient', int(state.step), checkpoints)
        took = time.perf_counter() - begun
        seconds += took
        bar.update(goal - step)
        if len(measured) < 2:
          measured.append((goal - step, took))
          if len(measured) == 2 and processes.first():
            tell(forecast(measured[0], measured[1], train.steps - goal, bool(evaluation.every)))
        step, last = goal, goal == train.steps
        if step % train.log_every == 0 or last:
          writer.write(step, progress(state, task.widths, width_losses, loss, step - since, seconds))
          bar.set_postfix_str(f'loss {float(loss):.3g}', refresh=False)
          since, seconds = step, 0.0
        merit = None
        if evaluation.every and (step % evaluation.every == 0 or last):
          merit = validated(step, task, layout.gather_tables(state.params), stopping, writer)
        # looked at once: a signal that comes during the save waits for the next dispatch
        stopped = processes.any_process(received)
        if merit is not None or step % train.checkpoint_every == 0 or last or stopped:
          if not finite(state.params):
            raise diverged('a parameter', step, checkpoints)
          checkpoints.save(state, merit)
        if stopped:
          # a process that received none stops with the one that did
          raise signals.Stopped(received[0] if received else signals.signal.SIGTERM, step)
      if received:
        raise signals.Stopped(received[0], step)
  finally:
    writer.close()
  return state


def tell(text: str) -> None:
  """Prints a line above the progress bar, unless it is empty."""
  if text:
    terminal.say(text)


def forecast(first: tuple[int, float], second: tuple[int, float], left: int, validates: bool = False) -> str:
  """Returns about how long a training takes from here, or '' where that is less than `BRIEF` seconds.

  >>> forecast((50, 4.5), (50, 1.25), 1900)
  'about 48 s for the 1,900 steps that are left, 25 ms each; 3.2 s were compilation'

  Args:
    first, second: (steps, seconds) of the first dispatches; the first one also compiles.
    left: steps that are left.
    validates: whether there are validations, which take time besides.
  """
  each = second[1] / second[0]
  if each * left < BRIEF:
    return ''
  compiled = max(first[1] - each * first[0], 0.0)
  return (
    f'about {duration(each * left)} for the {left:,} steps that are left, {1000 * each:.3g} ms each'
    + ', and validations besides' * validates
    + f'; {compiled:.1f} s were compilation'
  )


def duration(seconds: float) -> str:
  """Returns a length of time in words.

  >>> duration(47.6), duration(600), duration(9000)
  ('48 s', '10 min', '2.5 h')
  """
  for unit, length, most in (('s', 1, 120), ('min', 60, 120), ('h', 3600, math.inf)):
    if seconds < length * most:
      return f'{seconds / length:.3g} {unit}' if unit == 'h' else f'{seconds / length:.0f} {unit}'
  return ''


def begin(
  task: Task, train: TrainConfig, layout: parallel.Layout, checkpoints: Checkpoints
) -> tuple[State, Callable[[State, int], tuple[State, Float[Array, ' N'], Float[Array, '']]]]:
  """Returns (the first state or that of the latest checkpoint, advance).

  `advance` is (state, steps) -> (state, mean losses of the widths [N], mean loss) and takes the state's buffers over.
  """
  state, data, dispatch = step_lib.prepare(task, train, layout)
  if checkpoints.latest is not None:
    state = checkpoints.restore(state)
  return state, lambda state, steps: dispatch(state, data, np.int32(steps))


def progress(
  state: State, widths: Widths, width_losses: Float[Array, ' N'], loss: Float[Array, ''], steps: int, seconds: float
) -> dict[str, Any]:
  """A line of metrics: losses are means over the last dispatch, seconds those of `steps` steps, learned scalars."""
  scalars = {
    jax.tree_util.keystr(path[-1:], simple=True): float(leaf)
    for path, leaf in jax.tree_util.tree_leaves_with_path(state.params)
    if leaf.ndim == 0
  }
  return {
    'loss': float(loss),
    'width_loss': named(widths, width_losses),
    'seconds': seconds,
    'steps_per_second': steps / seconds,
  } | scalars


def validated(step: int, task: Task, params: PyTree, stopping: 'Patience', writer: Writer) -> float:
  """Validates, tells `stopping` and the writer, and returns the merit."""
  merit, each = task.validate(params)
  merit = processes.of_first(merit)
  stopping.add(merit)
  # the line is on disk before the checkpoint is, so that no checkpoint lacks its validation
  name = f'valid_{task.merit}'
  writer.write(step, {name: merit, f'{name}_by_width': {str(width): value for width, value in each.items()}})
  if processes.first():
    terminal.say(f'step {step}: validation {task.merit.upper()} {merit:.4f}{" (best)" if stopping.stale == 0 else ""}')
  return merit


def diverged(what: str, step: int, checkpoints: Checkpoints) -> errors.Diverged:
  """Returns the error of a training that is not finite any more, with the last good checkpoint and the remedy."""
  return errors.Diverged(
    f'{what} was not finite at step {step}; the last good checkpoint is step {checkpoints.latest} in '
    f'{checkpoints.directory}. Train in another --workdir with a lower train.learning_rate, or see '
    "docs/method.md on the objective's options"
  )


def finite(params: PyTree) -> bool:
  """Whether no parameter is infinite or NaN."""
  return all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(params))


def next_stop(step: int, train: TrainConfig, evaluation: EvalConfig) -> int:
  """Returns the step at which the next dispatch ends: a function of `step` alone, so resuming changes nothing."""
  every = [train.steps_per_dispatch, train.log_every, train.checkpoint_every, evaluation.every or train.steps]
  return min([train.steps] + [(step // n + 1) * n for n in every])


def named(widths: Widths, values: Float[Array, ' N']) -> dict[str, float]:
  """{width: value} of an array [N], ready for JSON; a width without a value is left out."""
  return {str(width): float(value) for width, value in zip(widths.values, np.asarray(values)) if not np.isnan(value)}


class Patience:
  """Counts validations without a better merit.

  Attributes:
    stale: validations since the best one.
    over: whether the patience is used up (never if it is 0).
  """

  def __init__(self, patience: int, history: Iterable[float] = ()):
    self.patience, self.best, self.stale = patience, -math.inf, 0
    for value in history:
      self.add(value)

  def add(self, value: float) -> None:
    """Notes the merit of one more validation."""
    self.stale = 0 if value > self.best else self.stale + 1
    self.best = max(self.best, value)

  @property
  def over(self) -> bool:
    """Whether to stop."""
    return bool(self.patience) and self.stale >= self.patience
