"""Cropped models: what they compute, and what a user asks of them."""

import dataclasses
import functools
import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import medjax
from medjax import errors, scores
from medjax.core import axes as axes_lib
from medjax.core import widths as widths_lib
from medjax.data.graph import Graph
from medjax.experiments import commands, evaluating, runs
from medjax.saved import checkpoint, graph_files
from medjax.serve import vocabulary
from medjax.training import state as state_lib


@pytest.fixture(scope='module')
def rotate(trained):
  return medjax.load(trained)


@pytest.mark.parametrize('run', ['trained', 'trained_complex'])
@pytest.mark.parametrize('width', [4, 8, 12])
def test_a_crop_evaluates_exactly_as_in_the_run(run, width, request, tmp_path):
  workdir = request.getfixturevalue(run)
  commands.crop(workdir, width, tmp_path / 'crop', with_triples=True)
  evaluating.evaluate(tmp_path / 'crop')
  header, *rows = (workdir / 'results.csv').read_text().splitlines()
  expected = [header, *(row for row in rows if int(row.split(',')[0]) <= width)]
  assert (tmp_path / 'crop' / 'results.csv').read_text().splitlines() == expected


def test_a_crop_keeps_how_its_run_was_evaluated(tiny_config, tmp_path):
  runs.train(
    tiny_config(
      {'model.score': 'pairre', 'train.steps': 5, 'eval.every': 0, 'eval.unseen': 'skip', 'eval.extra_widths': '6,10'}
    ),
    tmp_path / 'run',
  )
  commands.crop(tmp_path / 'run', 8, tmp_path / 'crop', with_triples=True)
  of_crop = evaluating.evaluate(tmp_path / 'crop')
  of_run = pd.read_csv(tmp_path / 'run' / 'results.csv')
  assert of_run['width'].tolist() == [4, 6, 8, 10, 12] and of_crop['width'].tolist() == [4, 6, 8]
  pd.testing.assert_frame_equal(of_crop, of_run[:3], check_exact=False, rtol=1e-12)
  detail = pd.read_csv(tmp_path / 'crop' / 'results-detail.csv')
  assert detail.groupby('width')['trained'].all().to_dict() == {4: True, 6: False, 8: True}


def test_evaluating_one_width_leaves_the_results_of_all(trained, tmp_path):
  before = (trained / 'results.csv').read_bytes()
  assert evaluating.evaluate(trained, width=4)['width'].tolist() == [4]
  assert (trained / 'results.csv').read_bytes() == before and (trained / 'results-width-4.csv').exists()


def test_licence_travels_with_a_crop(tiny_config, tmp_path):
  runs.train(tiny_config({'data.path': '', 'data.name': 'world', 'train.steps': 1, 'eval.every': 0}), tmp_path / 'run')
  commands.crop(tmp_path / 'run', 4, tmp_path / 'crop', with_triples=True)
  assert 'CC BY 4.0' in (tmp_path / 'crop' / 'notes.txt').read_text()


def test_labels_that_differ_in_case_only_are_asked_back():
  words = vocabulary.Vocabulary('entity', ('1', '2', '3'), ('Turkey', 'turkey', 'None'))
  assert (words.find('Turkey'), words.find('turkey'), words.find('none')) == (0, 1, 2)
  for name in ('TURKEY', None, True):
    with pytest.raises(errors.UnknownLabel):
      words.find(name)


def test_a_crop_of_a_crop_is_the_direct_crop(trained, tmp_path):
  commands.crop(trained, 8, tmp_path / 'eight', with_triples=True)
  commands.crop(tmp_path / 'eight', 4, tmp_path / 'twice', with_triples=True)
  commands.crop(trained, 4, tmp_path / 'once', with_triples=True)
  names = {path.name for path in (tmp_path / 'once').iterdir()}
  tables = {'model.json', 'model.safetensors', 'entities.tsv', 'relations.tsv', 'triples.npz', 'notes.txt'}
  assert names == {*tables, 'manifest.json'}
  for name in names - {'triples.npz'}:
    assert (tmp_path / 'once' / name).read_bytes() == (tmp_path / 'twice' / name).read_bytes(), name


def test_loading_a_width_is_loading_its_crop(trained, tmp_path):
  commands.crop(trained, 8, tmp_path / 'crop', with_triples=True)
  of_run, of_crop = medjax.load(trained, 8), medjax.load(tmp_path / 'crop')
  assert of_run.description == of_crop.description
  for table in ('entity', 'relation'):
    assert of_run.params[table].keys() == of_crop.params[table].keys()
    assert all(np.array_equal(of_run.params[table][name], of_crop.params[table][name]) for name in of_run.params[table])


def test_a_crop_in_memory_is_the_crop_on_disk(rotate, trained):
  np.testing.assert_array_equal(rotate.crop(4).params['entity']['im'], medjax.load(trained, 4).params['entity']['im'])


@pytest.mark.parametrize('name', ['width', 'truncate_dim', 'dimensions'])
def test_the_width_has_the_names_that_people_know(trained, name):
  model = medjax.load(trained, **{name: 8})
  assert model.width == 8 and model.params['entity']['re'].shape == (30, 4)


def test_two_different_widths_are_refused(trained):
  assert medjax.load(trained, 8, dimensions=8).width == 8
  with pytest.raises(errors.WidthError, match=r'\[4, 8\]'):
    medjax.load(trained, 8, truncate_dim=4)


@pytest.mark.parametrize('width', [5, 0, -4, 16])
def test_an_untrained_width_is_refused_with_the_nearest(trained, tmp_path, width):
  commands.crop(trained, 12, tmp_path / 'crop', with_triples=True)
  for folder in (trained, tmp_path / 'crop'):
    with pytest.raises(errors.WidthError, match=f'width {width} was not trained; the nearest .* 4, 8, 12'):
      medjax.load(folder, width)


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


