"""The graph of a shop: what train may know, that it is written whole, and where a model has what."""

import dataclasses

import books
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
import numpy as np
import pytest

from medjax import errors
from medjax.applications import ecommerce, graph, market, recbole, shop, split
from medjax.data import triples


@pytest.fixture(scope='module')
def bazaar():
  return ecommerce.make(market.Market(1000))


@pytest.fixture(scope='module')
def parts(bazaar):
  return split.make(bazaar)


@pytest.fixture(scope='module')
def folder(bazaar, parts, tmp_path_factory):
  return graph.write(bazaar, parts, tmp_path_factory.mktemp('bazaar') / 'graph')


def rows(frame):
  return set(frame.itertuples(index=False, name=None))


def contents(folder):
  return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_asked_is_not_in_train(bazaar, parts):
  made = graph.triples(bazaar, parts)
  train = rows(made['train'])
  for part in ('valid', 'test'):
    assert rows(made[part]) == rows(parts.facts[part]) | {
      (user, 'likes', item) for user, item in rows(parts.likes[part])
    }
    assert not train & rows(made[part])
    hidden = set(parts.users[part])
    assert not [row for row in train if row[0] in hidden and row[1] in bazaar.labels]
  shown = set(parts.users['train'])
  of_users = [row for row in train if row[1] in bazaar.labels]
  assert {row[0] for row in of_users} <= shown
  assert len(of_users) == int(bazaar.users.loc[list(shown), list(bazaar.labels)].notna().to_numpy().sum())
  assert sum(row[1] == 'city' for row in train) == bazaar.users['city'].notna().sum()  # which is not to be predicted


@hypothesis_settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_byte_depends_on_the_labels_that_are_asked_for(bazaar, parts, folder, tmp_path_factory, seed):
  """The labels of users that are validated or tested on, in another order, give the same folder."""
  hidden = [*parts.users['valid'], *parts.users['test']]
  draw, users = np.random.default_rng(seed), bazaar.users.copy()
  for attribute in bazaar.labels:
    users.loc[hidden, attribute] = users.loc[draw.permutation(hidden), attribute].to_numpy()
  other = dataclasses.replace(bazaar, users=users)
  assert not other.users.equals(bazaar.users)
  made = graph.write(other, split.make(other), tmp_path_factory.mktemp('asked') / 'graph')
  assert contents(made) == contents(folder)


def test_the_labels_of_other_users_do_make_a_difference(bazaar, parts):
  users = bazaar.users.copy()
  users.loc[parts.users['train'][:1], 'gender'] = users['gender'].map({'0': '1', '1': '0'}).fillna('0')
  other = dataclasses.replace(bazaar, users=users)
  assert not graph.triples(other, parts)['train'].equals(graph.triples(bazaar, parts)['train'])


def test_a_folder_is_written_once_and_read_by_its_names(bazaar, parts, folder):
  before = contents(folder)
  assert set(before) == {'train.tsv', 'valid.tsv', 'test.tsv', 'entities.tsv', 'shop.json'}
  assert graph.write(bazaar, parts, folder) == folder and contents(folder) == before
  with pytest.raises(errors.UsageError, match='graph holds another graph'):
    graph.write(bazaar, split.make(bazaar, split.Settings(seed=1)), folder)
  read = triples.read_folder(folder)
  made = graph.triples(bazaar, parts)
  names = lambda ids: {(read.entities[h], read.relations[r], read.entities[t]) for h, r, t in ids}
  assert all(names(getattr(read, part)) == rows(made[part]) for part in split.SPLITS)

  places = graph.places(bazaar, read)
  named = [read.entities[row] if row >= 0 else None for row in places.users]
  assert named == [user if user in set(read.entities) else None for user in bazaar.users.index]
  assert 0 < named.count(None) < 100  # who likes nothing and of whom nothing is known
  assert [read.entities[row] for row in places.items] == bazaar.items.index.tolist()
  assert read.relations[places.relations[shop.LIKES]] == 'likes'
  of_ages = graph.value_rows(bazaar, read, 'age_group')
  assert [read.entity_labels[row] for row in of_ages] == [f'age group {i}' for i in range(7)]


def test_what_a_graph_lacks_has_no_row():
  assert graph.rows(('item:1', 'item:3'), ['item:3', 'item:2', 'item:1']).tolist() == [1, -1, 0]


def test_labels_are_what_people_read(tmp_path):
  small = dataclasses.replace(recbole.read(books.write(tmp_path)), entity_labels={'entity:ann': 'Ann'})
  asked = ['item:1', 'entity:ann', 'entity:bob', 'user:a', 'job:cook']
  assert graph.labels_of(small, asked) == ['Water Music', 'Ann', 'bob', 'user a', 'job cook']


def test_a_matrix_of_what_was_seen(bazaar, parts):
  seen = graph.matrix(bazaar, parts.seen['test'])
  assert seen.shape == (len(bazaar.users), len(bazaar.items)) and seen.dtype == bool
  found = {(bazaar.users.index[u], bazaar.items.index[i]) for u, i in zip(*seen.nonzero())}
  assert found == rows(parts.seen['test'])
  asked = graph.matrix(bazaar, parts.likes['test'])
  assert not seen.multiply(asked).nnz and np.all(asked.sum(axis=1) <= 1)
