"""MED's mechanisms against numpy, written from the equations."""

import hypothesis
from hypothesis import strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import objectives

BATCH, NEGATIVES = 6, 5
MUTUAL = objectives.Mutual(weight=0.3, form='huber')
OPTIONS = objectives.Options(mutual=MUTUAL, difficulty='sigmoid', dynamic=True)
ALL = jnp.ones((BATCH, NEGATIVES), bool)
sigmoid = lambda x: 1 / (1 + np.exp(-x))


def draw(seed, subs=()):
  random = np.random.default_rng(seed)
  return tuple(
    3 * random.normal(size=shape).astype(np.float32) for shape in ((BATCH, *subs), (BATCH, NEGATIVES, *subs))
  )


def numpy_evolutionary(scores, previous, w1, w2, temperature, over, kind):
  positive, negative = (x.astype(np.float64) for x in scores)
  before_positive, before_negative = (x.astype(np.float64) for x in previous)
  hard = {
    'sigmoid': (sigmoid(-before_positive), sigmoid(before_negative)),
    'score': (-before_positive, before_negative),
    'inverse': (1 / before_positive, before_negative),
  }[kind]
  positive_weight = np.exp(w1 * hard[0])
  positive_weight /= positive_weight.sum()
  negative_weight = np.exp(w2 * hard[1] + temperature * negative)
  negative_weight /= negative_weight.sum(-1, keepdims=True) * BATCH if over == 'positive' else negative_weight.sum()
  wrong = (negative_weight * np.log(sigmoid(-negative))).sum()
  return (-(positive_weight * np.log(sigmoid(positive))).sum() - wrong) / 2


@pytest.mark.parametrize('over', ['positive', 'batch'])
@pytest.mark.parametrize('kind', ['sigmoid', 'score', 'inverse'])
@pytest.mark.parametrize('temperature', [0.0, 0.7])
def test_evolutionary_loss(over, kind, temperature):
  scores, previous = draw(0), draw(1)
  previous = (np.abs(previous[0]) + 1, previous[1])
  options = OPTIONS._replace(weigh_over=over, difficulty=kind, adversarial_temperature=temperature)
  ours = objectives.evolutionary(scores, previous, ALL, 0.8, 0.6, options)
  np.testing.assert_allclose(ours, numpy_evolutionary(scores, previous, 0.8, 0.6, temperature, over, kind), rtol=1e-5)


@pytest.mark.parametrize('kind', ['sigmoid', 'score'])
@hypothesis.settings(deadline=None)
@hypothesis.given(st.lists(st.floats(-50, 50, width=32), min_size=2, max_size=8))
def test_bounded_difficulty_keeps_order_for_every_score(kind, values):
  values = jnp.sort(jnp.asarray(values, jnp.float32))
  positive, negative = objectives.difficulty((values, values), kind)
  assert (jnp.diff(positive) <= 0).all() and (jnp.diff(negative) >= 0).all()


def test_inverse_difficulty_is_the_papers_and_flips_where_scores_are_negative():
  positive, _ = objectives.difficulty((jnp.array([-2.0, -1.0, 1.0, 2.0]), jnp.zeros(1)), 'inverse')
  np.testing.assert_allclose(positive, [-0.5, -1.0, 1.0, 0.5])


def test_sigmoid_difficulty_is_bounded():
  hard, _ = objectives.difficulty((jnp.array([-1e30, 0.0, 1e30]), jnp.zeros(1)), 'sigmoid')
  np.testing.assert_allclose(hard, [1, 0.5, 0])


def test_harder_triples_of_the_narrower_model_weigh_more():
  scores = (jnp.zeros(2), jnp.zeros((2, 1)))
  gradient = jax.grad(
    lambda p: objectives.evolutionary(
      (p, scores[1]), (jnp.array([-4.0, 4.0]), scores[1]), jnp.ones((2, 1), bool), 1.0, 1.0, OPTIONS
    )
  )(scores[0])
  assert abs(gradient[0]) > 2 * abs(gradient[1])


def test_difficulty_passes_no_gradient():
  scores, previous = draw(0), draw(1)
  grads = jax.grad(lambda p: objectives.evolutionary(scores, p, ALL, 1.0, 1.0, OPTIONS))(previous)
  assert not any(np.asarray(g).any() for g in grads)


@pytest.mark.parametrize('reduction', ['mean', 'sum'])
def test_mutual_loss_is_hubers(reduction):
  narrow, wide = draw(0), draw(1)
  gap = np.concatenate([(a - b).ravel() for a, b in zip(narrow, wide)]).astype(np.float64)
  expected = np.where(np.abs(gap) < 1, gap**2 / 2, np.abs(gap) - 0.5)
  np.testing.assert_allclose(objectives.mutual(narrow, wide, ALL, reduction), getattr(expected, reduction)(), rtol=1e-5)


