"""Atomic files become a shop, whatever of them is missing; a faulty line is named."""

import random

import books
import pandas as pd
import pytest

from medjax import errors
from medjax.applications import recbole, shop


def test_all_files(tmp_path):
  found = recbole.read(books.write(tmp_path))
  assert found.name == 'books' and list(found.users) == ['job', 'town']
  assert found.users.loc['user:a'].tolist() == ['cook', 'x'] and pd.isna(found.users.loc['user:c', 'town'])
  assert found.items['label'].tolist() == ['Water Music', 'Dry Land', 'High Sea', 'Low Tide', 'Salt', 'item:6']
  assert found.item_attributes == ['shelf']  # no two books share an isbn
  assert len(found.interactions) == 16 and found.has_ratings and found.has_times
  assert found.interactions.iloc[1].tolist() == ['user:a', 'item:2', 4.0, 20.0]
  assert dict(found.labels) == {'job': ('cook', 'smith'), 'town': ('x', 'y')}
  facts = set(found.facts.itertuples(index=False, name=None))
  assert len(facts) == len(found.facts) == 9 + 7
  assert {
    ('item:1', 'topic', 'topic:river'),
    ('item:1', 'topic', 'topic:song'),
    ('item:4', 'by', 'entity:bob'),
    ('entity:ann', 'wrote', 'item:2'),
    ('entity:ann', 'knows', 'entity:bob'),
  } < facts
  told = '\n'.join(found.notes)
  assert 'books.user: age: numbers, left out' in told and 'books.user: motto' in told
  assert 'isbn: no two rows share a value' in told and 'books.link: 1 lines left out' in told
  assert '1 repeated facts' in told and '4 of 6 items are linked' in told


def test_interactions_alone_by_their_own_names(tmp_path):
  """As of lastfm, whose items are artists, with numbers that are no ratings."""
  rows = ['user_id:token\tartist_id:token\tweight:float', 'u\tx\t13', 'u\ty\t2', 'v\tx\t4']
  plays = recbole.read(books.write(tmp_path, inter=rows, user=None, item=None, kg=None, link=None))
  assert plays.users.index.tolist() == ['user:u', 'user:v'] and plays.users.shape[1] == 0
  assert plays.items['label'].tolist() == ['item:x', 'item:y']
  assert not plays.labels and not len(plays.facts) and not plays.has_ratings and not plays.has_times
  told = '\n'.join(plays.notes)
  for words in ('no books.user', 'no books.kg', 'no rating', 'no timestamp', 'weight left out'):
    assert words in told


def test_a_graph_without_links_and_several_values_by_commas(tmp_path):
  found = recbole.read(
    books.write(tmp_path, link=None, **books.with_line('item', 2, '1\tWater Music\tp\t901\tthe river, song\t100'))
  )
  facts = set(found.facts.itertuples(index=False, name=None))
  assert {('item:1', 'topic', 'topic:the river'), ('entity:b1', 'by', 'entity:ann')} < facts


def test_the_field_that_people_read(tmp_path):
  rows = ['item_id:token\tlabel:token\tmaker:token_seq', *(f'{i}\tB{i}\tAda Ltd' for i in range(1, 7))]
  folder = books.write(tmp_path, item=rows)
  assert recbole.read(folder).items['label'].tolist() == [f'B{i}' for i in range(1, 7)]
  assert recbole.read(folder, title='maker').items['label'].tolist() == ['Ada Ltd'] * 6


def test_the_last_of_repeated_interactions_is_kept(tmp_path):
  rows = ['user_id:token\titem_id:token\trating:float\ttimestamp:float', 'a\t1\t5\t20', 'a\t1\t2\t10', 'b\t1\t3\t1']
  found = recbole.read(books.write(tmp_path, inter=rows))
  assert found.interactions['rating'].tolist() == [5.0, 3.0] and '1 earlier interactions' in '\n'.join(found.notes)


