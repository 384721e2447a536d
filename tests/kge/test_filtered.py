"""Filtered negatives where all candidates are known answers: nothing is learned of them, and all stays a number.

The graph is complete, so that whole batches have no negative that is false; a hub has rows without one.
"""

import itertools
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import config as config_lib
from medjax import scores
from medjax.kge import settings as settings_lib
from medjax.kge import task as task_lib
from medjax.training import optimizers
from medjax.training import step as step_lib

SIZE = 5
COMPLETE = np.array([(h, 0, t) for h, t in itertools.product(range(SIZE), repeat=2)], np.int32)
HUB = np.array([(h, 0, 0) for h in range(SIZE)] + [(h, 1, (h + 1) % SIZE) for h in range(SIZE)], np.int32)
OBJECTIVES = {
  'plain': {},
  'fixed': {'objective.evolutionary': True},
  'learned': {'objective.evolutionary': True, 'objective.weights': 'learned'},
  'adversarial': {'objective.evolutionary': True, 'objective.weights': 'adversarial'},
  'adversarial over the batch': {
    'objective.evolutionary': True,
    'objective.weights': 'adversarial',
    'objective.weigh_over': 'batch',
  },
  'paper': {'objective.name': 'paper'},
  'direct': {'objective.name': 'direct', 'model.widths': '8'},
  'softmax': {'objective.loss': 'softmax', 'objective.evolutionary': True, 'model.score': 'complex'},
  'softmax of shared negatives': {
    'objective.loss': 'softmax',
    'objective.evolutionary': True,
    'model.score': 'complex',
    'train.share_negatives': 4,
    'objective.regularizer': 'n3',
  },
  'softmax over all entities': {'objective.loss': 'softmax', 'model.score': 'distmult', 'train.negatives': 0},
}


@pytest.mark.parametrize('fields', OBJECTIVES.values(), ids=OBJECTIVES)
@pytest.mark.parametrize('triples', [COMPLETE, HUB], ids=['complete', 'hub'])
def test_steps_stay_finite(fields, triples):
  config = config_lib.Config()
  settings = {'model.widths': '4,8', 'train.batch': 8, 'train.negatives': 2, 'train.filter_negatives': True}
  for field, value in (settings | fields).items():
    config_lib.put(config, field, value)
  config = settings_lib.resolve(config)
  widths = settings_lib.model_widths(config)
  score = scores.make(config.model.score, scores.default_constants(config.model.gamma, widths.full))
  graph = types.SimpleNamespace(train=triples, num_entities=SIZE, num_relations=2)
  task, optimizer = task_lib.make_task(config, score, widths, graph), optimizers.make(config.train)
  state = step_lib.init_state(task, config.train, optimizer)
  data = jax.tree.map(jnp.asarray, task.data)
  if triples is COMPLETE:
    assert not task.batch(jax.random.key(0), 0, data).valid.any()
  dispatch = step_lib.make_dispatch(step_lib.make_step(task, config.train, optimizer))
  state, width_losses, loss = jax.jit(dispatch)(state, data, jnp.int32(10))
  assert state.ok and state.step == 10 and np.isfinite(loss) and np.isfinite(width_losses).all()
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.params))
