"""A shop that contradicts itself is refused, by table, row and value."""

import dataclasses

import books
import numpy as np
import pandas as pd
import pytest

from medjax import errors
from medjax.applications import recbole, shop


@pytest.fixture
def small(tmp_path):
  return recbole.read(books.write(tmp_path))


def test_identifiers_tell_kinds_apart():
  made = {shop.user_id('7'), shop.item_id('7'), shop.entity_id('7'), shop.value_id('age', '7')}
  assert made == {'user:7', 'item:7', 'entity:7', 'age:7'}


@pytest.mark.parametrize(
  'change, words',
  [
    (lambda s: {'items': s.items.drop(columns='label')}, 'the table items lacks label'),
    (lambda s: {'interactions': s.interactions.drop(columns='time')}, 'interactions lacks time'),
    (lambda s: {'facts': s.facts.drop(columns='relation')}, 'facts lacks relation'),
    (lambda s: {'interactions': s.interactions[:0]}, 'the table interactions is empty'),
    (lambda s: {'users': pd.concat([s.users, s.users[:1]])}, "'user:a' is there twice in users"),
    (lambda s: {'users': s.users.rename(index={'user:a': 'item:1'})}, "'item:1' is a user and an item"),
    (lambda s: {'users': s.users[1:]}, "interactions, row 0: 'user:a' is none of the users"),
    (lambda s: {'items': s.items[:-1]}, "interactions, row 5: 'item:6' is none of the items"),
    (lambda s: {'users': s.users.replace('cook', 'a\tcook')}, r"users.job has 'a\\tcook', which is no name"),
    (lambda s: {'items': s.items.assign(shelf=7)}, 'items.shelf has 7, which is no name'),
    (lambda s: {'facts': s.facts.assign(tail=np.nan)}, 'facts.tail has nan, which is no name'),
    (lambda s: {'interactions': pd.concat([s.interactions] * 2)}, "'user:a' and 'item:1' have several interactions"),
    (lambda s: {'facts': s.facts.assign(tail='user:b')}, 'is about a user'),
    (lambda s: {'users': s.users.rename(columns={'town': 'likes'}), 'labels': {}}, "'likes' is an attribute and also"),
    (lambda s: {'items': s.items.rename(columns={'shelf': 'by'})}, "'by' is an attribute and also a relation"),
    (lambda s: {'items': s.items.rename(columns={'shelf': 'user'})}, "'user' is an attribute, whose values"),
    (lambda s: {'labels': {'age': ('1', '2')}}, "'age' is to be predicted, but is no column"),
    (lambda s: {'labels': {'job': ('cook',)}}, "values of 'job' in labels are not those"),
    (lambda s: {'users': s.users.assign(job='cook'), 'labels': {'job': ('cook',)}}, "'job' has 1 values"),
  ],
)
def test_contradictions_are_named(small, change, words):
  with pytest.raises(errors.DataError, match=f'^books: .*{words}'):
    dataclasses.replace(small, **change(small))
