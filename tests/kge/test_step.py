"""The step against a slow reference that knows nothing of gathered rows, blocks or dispatches."""

import functools
import types

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from medjax import config as config_lib
from medjax import objectives, scores
from medjax.core import axes as axes_lib
from medjax.core import rows as rows_lib
from medjax.core import sub_models
from medjax.core import widths as widths_lib
from medjax.kge import batches as batches_lib
from medjax.kge import settings as settings_lib
from medjax.kge import task as task_lib
from medjax.training import optimizers
from medjax.training import step as step_lib

ENTITIES, RELATIONS = 15, 3
DRAWN = np.random.default_rng(0).integers(0, [ENTITIES, RELATIONS, ENTITIES], (60, 3))
TRIPLES = np.unique(DRAWN, axis=0).astype(np.int32)
DATA = {'triples': jnp.asarray(TRIPLES), 'known': None, 'teacher': None, 'frequency': None}


@functools.cache  # tests share compiled steps
def build(score='rotate', **fields):
  """Returns (config, score, widths, first state, compiled step)."""
  config = config_lib.Config()
  settings = {
    'model.score': score,
    'model.widths': '4,8,12',
    'train.batch': 8,
    'train.negatives': 5,
    'train.steps': 20,
    'train.narrow_rate': 0.0,
    'objective.mutual': True,
    'objective.dynamic': True,
  }
  for field, value in (settings | {name.replace('__', '.'): value for name, value in fields.items()}).items():
    config_lib.put(config, field, value)
  config = settings_lib.resolve(config)
  widths = settings_lib.model_widths(config)
  score = scores.make(score, scores.default_constants(config.model.gamma, widths.full))
  graph = types.SimpleNamespace(train=TRIPLES, num_entities=ENTITIES, num_relations=RELATIONS)
  task, optimizer = task_lib.make_task(config, score, widths, graph), optimizers.make(config.train)
  step = jax.jit(step_lib.make_step(task, config.train, optimizer))
  return config, score, widths, step_lib.init_state(task, config.train, optimizer), step


def value_and_grad(loss, params, config, score, widths, batch):
  """Of a loss below, compiled."""
  return jax.jit(jax.value_and_grad(lambda params: loss(params, config, score, widths, batch)))(params)


def dispatch(state, step, steps):
  """Returns the state after a dispatch, which takes its buffers over."""
  return step_lib.make_dispatch(step)(jax.tree.map(jnp.copy, state), DATA, jnp.int32(steps))[0]


