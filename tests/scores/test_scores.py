"""Every score against a numpy reference written from its paper, and the one-pass identity."""

import hypothesis
from hypothesis import strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax import scores
from medjax.core import axes as axes_lib
from medjax.core import rows as rows_lib
from medjax.core import width_scale
from medjax.core import widths as widths_lib

NAMES = sorted(scores.REGISTRY)
ENTITIES, RELATIONS = 12, 4


def build(name, widths, seed=0, spread=0.3):
  score = scores.make(name, {'init_range': spread, 'init_scale': spread, 'phase_scale': 16.0})
  widths = widths_lib.Widths(widths, score.components)
  return score, widths, score.init(jax.random.key(seed), ENTITIES, RELATIONS, widths.full)


def triples(seed=0, size=20):
  random = np.random.default_rng(seed)
  return np.stack([random.integers(0, n, size) for n in (ENTITIES, RELATIONS, ENTITIES)], 1).astype(np.int32)


def reference(name, model, h, r, t):
  """The raw score of one triple in float64, from the paper's formula."""
  entity = {k: np.asarray(v, np.float64) for k, v in model['entity'].items()}
  relation = {k: np.asarray(v, np.float64)[r] for k, v in model['relation'].items()}
  name = name.removesuffix('_reciprocal')
  head, tail = ({k: v[i] for k, v in entity.items()} for i in (h, t))
  as_complex = lambda part: part['re'] + 1j * part['im']
  if name == 'transe':
    return -np.abs(head['vector'] + relation['vector'] - tail['vector']).sum()
  if name == 'transe_l2':
    return -np.linalg.norm(head['vector'] + relation['vector'] - tail['vector'])
  if name == 'rotate':
    rotation = np.exp(1j * relation['phase'] * 16)
    return -np.abs(as_complex(head) * rotation - as_complex(tail)).sum()
  if name == 'pairre':
    unit = lambda x: x / np.linalg.norm(x)
    return -np.abs(unit(head['vector']) * relation['head'] - unit(tail['vector']) * relation['tail']).sum()
  if name == 'distmult':
    return (head['vector'] * relation['vector'] * tail['vector']).sum()
  if name == 'complex':
    return (as_complex(head) * as_complex(relation) * as_complex(tail).conj()).sum().real
  forward = (head['head'] * relation['forward'] * tail['tail']).sum()
  return (forward + (tail['head'] * relation['inverse'] * head['tail']).sum()) / 2


