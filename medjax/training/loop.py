"""The training loop: dispatches of steps, and between them logging, validation and checkpoints."""
import math
import time

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from medjax import parallel
from medjax.data import sampling
from medjax.training import optimizers
from medjax.training import signals
from medjax.training import step as step_lib
from medjax.training import teaching


class Diverged(RuntimeError):
  """A loss or gradient was not finite; the message names the step and the last good checkpoint."""


class Stopped(RuntimeError):
  """Ctrl-C or SIGTERM ended the run after it saved a checkpoint."""

  def __init__(self, signal_number, step):
    super().__init__(f'stopped by {signal_number.name} at step {step}, which is saved; '
                     'run the same command to go on')
    self.exit_code = 128 + signal_number


def fit(config, graph, score, widths, checkpoints, open_writer, validate, teacher=None):
  """Trains, or goes on from the latest checkpoint, to the last step or to an early stop.

  Args:
    config: the resolved `Config`.
    graph: the `data.Graph`.
    score, widths: `Score`, `Widths`.
    checkpoints: `checkpoint.Checkpoints` of the workdir.
    open_writer: step -> a metrics writer with `history`, `write(step, values)` and `close()`.
    validate: model params -> (mean MRR, {width: MRR}).
    teacher: the `teaching.Teacher` of a distilled run.

  Returns:
    The last state.

  Raises:
    Diverged, Stopped, checkpoint.CheckpointError.
  """
  train, layout = config.train, parallel.make_layout(config, widths)
  state, advance = begin(config, graph, score, widths, checkpoints, layout, teacher)
  start = int(state.step)
  writer = open_writer(start)
  stopping = Patience(config.eval.patience, [line['valid_mrr'] for line in writer.history if 'valid_mrr' in line])
  try:
    with signals.deferred() as received, tqdm(total=train.steps, initial=start, unit='step', desc='training',
                                           disable=not parallel.first()) as bar:
      if start == 0:
        checkpoints.save(state)
      step, since, seconds = start, start, 0.0
      while step < train.steps and not stopping.over:
        goal, begun = next_stop(step, config), time.perf_counter()
        state, own, loss = advance(state, goal - step)
        if not bool(state.ok):
          raise diverged('the loss or its gradient', int(state.step), checkpoints)
        seconds += time.perf_counter() - begun
        bar.update(goal - step)
        step, last = goal, goal == train.steps
        if step % train.log_every == 0 or last:
          writer.write(step, progress(state, widths, own, loss, step - since, seconds))
          bar.set_postfix_str(f'loss {float(loss):.3g}', refresh=False)
          since, seconds = step, 0.0
        mrr = None
        if config.eval.every and (step % config.eval.every == 0 or last):
          mrr = validated(step, layout.whole(state.params['model']), validate, stopping, writer)
        # looked at once: a signal that comes during the save waits for the next dispatch
        stopped = parallel.any_process(received)
        if mrr is not None or step % train.checkpoint_every == 0 or last or stopped:
          if not finite(state.params):
            raise diverged('a parameter', step, checkpoints)
          checkpoints.save(state, mrr)
        if stopped:
          raise Stopped(received[0] if received else signals.signal.SIGTERM, step)  # or another process received it
      if received:
        raise Stopped(received[0], step)
  finally:
    writer.close()
  return state


def begin(config, graph, score, widths, checkpoints, layout, teacher):
  """Returns (the first state or that of the latest checkpoint, advance).

  `advance` is (state, steps) -> (state, mean own losses [N], mean loss) and takes the state's buffers over.
  """
  train = config.train
  optimizer = optimizers.make(train)
  state = layout.make(lambda: step_lib.init_state(config, score, widths, optimizer, graph.num_entities,
                                                  graph.num_relations))
  taught = ()
  if teacher is not None:
    state, teacher = teaching.begin(state, teacher)
    taught = (teacher,)
  if checkpoints.latest is not None:
    state = checkpoints.restore(state)
  known = layout.everyone(sampling.known(graph.train)) if train.filter_negatives else None
  triples = layout.everyone(graph.train)
  step_of_device = step_lib.make_step(config, score, widths, optimizer, graph.num_entities, layout)
  dispatch = step_lib.make_dispatch(step_of_device, layout)
  return state, lambda state, steps: dispatch(state, triples, known, np.int32(steps), *taught)


def progress(state, widths, own, loss, steps, seconds):
  """A line of metrics: losses are means over the last dispatch, seconds those of `steps` steps."""
  weights = {name: float(value) for name, value in state.params['objective'].items()
             if name != 'teacher' and value.ndim == 0}
  return {'loss': float(loss), 'width_loss': named(widths, own), 'seconds': seconds,
          'steps_per_second': steps / seconds} | weights


def validated(step, model, validate, stopping, writer):
  """Validates, tells `stopping` and the writer, and returns the mean MRR."""
  mrr, each = validate(model)
  mrr = parallel.of_first(mrr)
  stopping.add(mrr)
  # the line is on disk before the checkpoint is, so that no checkpoint lacks its validation
  writer.write(step, {'valid_mrr': mrr, 'valid_mrr_by_width': {str(width): value for width, value in each.items()}})
  if parallel.first():
    tqdm.write(f'step {step}: validation MRR {mrr:.4f}{" (best)" if stopping.stale == 0 else ""}')
  return mrr


def diverged(what, step, checkpoints):
  return Diverged(f'{what} was not finite at step {step}; the last good checkpoint is step {checkpoints.latest} in '
                  f'{checkpoints.directory}. Train in another --workdir with a lower train.learning_rate, or see '
                  "docs/method.md on the objective's options")


def finite(params):
  """Whether no parameter is infinite or NaN."""
  return all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(params))


def next_stop(step, config):
  """Returns the step at which the next dispatch ends: a function of `step` alone, so resuming changes nothing."""
  train = config.train
  every = [train.steps_per_dispatch, train.log_every, train.checkpoint_every, config.eval.every or train.steps]
  return min([train.steps] + [(step // n + 1) * n for n in every])


def named(widths, values):
  """{width: value} of an array [N], ready for JSON."""
  return {str(width): float(value) for width, value in zip(widths.values, np.asarray(values))}


class Patience:
  """Counts validations without a better mean MRR.

  Attributes:
    stale: validations since the best one.
    over: whether the patience is used up (never if it is 0).
  """

  def __init__(self, patience, history=()):
    self.patience, self.best, self.stale = patience, -math.inf, 0
    for value in history:
      self.add(value)

  def add(self, value):
    self.stale = 0 if value > self.best else self.stale + 1
    self.best = max(self.best, value)

  @property
  def over(self):
    return bool(self.patience) and self.stale >= self.patience