@pytest.mark.parametrize('detach, narrow_moves, wide_moves', [('none', 1, 1), ('narrow', 0, 1), ('wide', 1, 0)])
def test_mutual_detach_holds_one_side(detach, narrow_moves, wide_moves):
  grads = jax.grad(lambda n, w: objectives.mutual(n, w, ALL, 'mean', detach), argnums=(0, 1))(draw(0), draw(1))
  assert [any(np.asarray(g).any() for g in side) for side in grads] == [bool(narrow_moves), bool(wide_moves)]


def test_dynamic_weight_is_the_papers():
  np.testing.assert_allclose(objectives.dynamic(jnp.array([0.25, 1.0]), 2.0), np.exp([0.5, 2.0]), rtol=1e-6)


def loop_losses(positive, negative, fractions, strengths, options):
  """The sum over sub-models, written as a loop."""
  total, own = 0.0, []
  for i in range(len(fractions)):
    scores = (positive[:, i], negative[..., i])
    previous = (positive[:, i - 1], negative[..., i - 1]) if i else scores
    acts = float(i > 0 and bool(options.difficulty))
    own.append(objectives.evolutionary(scores, previous, ALL, acts * strengths.w1, acts * strengths.w2, options))
    weight = np.exp(strengths.w3 * fractions[i]) if options.dynamic else 1.0
    total += own[-1] * weight * fractions[i] ** -options.narrow_power
    if i and options.mutual:
      distance = objectives.mutual(previous, scores, ALL, options.mutual.reduction)
      if options.mutual.form == 'divergence':  # log-softmaxes over answer and negatives, by hand
        said = [jax.nn.log_softmax(jnp.concatenate([x[0][:, None], x[1]], 1), 1) for x in (previous, scores)]
        distance = (jnp.exp(said[1]) * (said[1] - said[0])).sum(1).mean()
      total += options.mutual.weight * fractions[i] ** -options.mutual.power * distance
  return total, own


@pytest.mark.parametrize(
  'change',
  [
    {},
    {'mutual': None},
    {'difficulty': None},
    {'dynamic': False},
    {'mutual': MUTUAL._replace(form='divergence')},
    {'mutual': MUTUAL._replace(power=0.5)},
    {'narrow_power': 0.5},
    {'weigh_over': 'batch', 'adversarial_temperature': 0.0},
  ],
)
def test_all_sub_models_at_once_equal_the_loop(change):
  positive, negative = draw(2, (4,))
  fractions, strengths = np.array([0.1, 0.3, 0.6, 1.0], np.float32), objectives.Strengths(0.5, 0.8, 1.2)
  options = OPTIONS._replace(**change)
  loss, own = objectives.log_sigmoid_losses(positive, negative, ALL, jnp.asarray(fractions), strengths, options)
  expected, expected_own = loop_losses(positive, negative, fractions, strengths, options)
  np.testing.assert_allclose(loss, expected, rtol=1e-5)
  np.testing.assert_allclose(own, expected_own, rtol=1e-5)


@pytest.mark.parametrize('change', [{}, {'weigh_over': 'batch'}])
def test_the_sub_model_axis_is_that_of_vmap(change):
  scores, previous, options = draw(2, (4,)), draw(3, (4,)), OPTIONS._replace(**change)
  one = lambda s, p: (objectives.evolutionary(s, p, ALL, 0.5, 0.8, options), objectives.mutual(p, s, ALL))
  for ours, vmapped in zip(one(scores, previous), jax.vmap(one, -1)(scores, previous)):
    np.testing.assert_allclose(ours, vmapped, rtol=1e-6)


@pytest.mark.parametrize('x', [-90.0, -3.0, 0.0, 3.0, 90.0])
def test_softplus_and_its_derivative(x):
  expected = np.log1p(np.exp(np.float64(x))), 1 / (1 + np.exp(-np.float64(x)))
  np.testing.assert_allclose(jax.value_and_grad(objectives.softplus)(x), expected, rtol=1e-6, atol=1e-38)


@pytest.mark.parametrize('switch', ['mutual', 'difficulty', 'dynamic'])
def test_each_mechanism_changes_the_loss(switch):
  positive, negative = draw(3, (3,))
  fractions, strengths = jnp.array([0.2, 0.5, 1.0]), objectives.Strengths(1.0, 1.0, 1.0)
  on, _ = objectives.log_sigmoid_losses(positive, negative, ALL, fractions, strengths, OPTIONS)
  off, _ = objectives.log_sigmoid_losses(
    positive, negative, ALL, fractions, strengths, OPTIONS._replace(**{switch: None})
  )
  assert abs(on - off) > 1e-3