def reference_loss(params, config, score, widths, batch):
  """The objective from whole tables, one sliced model after the other."""
  columns = []
  asked_for = 'head' if score.name.endswith('_reciprocal') else 'tail'
  for width in widths.values:
    part = axes_lib.crop(params['model'], score.axes, width)
    one = widths_lib.Widths((width,), score.components)
    half = len(batch.anchor) // 2
    negatives = jnp.repeat(batch.negatives, len(batch.anchor) // len(batch.negatives), 0)
    candidates = jnp.concatenate([batch.answer[:, None], negatives], 1)
    repeat = lambda ids: jnp.broadcast_to(ids[:, None], candidates.shape)
    tails = jnp.stack([repeat(batch.anchor), repeat(batch.relation), candidates], -1)[:half]
    heads = jnp.stack([candidates, repeat(batch.relation), repeat(batch.anchor)], -1)[half:]
    raw = jnp.concatenate(
      [scores.score_triples(score, part, tails, one), scores.score_triples(score, part, heads, one, asked_for)]
    )[..., 0]
    column = config.model.gamma * score.margin + widths.full / width * raw
    margin = 1 / (1 + (config.model.gamma_half / width) ** config.model.gamma_power)
    columns.append(column * margin if score.margin else column)
  value = jnp.stack(columns, -1)
  objective = config.objective
  options = objectives.Options(
    objectives.Mutual(form=objective.mutual_form),
    'sigmoid' if objective.evolutionary else None,
    'positive',
    1.0,
    True,
    objective.narrow_weight,
  )
  fractions = jnp.asarray(widths.values) / widths.full
  return objectives.log_sigmoid_losses(
    value[:, 0], value[:, 1:], batch.valid, fractions, objectives.Strengths(), options
  )[0]


@pytest.mark.parametrize(
  'score, share, power',
  [*((score, share, 2.0) for score in sorted(scores.REGISTRY) for share in (1, 4)), ('rotate', 1, 1.0)],
)
def test_step_is_adam_on_the_slow_loss(score, share, power):
  config, record, widths, state, step = build(
    score, objective__evolutionary=True, train__share_negatives=share, model__gamma_power=power
  )
  batch = batches_lib.sample(
    jax.random.fold_in(jax.random.key(0), 1), state.step, jnp.asarray(TRIPLES), ENTITIES, 8, 5, share=share
  )
  loss, grads = value_and_grad(reference_loss, state.params, config, record, widths, batch)
  optimizer = optax.adam(config.train.learning_rate)
  updates, _ = optimizer.update(grads, optimizer.init(state.params))
  expected = optax.apply_updates(state.params, updates)
  after, _, value = step(state, DATA)
  assert value == pytest.approx(float(loss), rel=1e-5)

  # Adam's first step is the gradient's sign: where the gradient is float noise, either sign is right
  def close(ours, theirs, grad):
    clear = np.abs(grad) > 1e-6
    np.testing.assert_allclose(ours[clear], theirs[clear], rtol=1e-3, atol=1e-5)

  jax.tree.map(close, after.params['model'], expected['model'], grads['model'])


def reference_softmax(params, config, score, widths, batch):
  """Cross-entropy of whole tables, one sliced model after the other, with its regulariser."""
  total, half = 0.0, len(batch.anchor) // 2
  for width in widths.values:
    part = axes_lib.crop(params['model'], score.axes, width)
    one = widths_lib.Widths((width,), score.components)
    ids = jnp.concatenate([jnp.broadcast_to(batch.negatives, batch.valid.shape), batch.answer[:, None]], 1)
    repeat = lambda x: jnp.broadcast_to(x[:, None], ids.shape)
    tails = jnp.stack([repeat(batch.anchor), repeat(batch.relation), ids], -1)[:half]
    heads = jnp.stack([ids, repeat(batch.relation), repeat(batch.anchor)], -1)[half:]
    asked_for = 'head' if score.name.endswith('_reciprocal') else 'tail'
    raw = (
      jnp.concatenate(
        [scores.score_triples(score, part, tails, one), scores.score_triples(score, part, heads, one, asked_for)]
      )[..., 0]
      * widths.full
      / width
    )
    kept = jnp.concatenate([batch.valid, jnp.ones((len(ids), 1), bool)], 1)
    weight = (widths.full / width) ** config.objective.narrow_weight
    total -= weight * (raw[:, -1] - jax.nn.logsumexp(jnp.where(kept, raw, -jnp.inf), 1)).mean()
    e = lambda x: rows_lib.gather(part['entity'], x)
    part_of = lambda x, mark='': x[f'{mark}re'] + 1j * x[f'{mark}im']
    anchor, answer = part_of(e(batch.anchor)), part_of(e(batch.answer))
    relation = rows_lib.gather(part['relation'], batch.relation)
    if config.objective.regularizer == 'n3':
      size = sum(jnp.power(jnp.abs(x), 3).sum() for x in (anchor, part_of(relation), answer))
    else:  # of a model with reciprocal relations
      turned = jnp.concatenate([part_of(relation)[:half], part_of(relation, 'inverse_')[half:]])
      size = sum(jnp.square(jnp.abs(x)).sum() for x in (anchor * turned, answer))
    size *= 0.3 / len(ids)
    if config.objective.regularize == 'scaled':
      size *= widths.full / width
    least = config.objective.regularization_width or widths.full
    size *= min(1, width / least) ** config.objective.regularization_power
    if config.objective.regularize != 'once' or width == widths.full:
      total += weight * size
  return total


@pytest.mark.parametrize(
  'score, regularizer, negatives, regularize, power, least',
  [
    ('complex', 'n3', 0, 'once', 0.0, 0),
    ('complex', 'n3', 5, 'each', 0.5, 0),
    ('complex', 'n3', 5, 'scaled', 0.0, 0),
    ('complex_reciprocal', 'dura', 5, 'scaled', 0.0, 0),
    ('complex_reciprocal', 'dura', 5, 'scaled', 1.5, 8),
  ],
)
def test_step_of_the_softmax_loss(score, regularizer, negatives, regularize, power, least):
  config, record, widths, state, step = build(
    score,
    objective__loss='softmax',
    objective__mutual=False,
    objective__dynamic=False,
    objective__regularizer=regularizer,
    objective__regularize=regularize,
    objective__regularization_power=power,
    objective__regularization_width=least,
    objective__regularization=0.3,
    train__optimizer='adagrad',
    train__negatives=negatives,
    train__share_negatives=8,
  )
  batch = batches_lib.sample(
    jax.random.fold_in(jax.random.key(0), 1), state.step, jnp.asarray(TRIPLES), ENTITIES, 8, negatives, share=8
  )
  assert batch.negatives.shape == (1, negatives or ENTITIES)
  assert negatives or (np.asarray(batch.valid).sum(1) == ENTITIES - 1).all()
  loss, grads = value_and_grad(reference_softmax, state.params, config, record, widths, batch)
  after, _, value = step(state, DATA)
  assert value == pytest.approx(float(loss), rel=1e-5)

  # Adagrad's first step is the gradient's sign times the learning rate
  def close(ours, before, grad):
    clear = np.abs(grad) > 1e-4
    np.testing.assert_allclose((before - ours)[clear], config.train.learning_rate * np.sign(grad[clear]), rtol=1e-2)

  jax.tree.map(close, after.params['model'], state.params['model'], grads['model'])


@pytest.mark.parametrize('power', [0.0, 0.75])
def test_a_walk_over_the_widths_moves_as_their_scores_do(power):
  """Of shared candidates with some left out, and weighed where they are not drawn alike, all mechanisms acting."""
  fields = {
    'objective__loss': 'softmax',
    'objective__evolutionary': True,
    'train__share_negatives': 4,
    'train__optimizer': 'adagrad',
    'objective__regularizer': 'dura',
    'train__weigh_negatives': bool(power),
  }
  data = DATA | {'known': jax.tree.map(jnp.asarray, batches_lib.known(TRIPLES))}
  if power:
    data['frequency'] = jax.tree.map(jnp.asarray, batches_lib.frequency(TRIPLES, ENTITIES, power))
  config, score, widths, state, by_walk = build('complex_reciprocal', **fields)
  assert score.inner_product
  graph = types.SimpleNamespace(train=TRIPLES, num_entities=ENTITIES, num_relations=RELATIONS)
  task = task_lib.make_task(config, score._replace(inner_product=False), widths, graph)
  by_scores = jax.jit(step_lib.make_step(task, config.train, optimizers.make(config.train)))
  (after, losses, loss), (expected, *expected_losses) = by_walk(state, data), by_scores(state, data)
  np.testing.assert_allclose(loss, expected_losses[1], rtol=1e-5)
  np.testing.assert_allclose(losses, expected_losses[0], rtol=1e-5)
  compare = functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-5)
  jax.tree.map(compare, after.opt_state, expected.opt_state)


