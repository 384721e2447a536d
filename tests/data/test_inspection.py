"""A first look at a graph, against counts by hand and loops over pairs."""

import hypothesis
from hypothesis import strategies as st
import numpy as np

from medjax.data import inspection, triples


def graph_of(folder, **splits):
  for split, rows in splits.items():
    (folder / f'{split}.tsv').write_text(''.join('\t'.join(row) + '\n' for row in rows))
  return triples.read_folder(folder)


def test_a_small_graph(tmp_path):
  roads = [('a', 'to', 'b'), ('b', 'to', 'c'), ('c', 'to', 'd')]
  train = [*roads, *((t, 'from', h) for h, _, t in roads[:2])]
  train += [
    ('a', 'next', 'b'),
    ('b', 'next', 'a'),
    ('a', 'next', 'a'),
    ('a', 'in', 'x'),
    ('b', 'in', 'x'),
    ('c', 'in', 'x'),
  ]
  graph = graph_of(
    tmp_path,
    train=train,
    valid=[('d', 'from', 'c'), ('b', 'from', 'c')],
    test=[('x', 'in', 'x'), ('a', 'to', 'new'), ('a', 'to', 'b'), ('d', 'to', 'a'), ('d', 'to', 'a')],
  )
  found = inspection.inspect(graph)
  names = list(found.splits.columns)
  assert names == ['triples', 'loops', 'repeated', 'unseen', 'in train', 'inverse', 'parallel']
  assert found.splits.loc['train'].tolist() == [11, 1, 0, 0, 0, 0, 0]
  assert found.splits.loc['valid'].tolist() == [2, 0, 0, 0, 0, 2, 1]
  assert found.splits.loc['test'].tolist() == [5, 1, 1, 1, 1, 1, 1]
  relations = found.relations.set_index('relation')
  assert relations['triples'].to_dict() == {'from': 2, 'in': 3, 'next': 3, 'to': 3}
  assert relations['category'].to_dict() == {'from': '1-1', 'in': 'N-1', 'next': 'N-N', 'to': '1-1'}
  assert relations.loc['in', ['heads', 'tails']].tolist() == [3, 1]
  assert relations['symmetric'].to_dict() == {'from': 0, 'in': 0, 'next': 1, 'to': 0}
  assert relations['inverse'].to_dict() == {'from': 'to', 'in': '', 'next': 'from', 'to': 'from'}
  np.testing.assert_allclose(relations['inverse share'], [1, 0, 0.5, 2 / 3])
  assert relations.loc['next', ['parallel', 'parallel share']].tolist() == ['from', 0.5]
  assert found.inverses == (('from', 'to'),)
  advice = '\n'.join(found.advice)
  for words in (
    'inverse relations: from and to.',
    'valid: train joins the entities of 2 of 2 triples (100%) the other way round',
    '0 valid and 1 test triples are in train',
    '0 valid and 1 test triples name entities without a training triple',
    '4 relations have fewer than 10 training triples, such as from (2)',
  ):
    assert words in advice
  assert any('valid: 2 of 2 triples (100%) have their inverse in train' in note for note in graph.notes)


ROWS = st.lists(st.tuples(*(st.integers(0, n) for n in (5, 2, 5))), min_size=1, max_size=40, unique=True)


@hypothesis.given(train=ROWS, test=ROWS)
@hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
def test_counts_are_those_of_loops(tmp_path_factory, train, test):
  rows = lambda triples: [(f'e{h}', f'r{r}', f'e{t}') for h, r, t in triples]
  known = {r for _, r, _ in train}
  test = [row for row in test if row[1] in known]
  graph = graph_of(tmp_path_factory.mktemp('g'), train=rows(train), valid=[], test=rows(test))
  found = inspection.inspect(graph)
  if test:
    turned = sum(any((h, t) == (c, a) for a, _, c in train) for h, _, t in test)
    assert found.splits.loc['test', 'inverse'] == turned
    assert any(f'test: {turned} of {len(test)} triples' in note for note in graph.notes) == (turned > 0)
    assert found.splits.loc['test', 'parallel'] == sum(
      any((h, t) == (a, c) and r != b for a, b, c in train) for h, r, t in test
    )
  for row in found.relations.itertuples():
    own = [(h, t) for h, r, t in train if f'r{r}' == row.relation and h != t]
    share = lambda other: sum((t, h) in {(a, c) for a, b, c in train if f'r{b}' == other} for h, t in own) / len(own)
    if own:
      assert np.isclose(row.symmetric, share(row.relation))
      best = max((share(other) for other in graph.relations if other != row.relation), default=0)
      assert np.isclose(row[found.relations.columns.get_loc('inverse share') + 1], best if best >= 0.05 else 0)


def test_the_text_tells_what_was_understood(tmp_path):
  path = tmp_path / 'facts.csv'
  path.write_text('source,target,kind,type\n' + ''.join(f'e{i % 9},e{i * 5 % 11},k,r{i % 2}\n' for i in range(60)))
  text = inspection.describe(inspection.inspect(triples.split_file(path)))
  for words in (
    'facts: 11 entities, 2 relations',
    'facts.csv: text, 4 columns, commas between them; 60 triples; header source,target,kind,type; data.columns=1,4,2',
    'line 1 taken for a header',
    'relations in train',
    'N-N',
    'to think about',
  ):
    assert words in text