@pytest.mark.parametrize('name', NAMES)
def test_score_is_the_papers_formula(name):
  score, widths, model = build(name, (8,))
  ours = scores.score_triples(score, model, jnp.asarray(triples()), widths)[:, 0]
  np.testing.assert_allclose(ours, [reference(name, model, *t) for t in triples()], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize('name', NAMES)
@hypothesis.settings(max_examples=8, deadline=None)
@hypothesis.given(steps=st.lists(st.integers(1, 6), min_size=1, max_size=5), seed=st.integers(0, 2**16))
def test_one_pass_equals_the_cropped_models(name, steps, seed):
  score, widths, model = build(name, tuple(2 * int(w) for w in np.cumsum(steps)), seed)
  batch = jnp.asarray(triples(seed))

  @jax.jit
  def both(model):
    alone = [
      scores.score_triples(
        score, axes_lib.crop(model, score.axes, width), batch, widths_lib.Widths((width,), score.components)
      )[:, 0]
      for width in widths.values
    ]
    return scores.score_triples(score, model, batch, widths), jnp.stack(alone, -1)

  np.testing.assert_allclose(*both(model), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('values', [(4, 8, 20, 24), tuple(range(4, 45, 4)), (6, 10, 16, 34, 36, 40, 60)])
def test_gradients_equal_those_of_the_slow_loop(name, values):
  score, widths, model = build(name, values)
  batch, weight = jnp.asarray(triples()), jax.random.normal(jax.random.key(1), (20, len(values)))

  def one_pass(model):
    return jnp.sum(weight * scores.score_triples(score, model, batch, widths))

  def slow_loop(model):
    total = 0.0
    for i, width in enumerate(widths.values):
      alone = widths_lib.Widths((width,), score.components)
      raw = scores.score_triples(score, axes_lib.crop(model, score.axes, width), batch, alone)
      total += jnp.sum(weight[:, i] * raw[:, 0])
    return total

  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
    jax.jit(jax.grad(one_pass))(model),
    jax.jit(jax.grad(slow_loop))(model),
  )


@pytest.mark.parametrize('name', NAMES)
def test_head_and_tail_queries_agree(name):
  score, widths, model = build(name, (4, 8))
  if name.endswith('_reciprocal'):  # where the embedding of the inverse is what the plain score makes of the relation's
    conjugate = lambda leaf, value: -value if leaf == 'im' else value
    model['relation'] |= {
      f'inverse_{leaf}': conjugate(leaf, value)
      for leaf, value in model['relation'].items()
      if not leaf.startswith('inverse_')
    }
  head, relation, tail = jnp.asarray(triples()).T
  rows = lambda table, ids: rows_lib.gather(model[table], ids)
  heads, relations, tails = rows('entity', head), rows('relation', relation), rows('entity', tail)
  from_head = score.scores_by_width(score.tail_query(heads, relations), tails, widths)
  from_tail = score.scores_by_width(score.head_query(tails, relations), heads, widths)
  np.testing.assert_allclose(from_head, from_tail, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('name', ['distmult', 'complex'])
def test_reciprocal_relations_are_those_of_twice_as_many(name):
  score, widths, model = build(f'{name}_reciprocal', (4, 8))
  plain = scores.make(name, {'init_scale': 0.3})
  split = lambda inverse: {
    leaf.removeprefix('inverse_'): value
    for leaf, value in model['relation'].items()
    if leaf.startswith('inverse_') == inverse
  }
  rows = lambda table, ids: rows_lib.gather(table, ids)
  entities, relations = rows(model['entity'], jnp.arange(4)), rows(model['relation'], jnp.arange(4))
  for inverse, query in ((False, score.tail_query), (True, score.head_query)):
    expected = plain.tail_query(entities, rows(split(inverse), jnp.arange(4)))
    jax.tree.map(np.testing.assert_array_equal, query(entities, relations), expected)
  assert all(leaf.shape == (RELATIONS, widths.full // score.components) for leaf in model['relation'].values())
  cubes = lambda rows: sum((leaf**3).sum() for leaf in jax.tree.leaves(rows))
  both = cubes(plain.component_magnitudes(split(False))) + cubes(plain.component_magnitudes(split(True)))
  np.testing.assert_allclose(cubes(score.component_magnitudes(model['relation'])), both / 2, rtol=1e-5)
  jax.tree.map(
    np.testing.assert_array_equal,
    score.component_magnitudes(model['entity']),
    plain.component_magnitudes(model['entity']),
  )


@pytest.mark.parametrize('name', NAMES)
def test_a_scan_meets_the_scores_of_every_block(name):
  score, widths, model = build(name, (4, 8, 12))
  heads, relations = (
    rows_lib.gather(model['entity'], jnp.arange(5)),
    rows_lib.gather(model['relation'], jnp.arange(5) % 4),
  )
  query, start = score.tail_query(heads, relations), jnp.zeros((ENTITIES, 5))
  walked = score.scan_blocks(
    jax.tree.map(jnp.transpose, query),
    model['entity'],
    widths,
    start,
    lambda x, each: x + 0 * each,
    jnp.zeros(widths.num_blocks),
  )
  direct = score.scores_by_width(
    rows_lib.add_candidate_axis(query), jax.tree.map(lambda x: x[None], model['entity']), widths
  )
  np.testing.assert_allclose(walked, jnp.transpose(direct, (2, 1, 0)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('name', NAMES)
def test_gradient_is_finite_where_a_distance_is_zero(name):
  score, widths, model = build(name, (4, 8))
  model = jax.tree.map(jnp.zeros_like, model)
  grad = jax.grad(lambda m: scores.score_triples(score, m, jnp.asarray(triples()), widths).sum())(model)
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(grad))


def test_affine_maps_keep_order_and_leave_the_full_width_alone():
  for scale_kind in ('linear', 'sqrt', 'none'):
    offset, scale = width_scale.affine(True, (10, 40, 160), 6.0, scale_kind)
    assert (np.asarray(scale) > 0).all() and scale[-1] == 1 and offset[-1] == 6
  np.testing.assert_allclose(width_scale.affine(True, (10, 40, 160), 6.0, 'linear')[1], [16, 4, 1])
  np.testing.assert_allclose(width_scale.affine(True, (10, 40, 160), 6.0, 'sqrt')[1], [4, 2, 1])
  np.testing.assert_allclose(width_scale.affine(True, (10, 40, 160), 6.0, 'none', 'linear')[0], [0.375, 1.5, 6])
  assert not np.asarray(width_scale.affine(False, (10, 40, 160), 6.0)[0]).any()


def test_gamma_half_multiplies_margin_and_distance_alike():
  offset, scale = width_scale.affine(True, (10, 20, 60), 6.0, 'linear', 'shared', 20.0)
  np.testing.assert_allclose(offset, [1.2, 3, 5.4])
  np.testing.assert_allclose(scale, [1.2, 1.5, 0.9])
  np.testing.assert_allclose(width_scale.affine(True, (10, 20, 60), 6.0, 'linear', 'shared', 20.0, 1.0)[0], [2, 3, 4.5])
  bilinear = [width_scale.affine(False, (10, 40), 6.0, 'sqrt', 'shared', half) for half in (0.0, 20.0)]
  for ours, without in zip(*bilinear):
    np.testing.assert_array_equal(ours, without)
  np.testing.assert_array_equal(width_scale.affine(True, (10, 20, 60), 6.0, 'linear', 'shared', 0.0, 0.01)[0], 6)


def test_unknown_score_names_the_nearest():
  with pytest.raises(ValueError, match="'rotat'; did you mean 'rotate'"):
    scores.make('rotat', {})


def test_phases_turn_by_as_much_at_every_width_under_rates_that_fall_with_it():
  turned = []
  for width, rate in ((40, 2e-2), (640, 1.25e-3)):
    score = scores.make('rotate', scores.default_constants(6.0, width))
    entity = {'re': jnp.ones((1, width // 2)), 'im': jnp.zeros((1, width // 2))}
    query = score.tail_query(entity, {'phase': jnp.full((1, width // 2), rate)})  # a step of Adam away from no rotation
    turned.append(float(jnp.arctan2(query['im'], query['re'])[0, 0]))
  np.testing.assert_allclose(turned, 0.08, rtol=1e-5)
  assert scores.default_constants(6.0, 640, phase_scale=16.0)['phase_scale'] == 16.0


def test_many_widths_of_pairre_meet_candidates_that_queries_share():
  score, widths, model = build('pairre', tuple(range(2, 41, 2)))
  rows = lambda table, ids: rows_lib.gather(model[table], ids)
  query = score.tail_query(
    rows('entity', jnp.arange(6).reshape(2, 3)), rows('relation', jnp.arange(6).reshape(2, 3) % 4)
  )
  candidates = rows('entity', jnp.arange(10).reshape(2, 5))
  shared = score.scores_by_width(
    rows_lib.add_candidate_axis(query), jax.tree.map(lambda x: x[:, None], candidates), widths
  )
  assert shared.shape == (2, 3, 5, 20)
  for i, j, k in ((0, 0, 0), (1, 2, 4), (0, 1, 3)):
    one = lambda tree, *at: jax.tree.map(lambda x: x[at], tree)
    alone = score.scores_by_width(one(query, i, j), one(candidates, i, k), widths)
    np.testing.assert_allclose(shared[i, j, k], alone, rtol=1e-5)