def test_narrow_components_learn_faster():
  _, _, widths, state, step = build('complex', objective__mutual=False)
  _, _, _, _, faster = build('complex', objective__mutual=False, train__narrow_rate=0.5)
  assert widths.values == (4, 8, 12)
  moved = [
    jax.tree.map(lambda a, b: np.asarray(a - b), one(state, DATA)[0].params['model'], state.params['model'])
    for one in (step, faster)
  ]
  factor = np.repeat([np.sqrt(3), np.sqrt(1.5), 1], 2)  # two components a block
  jax.tree.map(lambda plain, fast: np.testing.assert_allclose(fast, plain * factor, rtol=1e-3, atol=1e-7), *moved)


def test_a_dispatch_equals_its_steps_one_by_one():
  _, _, _, state, step = build()
  expected = state
  for _ in range(5):
    expected, _, _ = step(expected, DATA)
  ours = dispatch(state, step, 5)
  assert int(ours.step) == 5
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), ours.params, expected.params)


def test_dispatch_stops_at_the_first_step_that_is_not_finite():
  _, _, _, state, step = build()
  spoilt = jax.tree.map(lambda x: x.at[:].set(jnp.nan), state.params['model'])
  state = state.replace(params=state.params | {'model': spoilt})
  after = dispatch(state, step, 5)
  assert not bool(after.ok) and int(after.step) == 1


