"""What a user asks of a model."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import medjax
from medjax import errors, scores
from medjax.core import widths as widths_lib
from medjax.data.graph import Graph
from medjax.experiments import runs


@pytest.fixture(scope='module')
def rotate(trained):
  return medjax.load(trained)


def test_a_single_triple_has_a_number_and_lists_an_array(rotate):
  single = rotate.score('e00', 'next', 'e01')
  several = rotate.score(['e00', 'e05'], ['next', 'third'], ['e01', 'e08'])
  assert isinstance(single, float) and several.shape == (2,)
  assert several[0] == pytest.approx(single, abs=1e-5)
  assert rotate.score('e00', 'next', ['e01', 'e02', 'e03']).shape == (3,)
  assert rotate.score([], [], []).shape == (0,)


def test_lists_of_different_lengths_are_refused(rotate):
  with pytest.raises(ValueError, match='are 2, 1, 3 in number'):
    rotate.score(['e00', 'e01'], 'next', ['e01', 'e02', 'e03'])


def test_with_reciprocal_relations_the_score_is_that_of_the_query_for_the_tail(tiny_config, tmp_path):
  runs.train(tiny_config({'model.score': 'complex_reciprocal', 'eval.every': 0}), tmp_path / 'run')
  model = medjax.load(tmp_path / 'run', 8)
  assert model.params['relation']['inverse_re'].shape == (3, 4)
  tails = model.predict_tails('e07', 'third', k=30, itself=True)
  heads = model.predict_heads('third', 'e07', k=30, itself=True)
  np.testing.assert_allclose(tails['score'], model.score('e07', 'third', list(tails['label'])), atol=2e-5)
  tail, relation = model.entities.find('e07'), model.relations.find('third')
  asked = np.array([[model.entities.find(label), relation, tail] for label in heads['label']], np.int32)
  raw = scores.score_triples(
    model.description.make_score(),
    jax.tree.map(jnp.asarray, model.params),
    jnp.asarray(asked),
    widths_lib.Widths((8,), 2),
    'head',
  )[:, 0]
  np.testing.assert_allclose(heads['score'], model.description.scale[-1] * raw, atol=2e-5)
  assert not np.allclose(heads['score'], model.score(list(heads['label']), 'third', 'e07'), atol=2e-5)


@pytest.mark.parametrize('run', ['trained', 'trained_complex'])
@pytest.mark.parametrize('width', [4, 12])
def test_predictions_are_ordered_and_agree_with_score(run, width, request):
  model = medjax.load(request.getfixturevalue(run), width)
  tails = model.predict_tails('e07', 'third', k=30, itself=True)
  heads = model.predict_heads('third', 'e07', k=30, itself=True)
  for frame in (tails, heads):
    assert list(frame.columns) == ['label', 'score', 'rank', 'known']
    assert list(frame['rank']) == list(range(1, 31)) and sorted(frame['label']) == list(model.entities.labels)
    assert frame['score'].is_monotonic_decreasing
  np.testing.assert_allclose(tails['score'], model.score('e07', 'third', list(tails['label'])), atol=2e-5)
  np.testing.assert_allclose(heads['score'], model.score(list(heads['label']), 'third', 'e07'), atol=2e-5)


@pytest.mark.parametrize('side', ['tail', 'head'])
def test_known_answers_are_told_by_split_and_can_be_left_out(rotate, side):
  where = {
    tuple(rotate.graph.entities[i] if j != 1 else rotate.graph.relations[i] for j, i in enumerate(triple)): split
    for split in ('test', 'valid', 'train')
    for triple in getattr(rotate.graph, split)
  }
  assert set(where.values()) == {'test', 'valid', 'train'}
  for (head, relation, tail), split in where.items():
    ask = functools.partial(
      *((rotate.predict_tails, head, relation) if side == 'tail' else (rotate.predict_heads, relation, tail)), k=30
    )
    frame = ask()
    answer, other = (tail, head) if side == 'tail' else (head, tail)
    told = dict(zip(frame['label'], frame['known']))
    assert told[answer] == split and set(told) == set(rotate.entities.labels) - {other}
    triple_of = lambda label: (head, relation, label) if side == 'tail' else (label, relation, tail)
    assert told == {label: where.get(triple_of(label), '') for label in told}
    for left_out in (True, ('train',), ('valid', 'test')):
      rest = ask(filter_known=left_out)
      names = ('train', 'valid', 'test') if left_out is True else left_out
      expected = frame[~frame['known'].isin(names)].reset_index(drop=True)
      pd.testing.assert_frame_equal(rest.drop(columns='rank'), expected.drop(columns='rank'))
      assert rest['rank'].tolist() == list(range(1, len(rest) + 1))


def test_an_entity_answers_about_itself_only_where_its_relation_does(rotate):
  relation = rotate.relations.find('next')
  loop = np.array([[5, relation, 5]], np.int32)
  looped = dataclasses.replace(rotate, graph=dataclasses.replace(rotate.graph, test=loop))
  answers = lambda model, **more: set(model.predict_tails('e00', 'next', k=30, **more)['label'])
  assert 'e00' not in answers(rotate) and 'e00' in answers(rotate, itself=True)
  assert 'e00' in answers(looped) and 'e00' not in answers(looped, itself=False)
  assert 'e00' not in set(looped.predict_tails('e00', 'third', k=30)['label'])


def test_several_questions_are_answered_like_each_alone(rotate):
  heads = ['e00', 'e07', 'e21']
  many = rotate.predict_tails(heads, 'third', k=4)
  assert list(many.columns) == ['head', 'relation', 'label', 'score', 'rank', 'known']
  for head in heads:
    alone = rotate.predict_tails(head, 'third', k=4)
    pd.testing.assert_frame_equal(many[many['head'] == head][alone.columns].reset_index(drop=True), alone, rtol=1e-5)
  assert rotate.predict_heads(['next'], ['e03', 'e04'], k=2)['tail'].tolist() == ['e03', 'e03', 'e04', 'e04']
  assert rotate.predict_tails([], 'third').empty


def test_relations_are_ranked_by_their_scores(rotate):
  frame = rotate.predict_relations('e00', 'e03')
  assert sorted(frame['label']) == sorted(rotate.relations.labels)
  np.testing.assert_allclose(frame['score'], rotate.score('e00', list(frame['label']), 'e03'), atol=2e-5)
  assert frame['score'].is_monotonic_decreasing
  held = {rotate.relations.labels[r]: split for split in ('train', 'valid', 'test')
          for h, r, t in getattr(rotate.graph, split) if (h, t) == (0, 3)}  # fmt: skip
  assert held and {label: split for label, split in zip(frame['label'], frame['known']) if split} == held


def test_a_frame_of_queries_asks_for_what_it_lacks(rotate):
  asked = pd.DataFrame({'head': ['e00', None, 'e00'], 'relation': ['next', 'third', '?'], 'tail': ['', 'e05', 'e03']})
  frame = rotate.predict(asked, k=2)
  assert frame['query'].tolist() == [0, 0, 1, 1, 2, 2] and frame['asked'].tolist()[::2] == ['tail', 'head', 'relation']
  assert frame['tail'][:2].tolist() == rotate.predict_tails('e00', 'next', k=2)['label'].tolist()
  assert frame['head'][2:4].tolist() == rotate.predict_heads('third', 'e05', k=2)['label'].tolist()
  assert frame['relation'][4:].tolist() == rotate.predict_relations('e00', 'e03', k=2)['label'].tolist()
  with pytest.raises(errors.UsageError, match='query 2 asks for 2 of head'):
    rotate.predict(pd.DataFrame({'head': ['e00', None], 'relation': ['next', 'third']}))


@pytest.mark.parametrize('k', [0, -1, 1.5, True, '3'])
def test_a_number_of_answers_is_a_number(rotate, k):
  with pytest.raises(ValueError, match='number of answers'):
    rotate.predict_tails('e00', 'next', k=k)


def test_a_model_without_triples_tells_of_no_known_answers(rotate):
  none = np.zeros((0, 3), np.int32)
  bare = dataclasses.replace(rotate, graph=dataclasses.replace(rotate.graph, train=none, valid=none, test=none))
  frame = bare.predict_tails('e00', 'next', k=3)
  assert list(frame.columns) == ['label', 'score', 'rank']
  assert list(bare.predict_relations('e00', 'e01').columns) == ['label', 'score', 'rank']
  with pytest.raises(errors.UsageError, match='carries no triples'):
    bare.predict_tails('e00', 'next', filter_known=True)


def test_vectors_have_names(trained_complex):
  model = medjax.load(trained_complex)
  frame = model.entity_vectors(frame=True)
  assert frame.shape == (30, 12) and frame.index.tolist() == list(model.entities.labels)
  np.testing.assert_array_equal(model.entity_vectors('e03'), frame.loc['e03'])
  np.testing.assert_array_equal(model.entity_vectors(['e03', 'e05']), frame.loc[['e03', 'e05']])
  np.testing.assert_array_equal(model.crop(4).entity_vectors(), frame.to_numpy()[:, :4])
  assert model.relation_vectors(['next'], frame=True).index.tolist() == ['next']
  for query, given in (
    (model.query_vector('e03', 'next'), model.predict_tails('e03', 'next', k=30, itself=True)),
    (model.query_vector(relation='next', tail='e03'), model.predict_heads('next', 'e03', k=30, itself=True)),
  ):
    assert model.metric == 'ip' and query.shape == (12,)
    assert (frame @ query).sort_values(ascending=False).index.tolist() == given['label'].tolist()
  assert model.query_vector(['e03', 'e04'], 'next').shape == (2, 12)
  with pytest.raises(ValueError, match='a head or a tail'):
    model.query_vector('e03', 'next', 'e04')


def test_neighbours_are_nearest_by_angle(rotate):
  frame, table = rotate.neighbours('e03', k=29), rotate.entity_vectors(frame=True)
  table = table.div(np.sqrt((table**2).sum(axis=1)), axis=0)
  expected = (table @ table.loc['e03']).drop('e03').sort_values(ascending=False)
  assert frame['label'].tolist() == expected.index.tolist()
  np.testing.assert_allclose(frame['cosine'], expected, atol=1e-5)


def test_a_model_is_shown_in_three_lines(rotate):
  lines = repr(rotate).splitlines()
  assert len(lines) == 3 and 'rotate of width 12' in lines[0] and '4, 8, 12' in lines[1] and '30 entities' in lines[2]


def test_the_rank_of_predictions_is_that_of_the_evaluation(rotate):
  """Of a graph's one test triple, the raw score places the answer where the filtered rank says."""
  head, relation, tail = rotate.graph.test[0]
  others = {t for h, r, t in rotate.graph.triples if (h, r) == (head, relation)} - {tail}
  values = rotate.score_all('tail', head, relation)
  rivals = np.array([i for i in range(30) if i not in others and i != tail])
  one = dataclasses.replace(
    rotate,
    graph=Graph(
      'one',
      *(getattr(rotate.graph, name) for name in ('entities', 'relations', 'train', 'valid')),
      rotate.graph.test[:1],
      rotate.graph.entity_labels,
      rotate.graph.relation_labels,
    ),
  )
  ranks, _ = model_rank(one, rotate.graph.triples)
  assert ranks[0, 0, -1] == 1 + (values[rivals] > values[tail]).sum()


def model_rank(model, known):
  from medjax.evaluation import evaluator

  return evaluator.rank_both_sides(model.description.make_score(), model.params, model.widths, model.graph.test, known)
