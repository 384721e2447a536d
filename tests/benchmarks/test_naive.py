"""The loop over sliced models computes the very loss of the one pass, and moves the same parameters."""
import functools

import jax
import numpy as np
import optax
import pytest

from benchmarks import common
from benchmarks import naive
from medjax import scores
from medjax.training import step as step_lib

OPTIONS = ['--dataset=synthetic:15:3:60', '--widths=4:12:4', '--batch=8', '--negatives=5']


def after_one_step(score, make_step, share=1):
  """Returns (parameters, own losses, loss) after a step of plain descent, which shows the gradient itself."""
  arguments = common.parser('test', 'A test.').parse_args([*OPTIONS, f'--score={score}', f'--share-negatives={share}'])
  data = common.load_data(arguments.dataset)
  config, record, widths, _ = common.setup(arguments)
  descent = optax.sgd(1.0)
  state = step_lib.init_state(config, record, widths, descent, data.num_entities, data.num_relations)
  step = make_step(config, record, widths, descent, data.num_entities)
  state, own, loss = jax.jit(step)(state, data.train, None)
  return state.params['model'], own, loss


one_pass = functools.cache(lambda score, share: after_one_step(score, step_lib.make_step, share))


@pytest.mark.parametrize('score, slice_of, share', [(score, 'tables', 1) for score in sorted(scores.REGISTRY)]
                         + [('rotate', 'rows', 1), ('pairre', 'rows', 4)])
def test_naive_loop_equals_the_one_pass(score, slice_of, share):
  params, own, loss = one_pass(score, share)
  naive_step = functools.partial(naive.make_step, slice_of=slice_of)
  naive_params, naive_own, naive_loss = after_one_step(score, naive_step, share)
  assert float(naive_loss) == pytest.approx(float(loss), rel=1e-5)
  np.testing.assert_allclose(naive_own, own, rtol=1e-5)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), naive_params, params)


def test_naive_loop_refuses_what_it_does_not_know():
  arguments = common.parser('test', 'A test.').parse_args(OPTIONS)
  config, record, widths, optimizer = common.setup(arguments)
  config.objective.weights = 'learned'
  with pytest.raises(ValueError, match='fixed weights'):
    naive.make_step(config, record, widths, optimizer, 15)