def test_paper_learns_its_weights_by_descent_and_they_defeat_themselves():
  _, _, _, state, step = build(objective__name='paper')
  after = dispatch(state, step, 20).params['objective']
  assert after['w3'] < 1  # the widths' weights shrink, since that makes the loss small


def test_adversarial_weights_rise_and_stay_in_their_range():
  _, _, _, state, step = build(objective__weights='adversarial', objective__evolutionary=True, train__learning_rate=0.5)
  after = dispatch(state, step, 20).params['objective']
  assert after['w1'] > 1 and after['w2'] > 1
  assert all(0 <= float(after[name]) <= 5 for name in ('w1', 'w2', 'w3'))


def test_fixed_weights_are_no_parameters():
  _, _, _, state, _ = build()
  assert state.params['objective'] == {}


def test_learned_gamma_is_one_per_width_and_moves():
  _, _, _, state, step = build(model__width_gamma='learned')
  gamma = dispatch(state, step, 20).params['objective']['gamma']
  assert gamma.shape == (3,) and (np.asarray(gamma) != 6).all()


@pytest.mark.parametrize(
  'score, fields',
  [
    ('rotate', {'objective__evolutionary': True}),
    ('simple', {'train__share_negatives': 4, 'objective__regularizer': 'dura'}),
    ('complex_reciprocal', {'objective__loss': 'softmax', 'train__share_negatives': 8, 'objective__regularizer': 'n3'}),
    ('complex', {'objective__loss': 'softmax', 'train__negatives': 0, 'objective__evolutionary': True}),
    ('transe', {'objective__loss': 'softmax', 'train__share_negatives': 4}),
  ],
)
@pytest.mark.parametrize('rule, given', [('sandwich:3', '4,8,12,16,20,24'), ('ladder:3', '2,4,12,14,20,24')])
def test_drawn_sub_models_train_as_if_there_were_no_others(score, fields, rule, given):
  config, _, widths, state, step = build(score, model__widths=given, objective__sub_models=rule, **fields)
  key = jax.random.fold_in(jax.random.fold_in(jax.random.key(config.train.seed), 2), 0)
  drawn = np.asarray(sub_models.draw(key, sub_models.drawings(rule, widths.values)))
  kept = ','.join(str(widths.values[i]) for i in drawn)
  _, _, _, same, alone = build(score, model__widths=kept, **fields)
  jax.tree.map(np.testing.assert_array_equal, state.params, same.params)
  (after, losses, loss), (expected, *expected_losses) = step(state, DATA), alone(same, DATA)
  assert np.isnan(losses).sum() == 3
  np.testing.assert_allclose(np.asarray(losses)[drawn], expected_losses[0], rtol=1e-5)
  np.testing.assert_allclose(loss, expected_losses[1], rtol=1e-5)
  compare = functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6)
  jax.tree.map(compare, after.opt_state, expected.opt_state)


def test_losses_of_a_dispatch_are_means_over_the_steps_that_trained_a_width():
  _, _, _, state, step = build(objective__sub_models='sandwich:2')
  _, losses, _ = step_lib.make_dispatch(step)(jax.tree.map(jnp.copy, state), DATA, jnp.int32(3))
  assert np.isnan(losses).tolist() == [False, True, False]
  each = []
  for _ in range(3):
    state, one, _ = step(state, DATA)
    each.append(np.asarray(one))
  np.testing.assert_allclose(losses, np.mean(each, 0), rtol=1e-5)


def test_filtered_negatives_change_the_loss():
  _, _, _, state, step = build()
  known = jax.tree.map(jnp.asarray, batches_lib.known(TRIPLES))
  assert float(step(state, DATA)[2]) != float(step(state, DATA | {'known': known})[2])


def test_learning_rate_decays_linearly_to_zero():
  config, _, _, _, _ = build(train__learning_rate=0.1)
  optimizer = optimizers.make(config.train)
  opt_state, moved = optimizer.init(jnp.zeros(())), []
  for _ in range(config.train.steps):
    update, opt_state = optimizer.update(jnp.ones(()), opt_state)
    moved.append(-float(update))
  np.testing.assert_allclose(moved, 0.1 * (1 - np.arange(20) / 20), rtol=1e-3)