def test_a_crop_lies_in_one_piece(rotate):
  for leaves in rotate.crop(4).params.values():
    assert all(leaf.flags['C_CONTIGUOUS'] and leaf.base is None for leaf in leaves.values())


QUESTION = """
import sys
import medjax
model = medjax.load(sys.argv[1])
model.score('e00', 'next', 'e01'), model.predict_tails('e00', 'next'), model.neighbours('e00'), model.entity_vectors()
loaded = {'jax', 'flax', 'orbax', 'optax', 'matplotlib', 'scipy'} & set(sys.modules)
sys.exit(f'loaded {loaded}' if loaded else 0)
"""


def test_a_crop_is_asked_without_jax(trained, tmp_path, repository):
  commands.crop(trained, 4, tmp_path / 'crop', with_triples=True)
  done = subprocess.run(
    [sys.executable, '-c', QUESTION, tmp_path / 'crop'], cwd=repository, capture_output=True, text=True, check=False
  )
  assert done.returncode == 0, done.stderr


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


def of_labels(labels, identifiers=('Q1', 'Q2', 'Q3')):
  return vocabulary.Vocabulary('entity', identifiers, labels)


def test_labels_are_found_in_any_case():
  names = of_labels(('Paris', 'paris', 'Straße'))
  assert (names.find('Paris'), names.find('paris')) == (0, 1)
  assert names.find('STRASSE') == names.find('Q3') == names.find('q3') == 2


def test_whole_numbers_are_identifiers():
  names = of_labels(('ten', 'two', 'three'), ('10', '2', '3'))
  assert names.find(2) == names.find('2') == names.find(np.int32(2)) == 1 and names.find(10) == 0
  with pytest.raises(errors.UnknownLabel, match='no entity'):
    names.find(0)


def test_equal_labels_are_told_apart():
  names = of_labels(('Mercury', 'Mercury', 'Venus'))
  assert names.find('Mercury (Q2)') == names.find('mercury (q2)') == 1 and names.labels[2] == 'Venus'
  for name in ('Mercury', 'MERCURY'):
    with pytest.raises(
      errors.UnknownLabel, match=r"2 entities called '.*': 'Mercury \(Q1\)', 'Mercury \(Q2\)'; name one"
    ):
      names.find(name)


def test_long_identifiers_do_not_hide_equal_labels():
  names = of_labels(('Twin', 'Twin', 'Other'), ('http://example.org/of/a/place/1', 'http://example.org/2', 'x'))
  with pytest.raises(errors.UnknownLabel, match=r'2 entities called .*Twin \(http://example.org/of/a/place/1\)'):
    names.find('Twin')


def test_labels_that_differ_in_case_are_told():
  with pytest.raises(errors.UnknownLabel, match="2 entities called 'PARIS': 'Paris', 'paris'"):
    of_labels(('Paris', 'paris', 'Bonn')).find('PARIS')
  with pytest.raises(errors.UnknownLabel, match="near it: 'Paris', 'paris'"):
    of_labels(('Paris', 'paris', 'Bonn')).find('pariss')


@pytest.mark.parametrize('name', ['Pariss', 3, -1, None, 1.0])
def test_unknown_names_are_refused(name):
  with pytest.raises(errors.UnknownLabel, match='the model has no entity'):
    of_labels(('Paris', 'Rome', 'Bonn')).find(name)


def test_an_unknown_name_brings_the_nearest():
  with pytest.raises(errors.UnknownLabel, match="no entity 'pariss'; near it: 'Paris'"):
    of_labels(('Paris', 'Rome', 'Bonn')).find('pariss')


READ = """
import sys
from medjax.core import axes
from medjax.saved import checkpoint
import jax, numpy as np
like = {'model': {'entity': {'re': jax.ShapeDtypeStruct((4000, int(sys.argv[2])), np.float32)}}}
like['model']['entity'] |= {'im': like['model']['entity']['re']}
checkpoints = checkpoint.Checkpoints(sys.argv[1], read_only=True, axes=axes.columns())
count = lambda: int(open('/proc/self/io').read().split()[1])
before = count()
checkpoints.restore_params(like)
print(count() - before)
"""


@pytest.mark.skipif(not pathlib.Path('/proc/self/io').exists(), reason='needs /proc/self/io of Linux')
def test_a_crop_reads_only_its_share(tmp_path, repository):
  import jax.numpy as jnp

  table = np.random.RandomState(0).normal(size=(4000, 320)).astype(np.float32)
  params = {'model': {'entity': {'re': jnp.asarray(table), 'im': jnp.asarray(-table)}}}
  checkpoint.Checkpoints(tmp_path, axes=axes_lib.columns()).save(
    state_lib.State(jnp.int32(1), params, (), jnp.bool_(True))
  )
  read = {}
  for width in (5, 320):
    done = subprocess.run(
      [sys.executable, '-c', READ, tmp_path, str(width)],
      cwd=repository,
      capture_output=True,
      text=True,
      check=True,
    )
    read[width] = int(done.stdout)
  assert read[320] > 0.8 * 2 * table.nbytes
  assert read[5] < 0.1 * read[320]


def test_artifacts_are_free_of_pickle(trained, tmp_path):
  """numpy refuses a pickled array, and so does the reader of graphs."""
  for name in ('entities.tsv', 'relations.tsv', 'notes.txt'):
    (tmp_path / name).write_bytes((trained / name).read_bytes())
  evil = np.array([{'a': 1}], object)
  np.savez(tmp_path / 'triples.npz', train=evil, valid=evil, test=evil)
  with pytest.raises(errors.ArtifactError, match='pickles: loading runs no code'):
    graph_files.read_graph(tmp_path)
