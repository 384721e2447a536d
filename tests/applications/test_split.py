"""What is asked is the last that users liked, and facts of which nothing is left in train."""

import dataclasses

import books
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
import numpy as np
import pandas as pd
import pytest

from medjax import errors
from medjax.applications import ecommerce, market, recbole, shop, split


@pytest.fixture
def small(tmp_path):
  return recbole.read(books.write(tmp_path))


def pairs(frame):
  return set(frame.itertuples(index=False, name=None))


def items_of(frame, user):
  return sorted(frame['item'][frame['user'] == f'user:{user}'].str.removeprefix('item:'))


def test_the_last_liked_is_tested_and_the_one_before_validated(small):
  parts = split.make(small)
  found = {
    user: [items_of(parts.likes[part], user) for part in ('train', 'valid', 'test')]
    + [items_of(parts.seen['valid'], user)]
    for user in 'acd'
  }
  assert found == {
    'a': [['1', '2'], ['4'], ['5'], ['1', '2', '3']],  # 3 was seen before and disliked, 6 later
    'c': [['1', '2'], [], [], ['1', '2']],  # two liked items are too few
    'd': [['3'], ['4'], ['5'], ['3']],
  }
  assert items_of(parts.seen['test'], 'a') == ['1', '2', '3', '4'] and items_of(parts.seen['test'], 'd') == ['3', '4']


def test_ties_are_broken_by_the_seed_alone(small):
  """Reader b liked four books at once."""
  shuffled = dataclasses.replace(small, interactions=small.interactions.sample(frac=1, random_state=1))
  last = set()
  for seed in range(12):
    one, other = (split.make(each, split.Settings(seed=seed)) for each in (small, shuffled))
    assert all(pairs(one.likes[part]) == pairs(other.likes[part]) for part in split.SPLITS)
    assert len(items_of(one.seen['test'], 'b')) == 3 and len(items_of(one.seen['valid'], 'b')) == 2
    last |= set(items_of(one.likes['test'], 'b'))
  assert len(last) > 2


def test_without_ratings_all_is_liked_and_without_times_the_order_is_drawn(small):
  plain = dataclasses.replace(small, interactions=small.interactions.assign(rating=np.nan, time=np.nan))
  parts = split.make(plain)
  assert sum(map(len, parts.likes.values())) == len(plain.interactions)
  assert [len(parts.likes[part]) for part in ('valid', 'test')] == [3, 3]


def test_settings_that_cannot_be_are_told(small):
  with pytest.raises(errors.DataError, match='no rating is 6.0 or more; the highest is 5.0'):
    split.make(small, split.Settings(min_rating=6.0))
  for shares in ((0.5, 0.5), (0.9, 0.2, 0.2)):
    with pytest.raises(errors.ConfigError, match='fact_shares is'):
      split.Settings(fact_shares=shares)


def one_by_one(interactions, min_rating):
  """The likes and seen of every user by a loop; times differ."""
  found = {}
  for user, rows in interactions.groupby('user'):
    rows = rows.sort_values('time')
    liked = rows['item'][rows['rating'] >= min_rating].tolist()
    every = rows['item'].tolist()
    valid, test = (liked[-2], liked[-1]) if len(liked) >= 3 else (None, None)
    found[user] = (
      {item for item in liked if item not in (valid, test)},
      valid,
      test,
      set(every[: every.index(valid)] if valid else every),
      set(every[: every.index(test)] if test else every),
    )
  return found


@hypothesis_settings(max_examples=30, deadline=None)
@given(
  st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 6)), st.integers(1, 5), min_size=1, max_size=20),
  st.randoms(use_true_random=False),
)
def test_a_loop_over_users_finds_the_same(ratings, draw):
  ratings[(0, 0)] = 5
  times = draw.sample(range(100), len(ratings))
  interactions = pd.DataFrame(
    [(f'user:{u}', f'item:{i}', float(rating), float(time)) for ((u, i), rating), time in zip(ratings.items(), times)],
    columns=shop.INTERACTIONS,
  )
  users, items = (pd.Index(sorted(interactions[name].unique())) for name in ('user', 'item'))
  made = shop.Shop(
    'made',
    pd.DataFrame(index=users),
    pd.DataFrame({'label': items}, index=items),
    interactions,
    pd.DataFrame(columns=shop.TRIPLE),
    {},
  )
  parts = split.make(made)
  one = lambda frame, user: next(iter(frame['item'][frame['user'] == user]), None)
  every = lambda frame, user: set(frame['item'][frame['user'] == user])
  for user, expected in one_by_one(interactions, 4).items():
    assert expected == (
      every(parts.likes['train'], user),
      one(parts.likes['valid'], user),
      one(parts.likes['test'], user),
      every(parts.seen['valid'], user),
      every(parts.seen['test'], user),
    )


@pytest.mark.parametrize('seed', range(3))
def test_held_out_facts_leave_nothing_behind(seed):
  made = ecommerce.make(market.Market(1000))
  # every fact of an item also the other way round, as in Freebase
  turned = made.facts.rename(columns={'head': 'tail', 'tail': 'head'}).assign(relation=made.facts['relation'] + '_of')
  facts = pd.concat([made.facts, turned], ignore_index=True)
  parts = split.deal_facts(facts, (0.8, 0.1, 0.1), seed)
  assert sum(map(len, parts.values())) == len(facts) and pairs(pd.concat(parts.values())) == pairs(
    facts[list(shop.TRIPLE)]
  )
  both = {part: {frozenset(row) for row in zip(rows['head'], rows['tail'])} for part, rows in parts.items()}
  assert not both['train'] & both['valid'] and not both['train'] & both['test'] and not both['valid'] & both['test']
  assert {*facts['head'], *facts['tail']} == {*parts['train']['head'], *parts['train']['tail']}
  assert set(facts['relation']) == set(parts['train']['relation'])
  assert len(parts['valid']) == pytest.approx(len(facts) / 10, rel=0.1)
  again = split.deal_facts(facts.sample(frac=1, random_state=seed), (0.8, 0.1, 0.1), seed)
  assert all(parts[part].equals(again[part]) for part in parts)


def test_users_are_dealt_by_shares():
  made = ecommerce.make(market.Market(1000))
  parts = split.make(made).users
  assert [len(parts[part]) for part in split.SPLITS] == [800, 100, 100]
  assert sorted(np.concatenate(list(parts.values()))) == sorted(made.users.index)
  assert not parts['test'].equals(split.make(made, split.Settings(seed=1)).users['test'])
