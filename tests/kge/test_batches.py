import hypothesis
from hypothesis import strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medjax.config.fields import TrainConfig
from medjax.core import shuffle
from medjax.kge import batches as batches_lib

ENTITIES, RELATIONS = 9, 3
compiled_sample = jax.jit(batches_lib.sample, static_argnums=(3, 4, 5, 7))


def graph(seed=0, size=40):
  random = np.random.default_rng(seed)
  drawn = np.stack([random.integers(0, n, size) for n in (ENTITIES, RELATIONS, ENTITIES)], 1)
  return np.unique(drawn, axis=0).astype(np.int32)


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(size=st.integers(1, 3000), seed=st.integers(0, 1000))
def test_shuffled_is_a_permutation(size, seed):
  order = jax.jit(shuffle.shuffled, static_argnums=2)(jax.random.key(seed), jnp.arange(size), size)
  np.testing.assert_array_equal(np.sort(order), np.arange(size))


def test_shuffled_order_depends_on_the_key_and_looks_random():
  first, second = (np.asarray(shuffle.shuffled(jax.random.key(k), jnp.arange(5000), 5000)) for k in (0, 1))
  assert (first == second).mean() < 0.01
  assert abs(np.corrcoef(first, np.arange(5000))[0, 1]) < 0.05
  assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.05


def test_an_epoch_meets_every_triple_once():
  triples = graph(size=64)[:32]
  met = []
  for step in range(4):
    batch = batches_lib.sample(jax.random.key(0), jnp.int32(step), jnp.asarray(triples), ENTITIES, 8, 2)
    for i in range(8):
      pair = (batch.anchor[i], batch.answer[i]) if i < 4 else (batch.answer[i], batch.anchor[i])
      met.append((int(pair[0]), int(batch.relation[i]), int(pair[1])))
  assert sorted(met) == sorted(map(tuple, triples.tolist()))


def test_batches_are_a_function_of_key_and_step():
  draw = lambda key, step: batches_lib.sample(
    jax.random.key(key), jnp.int32(step), jnp.asarray(graph()), ENTITIES, 8, 4
  )
  same = jax.tree.map(lambda a, b: bool((a == b).all()), draw(0, 3), draw(0, 3))
  assert all(jax.tree.leaves(same))
  assert not (draw(0, 3).negatives == draw(0, 4).negatives).all()
  assert not (draw(0, 3).negatives == draw(1, 3).negatives).all()


def test_negatives_cover_the_entities_evenly():
  batch = batches_lib.sample(jax.random.key(0), jnp.int32(0), jnp.asarray(graph()), ENTITIES, 8, 4000)
  counts = np.bincount(np.asarray(batch.negatives).ravel(), minlength=ENTITIES)
  assert len(counts) == ENTITIES and (abs(counts / counts.mean() - 1) < 0.1).all()


@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(seed=st.integers(0, 1000), share=st.sampled_from([1, 4, 16]))
def test_filter_leaves_out_exactly_the_known_answers(seed, share):
  triples = graph(seed, 60)[:30]  # as many for every seed, so that a program serves all of them
  known = jax.tree.map(jnp.asarray, batches_lib.known(triples))
  batch = compiled_sample(jax.random.key(seed), jnp.int32(seed), jnp.asarray(triples), ENTITIES, 16, 20, known, share)
  true = set(map(tuple, triples.tolist()))
  for i in range(16):
    for k in range(20):
      anchor, other = int(batch.anchor[i]), int(batch.negatives[i // share, k])
      triple = (anchor, int(batch.relation[i]), other) if i < 8 else (other, int(batch.relation[i]), anchor)
      assert bool(batch.valid[i, k]) == (triple not in true)


def test_unfiltered_negatives_are_all_valid():
  batch = batches_lib.sample(jax.random.key(0), jnp.int32(0), jnp.asarray(graph()), ENTITIES, 8, 4)
  assert bool(batch.valid.all())


def test_negatives_are_drawn_as_often_as_they_answer():
  triples = graph()
  answers = np.bincount(triples[:, [0, 2]].ravel(), minlength=ENTITIES)
  among = batches_lib.frequency(triples, ENTITIES, 0.5)
  batch = batches_lib.sample(
    jax.random.key(0), jnp.int32(0), jnp.asarray(triples), ENTITIES, 8, 4000, share=4, among=among
  )
  counts = np.bincount(np.asarray(batch.negatives).ravel(), minlength=ENTITIES)
  expected = np.sqrt(1 + answers) / np.sqrt(1 + answers).sum()
  np.testing.assert_allclose(counts / counts.sum(), expected, rtol=0.1)
  np.testing.assert_allclose(np.exp(among.log_share), expected, rtol=1e-5)
  for i in range(8):
    np.testing.assert_array_equal(batch.valid[i], batch.negatives[i // 4] != batch.answer[i])


@pytest.mark.parametrize('power', [0.0, 0.5, 1.0])
def test_weighed_negatives_stand_for_all_entities(power):
  triples, scores = graph(), np.random.default_rng(0).normal(size=ENTITIES)
  among = batches_lib.frequency(triples, ENTITIES, power) if power else None
  batch = batches_lib.sample(
    jax.random.key(0), jnp.int32(0), jnp.asarray(triples), ENTITIES, 8, 20_000, share=8, among=among, weigh=True
  )
  drawn = np.exp(scores[batch.negatives] + np.asarray(batch.offset))[0]
  for i in range(8):
    others = np.exp(np.delete(scores, int(batch.answer[i]))).sum()
    np.testing.assert_allclose((drawn * np.asarray(batch.valid[i])).sum(), others, rtol=0.05)


def test_all_entities_have_no_offset():
  batch = batches_lib.sample(jax.random.key(0), jnp.int32(0), jnp.asarray(graph()), ENTITIES, 8, 0, weigh=True)
  assert batch.offset is None and int(batch.valid.sum()) == 8 * (ENTITIES - 1)


@pytest.mark.parametrize(
  'fields, expected',
  [
    ({'weigh_negatives': True, 'negatives': ENTITIES}, 0),
    ({'weigh_negatives': True, 'negatives': ENTITIES - 1}, ENTITIES - 1),
    ({'weigh_negatives': True, 'negatives': ENTITIES, 'sparse_updates': True}, ENTITIES),
    ({'weigh_negatives': True, 'negatives': ENTITIES, 'sparse_updates': True, 'optimizer': 'adagrad'}, 0),
    ({'negatives': ENTITIES}, ENTITIES),
  ],
)
def test_negatives_that_stand_for_all_entities_are_all_where_as_many_are_asked_for(fields, expected):
  found = batches_lib.settled(TrainConfig(**fields), ENTITIES)
  assert found.negatives == expected
  assert found.sparse_updates == (fields.get('sparse_updates', False) and expected > 0)
