"""The loop over sliced models computes the very loss of the one pass, and moves the same parameters."""

import functools

import jax
import numpy as np
import optax
import pytest

from benchmarks import graph_data, naive, running, trainings
from medjax import scores
from medjax.kge import task as task_lib
from medjax.training import step as step_lib

OPTIONS = ['--dataset=synthetic:15:3:60', '--widths=4:12:4', '--batch=8', '--negatives=5']


def after_one_step(score, slice_of='', share=1):
  """Returns (parameters, own losses, loss) after a step of plain descent, which shows the gradient itself."""
  arguments = running.parser('test', 'A test.').parse_args([*OPTIONS, f'--score={score}', f'--share-negatives={share}'])
  data = graph_data.load_data(arguments.dataset)
  setup, descent = trainings.setup(arguments), optax.sgd(1.0)
  task = task_lib.make_task(*setup, data)
  if slice_of:
    task = task._replace(value_and_grad=naive.value_and_grad(setup, slice_of))
  state = step_lib.init_state(task, setup.config.train, descent)
  state, width_losses, loss = jax.jit(step_lib.make_step(task, setup.config.train, descent))(state, task.data)
  return state.params['model'], width_losses, loss


one_pass = functools.cache(lambda score, share: after_one_step(score, share=share))


@pytest.mark.parametrize(
  'score, slice_of, share',
  [(score, 'tables', 1) for score in sorted(scores.REGISTRY)] + [('rotate', 'rows', 1), ('pairre', 'rows', 4)],
)
def test_naive_loop_equals_the_one_pass(score, slice_of, share):
  params, own, loss = one_pass(score, share)
  naive_params, naive_own, naive_loss = after_one_step(score, slice_of, share)
  assert float(naive_loss) == pytest.approx(float(loss), rel=1e-5)
  np.testing.assert_allclose(naive_own, own, rtol=1e-5)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), naive_params, params)


def test_naive_loop_refuses_what_it_does_not_know():
  arguments = running.parser('test', 'A test.').parse_args(OPTIONS)
  setup = trainings.setup(arguments)
  setup.config.objective.weights = 'learned'
  with pytest.raises(ValueError, match='fixed weights'):
    naive.value_and_grad(setup)
