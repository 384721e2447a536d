"""Row-sparse updates against the dense step, of which only the touched rows are kept."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import config as config_lib
from medjax import scores
from medjax.kge import batches as batches_lib
from medjax.kge import settings as settings_lib
from medjax.kge import task as task_lib
from medjax.training import optimizers
from medjax.training import step as step_lib

ENTITIES, RELATIONS = 60, 7
TRIPLES = np.unique(np.random.default_rng(0).integers(0, [ENTITIES, RELATIONS, ENTITIES], (90, 3)), axis=0)
TRIPLES = jnp.asarray(TRIPLES, jnp.int32)
DATA = {'triples': TRIPLES, 'known': None, 'teacher': None, 'frequency': None}
BATCH = {'train.batch': 8, 'train.negatives': 2}


def build(entities=ENTITIES, **fields):
  """Returns (state, step) of dense updates, or of sparse ones."""
  config = config_lib.Config()
  for field, value in ({'model.widths': '4,8'} | BATCH | {n.replace('__', '.'): v for n, v in fields.items()}).items():
    config_lib.put(config, field, value)
  config = settings_lib.resolve(config)
  widths = settings_lib.model_widths(config)
  score = scores.make(config.model.score, scores.default_constants(6.0, widths.full))
  graph = types.SimpleNamespace(train=TRIPLES, num_entities=entities, num_relations=RELATIONS)
  task, optimizer = task_lib.make_task(config, score, widths, graph), optimizers.make(config.train)
  return step_lib.init_state(task, config.train, optimizer), step_lib.make_step(task, config.train, optimizer)


def touched(step):
  """{'entity': bool [E, 1], 'relation': bool [R, 1]}: what the batch of a step names."""
  batch = batches_lib.sample(jax.random.fold_in(jax.random.key(0), 1), jnp.int32(step), TRIPLES, ENTITIES, 8, 2)
  entities = np.concatenate([batch.anchor, batch.answer, np.ravel(batch.negatives)])
  return {
    'entity': np.isin(np.arange(ENTITIES), entities)[:, None],
    'relation': np.isin(np.arange(RELATIONS), batch.relation)[:, None],
  }


@pytest.mark.parametrize(
  'fields',
  [{}, {'train__optimizer': 'adagrad', 'model__score': 'complex'}, {'model__width_gamma': 'learned'}],
  ids=['adam', 'adagrad', 'learned gamma'],
)
def test_touched_rows_move_as_in_the_dense_step_and_no_other(fields):
  state, dense = build(**fields)
  _, sparse = build(**fields, train__sparse_updates=True)
  dense, sparse = jax.jit(dense), jax.jit(sparse)
  for step in range(4):
    rows = touched(step)
    assert 5 < rows['entity'].sum() < ENTITIES - 5

    def keep(path, before, after):
      kind = next((key.key for key in path if getattr(key, 'key', None) in rows), None)
      return after if kind is None else jnp.where(rows[kind], after, before)

    expected = jax.tree_util.tree_map_with_path(keep, state, dense(state, DATA)[0])
    state, _, _ = sparse(state, DATA)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), state, expected)
  assert int(state.step) == 4 and bool(state.ok)


def test_a_step_allocates_nothing_of_the_size_of_a_table():
  entities = 200_000
  state, step = build(entities, train__sparse_updates=True)
  table = state.params['model']['entity']['re'].nbytes
  program = step_lib.make_dispatch(step).lower(state, DATA, jnp.int32(1)).compile()
  assert program.memory_analysis().temp_size_in_bytes < table / 10


def test_a_loss_that_is_not_finite_is_noticed():
  state, step = build(train__sparse_updates=True)
  spoilt = jax.tree.map(lambda x: x.at[:].set(jnp.nan), state.params['model'])
  after, _, _ = step(state.replace(params=state.params | {'model': spoilt}), DATA)
  assert not bool(after.ok)