def test_users_and_items_that_no_file_describes(tmp_path):
  found = recbole.read(books.write(tmp_path, **books.with_line('inter', 2, 'e\t7\t5\t10')))
  assert found.users.loc['user:e'].isna().all() and found.items.loc['item:7', 'label'] == 'item:7'


def test_the_order_of_lines_changes_no_content(tmp_path):
  draw = random.Random(0)
  shuffled = {suffix: [rows[0], *draw.sample(rows[1:], len(rows) - 1)] for suffix, rows in books.FILES.items()}
  first = recbole.read(books.write(tmp_path))
  second = recbole.read(books.write(tmp_path, **shuffled))
  for table, keys in (('interactions', ['user', 'item']), ('facts', list(shop.TRIPLE))):
    pd.testing.assert_frame_equal(
      first[table].sort_values(keys, ignore_index=True), second[table].sort_values(keys, ignore_index=True)
    )
  for table in ('users', 'items'):
    pd.testing.assert_frame_equal(first[table].sort_index(), second[table].sort_index())


@pytest.mark.parametrize(
  'suffix, number, text, words',
  [
    ('inter', 1, 'user_id\titem_id\trating\ttimestamp', 'line 1: the field .user_id. is not a name'),
    ('inter', 1, 'user_id:token\tuser_id:token\trating:float\ttimestamp:float', 'line 1'),
    ('inter', 3, 'a\t2\tgood\t20', "line 3: rating is 'good', which is no number"),
    ('inter', 3, 'a\t2\tinf\t20', "line 3: rating is 'inf'"),
    ('inter', 4, 'a\t3', 'line 4: 2 fields instead of 4'),
    ('inter', 5, 'a\t3\t1\t2\t3', 'line 5: 5 fields instead of 4'),
    ('inter', 6, '\t3\t1\t2', 'line 6: user_id is empty'),
    ('user', 3, 'a\t30\tsmith\tx\t', "line 3: 'a' is there a second time"),
    ('kg', 2, 'b1\t\tann', 'line 2: relation_id is empty'),
    ('link', 1, 'item_id:token\tentity_id:token_seq', 'line 1: field 2 has to be a token'),
  ],
)
def test_faults_are_named(tmp_path, suffix, number, text, words):
  with pytest.raises(errors.DataError, match=rf'books\.{suffix}, .*{words}'):
    recbole.read(books.write(tmp_path, **books.with_line(suffix, number, text)))


def test_what_is_not_there_is_named(tmp_path, monkeypatch):
  folder = books.write(tmp_path)
  with pytest.raises(errors.DataError, match='no attribute .age. to predict, but job, town'):
    recbole.read(folder, labels=['age'])
  with pytest.raises(errors.DataError, match='no field .name. to call items by'):
    recbole.read(folder, title='name')
  with pytest.raises(errors.DataError, match=r'films\.inter: there is no such file'):
    recbole.read(folder, 'films')
  assert recbole.find('books', folder) == folder
  monkeypatch.setenv(recbole.ROOT_VARIABLE, str(tmp_path))
  assert recbole.find('books') == folder
  with pytest.raises(errors.DataError, match=r'no nothing\.inter .*`pip install recbole`'):
    recbole.find('nothing')
  with pytest.raises(errors.DataError, match='there is no books.inter'):
    recbole.find('books', tmp_path)


def test_the_example_of_an_installed_recbole_is_found(tmp_path, monkeypatch):
  package = tmp_path / 'site' / 'recbole'
  (package / 'dataset_example').mkdir(parents=True)
  (package / '__init__.py').write_text('raise AssertionError("it is found, and not imported")')
  books.write(tmp_path).rename(package / 'dataset_example' / 'books')
  monkeypatch.delenv(recbole.ROOT_VARIABLE, raising=False)
  monkeypatch.syspath_prepend(tmp_path / 'site')
  assert recbole.find('books') == package / 'dataset_example' / 'books'
