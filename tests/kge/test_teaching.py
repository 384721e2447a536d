"""A step under a teacher: what the teacher says, what it teaches, and when it is trained itself."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import config as config_lib
from medjax import scores
from medjax.core import rows as rows_lib
from medjax.core import widths as widths_lib
from medjax.kge import batches as batches_lib
from medjax.kge import settings as settings_lib
from medjax.kge import structure, teaching
from medjax.kge import task as task_lib
from medjax.objectives import distill
from medjax.training import optimizers
from medjax.training import step as step_lib

ENTITIES, RELATIONS, STEPS = 15, 3, 8
TRIPLES = jnp.asarray(
  np.unique(np.random.default_rng(0).integers(0, [ENTITIES, RELATIONS, ENTITIES], (60, 3)), axis=0), jnp.int32
)


def build(method, score='rotate', share=1):
  config = config_lib.Config()
  for field, value in {
    'model.score': score,
    'model.widths': '4',
    'objective.name': 'direct',
    'train.batch': 8,
    'train.negatives': 5,
    'train.steps': STEPS,
    'train.share_negatives': share,
    'distill.method': method,
    'distill.teacher': 'there',
    'distill.teacher_width': 12,
  }.items():
    config_lib.put(config, field, value)
  config = settings_lib.resolve(config)
  student, record = (scores.make(score, scores.default_constants(6.0, width)) for width in (4, 12))
  params = record.init(jax.random.key(7), ENTITIES, RELATIONS, 12)
  teacher = teaching.Teacher(
    params, jnp.float32(6.0 * record.margin), jnp.float32(1.5), record, widths_lib.Widths((12,), record.components)
  )
  graph = types.SimpleNamespace(train=TRIPLES, num_entities=ENTITIES, num_relations=RELATIONS)
  task = task_lib.make_task(config, student, settings_lib.model_widths(config), graph, teacher=teacher)
  optimizer = optimizers.make(config.train)
  state, step = step_lib.init_state(task, config.train, optimizer), step_lib.make_step(task, config.train, optimizer)
  given = lambda teacher: {'triples': TRIPLES, 'known': None, 'teacher': teacher, 'frequency': None}
  step = jax.jit(step)
  return config, state, task.data['teacher'], params, lambda state, teacher: step(state, given(teacher))


@pytest.mark.parametrize('score, share', [('rotate', 1), ('simple', 4)])
def test_a_teachers_scores_are_those_of_its_model(score, share):
  config, _, teacher, params, _ = build('bkd', score, share)
  batch = batches_lib.sample(jax.random.key(1), 0, TRIPLES, ENTITIES, 8, 5, share=share)
  positive, negative = jax.jit(teaching.scores)(teacher, params, batch)
  everything = np.stack(np.meshgrid(*map(np.arange, (ENTITIES, RELATIONS, ENTITIES)), indexing='ij'), -1)
  raw = jax.jit(scores.score_triples, static_argnums=(0, 3))(teacher.score, params, everything, teacher.widths)[..., 0]
  table = np.asarray(6.0 * teacher.score.margin + 1.5 * raw)
  said = lambda triple: float(table[triple])
  for i in range(8):
    anchor, relation, answer = (int(x[i]) for x in (batch.anchor, batch.relation, batch.answer))
    triple = lambda entity: (anchor, relation, entity) if i < 4 else (entity, relation, anchor)
    assert positive[i] == pytest.approx(said(triple(answer)), rel=1e-4, abs=1e-4)
    for k, wrong in enumerate(batch.negatives[i // share]):
      assert negative[i, k] == pytest.approx(said(triple(int(wrong))), rel=1e-4, abs=1e-4)


def test_a_frozen_teacher_is_data_and_changes_what_is_learned():
  _, state, teacher, _, step = build('bkd')
  assert jax.tree.structure(state.params['objective']).num_leaves == 0
  after, _, value = step(state, teacher)
  other, _, other_value = step(state, teacher.replace(scale=jnp.float32(0.2)))
  assert np.isfinite(value) and value != other_value
  assert not np.array_equal(after.params['model']['entity']['re'], other.params['model']['entity']['re'])


@pytest.mark.parametrize('method, done', [('ta', 0), ('iterde', 1), ('iterde', 6), ('dualde', 3), ('dualde', 4)])
def test_the_loss_of_a_step_is_that_of_the_whole_tables(method, done):
  config, state, teacher, params, step = build(method)
  state = state.replace(step=jnp.int32(done))
  batch = batches_lib.sample(jax.random.fold_in(jax.random.key(0), 1), done, TRIPLES, ENTITIES, 8, 5)
  model, record = state.params['model'], scores.make('rotate', scores.default_constants(6.0, 4))
  student = teaching.Teacher(None, 6.0, 1.0, record, widths_lib.Widths((4,), 2))
  own, taught = teaching.scores(student, model, batch), teaching.scores(teacher, params, batch)
  _, (hard,), value = step(state, teacher)
  if method == 'ta':
    expected = distill.hinton(hard, own, taught, batch.valid, 0.5, 1.0)
  elif method == 'iterde':
    soft = distill.huber(own, taught, batch.valid)
    expected = hard + distill.soft_weight(hard, soft, 0.5, done / STEPS, 'product') * soft
  else:
    triples = np.where(
      np.arange(8)[:, None] < 4, np.stack([batch.anchor, batch.answer], 1), np.stack([batch.answer, batch.anchor], 1)
    )
    shapes = [
      structure.structure(*(rows_lib.gather(table['entity'], triples[:, i]) for i in (0, 1)))
      for table in (model, params)
    ]
    shape = structure.structure_distance(*shapes)
    expected = distill.dual(own, taught, batch.valid, distill.Reliability(), shape, 1.0)
    if done == 4:
      expected += distill.dual(taught, own, batch.valid, distill.Reliability(), shape, 1.0)
  np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_dualdes_teacher_is_fixed_in_the_first_stage_and_trained_in_the_second():
  config, state, teacher, params, step = build('dualde')
  assert teacher.params is None
  tables = lambda state: jax.tree.leaves(state.params['objective']['teacher'])
  own = jax.tree.leaves(params)
  for done in range(STEPS):
    state, _, _ = step(state, teacher)
    same = all(np.array_equal(a, b) for a, b in zip(tables(state), own))
    assert same == (done < STEPS // 2)
  slopes = {name: float(value) for name, value in state.params['objective'].items() if name != 'teacher'}
  assert len(slopes) == 2 * len(distill.Reliability._fields)
  initial = teaching.initial(config, teacher)
  assert all(slopes[name] != float(initial[name]) for name in slopes)


def test_heads_and_tails_of_a_batch_that_asks_for_both():
  heads, tails = teaching.heads_and_tails({'x': jnp.arange(4)}, {'x': jnp.arange(10, 14)})
  assert heads['x'].tolist() == [0, 1, 12, 13] and tails['x'].tolist() == [10, 11, 2, 3]