def test_left_out_negatives_do_not_count():
  positive, negative = draw(4, (3,))
  valid = np.ones((BATCH, NEGATIVES), bool)
  valid[:, 1] = False
  changed = negative.copy()
  changed[:, 1] = 1e3
  fractions, strengths = jnp.array([0.2, 0.5, 1.0]), objectives.Strengths(1.0, 1.0, 1.0)
  losses = [
    objectives.log_sigmoid_losses(positive, n, jnp.asarray(valid), fractions, strengths, OPTIONS)[0]
    for n in (negative, changed)
  ]
  assert losses[0] == losses[1]


def test_positive_without_valid_negatives_gives_a_finite_loss_and_gradient():
  positive, negative = draw(5, (2,))
  valid = jnp.asarray(np.arange(BATCH)[:, None] > 0) & ALL
  loss = lambda n: objectives.log_sigmoid_losses(
    positive, n, valid, jnp.array([0.5, 1.0]), objectives.Strengths(1.0, 1.0, 1.0), OPTIONS
  )[0]
  assert np.isfinite(loss(negative)) and np.isfinite(jax.grad(loss)(negative)).all()


@pytest.mark.parametrize('over', ['positive', 'batch'])
def test_the_weights_of_triples_are_those_in_the_loss(over):
  positive, negative = draw(7, (3,))
  valid = np.random.default_rng(0).random((BATCH, NEGATIVES)) < 0.8
  options = OPTIONS._replace(mutual=None, weigh_over=over)
  scores = (jnp.asarray(positive), jnp.asarray(negative))
  on_positive, on_negative = objectives.triple_weights(
    scores, objectives.predecessors(scores), valid, 1.5, 2.0, options
  )
  for weights, axis in ((on_positive, 0), (on_negative, (0, 1))):
    np.testing.assert_allclose(weights.sum(axis), 1, rtol=1e-5)
  assert not np.asarray(on_negative)[~valid].any()
  losses = (
    (on_positive * np.logaddexp(0, -positive)).sum(0) + (on_negative * np.logaddexp(0, negative)).sum((0, 1))
  ) / 2
  given = objectives.Strengths(1.5, 2.0, 1.0)
  _, width_losses = objectives.log_sigmoid_losses(*scores, valid, jnp.ones(3), given, options)
  np.testing.assert_allclose(width_losses, losses, rtol=1e-5)


@pytest.mark.parametrize('empty', ['a positive', 'the batch'])
@pytest.mark.parametrize(
  'change',
  [
    {},
    {'difficulty': 'score'},
    {'difficulty': 'inverse', 'weigh_over': 'batch', 'adversarial_temperature': 0.0},
    {'difficulty': None},
    {'mutual': MUTUAL._replace(form='divergence')},
    {'mutual': MUTUAL._replace(reduction='sum')},
  ],
)
def test_strengths_learn_only_from_negatives_that_are_there(empty, change):
  """Values and gradients of all that is learned are those of a batch in which no score is left out."""
  positive, negative = draw(6, (3,))
  valid = np.ones((BATCH, NEGATIVES), bool)
  valid[: BATCH if empty == 'the batch' else 1] = False
  valid[-1, 0] = False
  options, fractions = OPTIONS._replace(**change), jnp.array([0.2, 0.5, 1.0])

  def found(negative):
    loss = lambda p, n, s: objectives.log_sigmoid_losses(p, n, jnp.asarray(valid), fractions, s, options)[0]
    given = objectives.Strengths(*map(jnp.float32, (0.5, 0.8, 1.2)))
    return jax.value_and_grad(loss, argnums=(0, 1, 2))(positive, negative, given)

  left_out = [np.where(valid[..., None], negative, value).astype(np.float32) for value in (0.0, 500.0)]
  few, many = map(found, left_out)
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(few))
  jax.tree.map(np.testing.assert_array_equal, few, many)
  assert not np.asarray(few[1][1])[~valid].any()
  if empty == 'the batch':
    assert few[1][2].w2 == 0


def test_the_strength_of_negatives_has_the_gradient_of_the_equation():
  scores, previous = draw(0), draw(1)
  given = lambda w2: objectives.evolutionary(scores, previous, ALL, 0.8, w2, OPTIONS)
  numerically = lambda w2: numpy_evolutionary(scores, previous, 0.8, w2, 1.0, 'positive', 'sigmoid')
  np.testing.assert_allclose(
    jax.grad(given)(jnp.float32(0.6)), (numerically(0.601) - numerically(0.599)) / 0.002, rtol=1e-3
  )
