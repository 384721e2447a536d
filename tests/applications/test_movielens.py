"""What MovieLens's fields mean, and the counts of the published files where they are at hand."""

import os
import pathlib

import books
import numpy as np
import pandas as pd
import pytest

from medjax import errors
from medjax.applications import graph, movielens, split
from medjax.data.datasets import ROOT_VARIABLE

HERE = pathlib.Path(os.environ.get(ROOT_VARIABLE, ''), 'ml-100k')


def test_ages_regions_and_decades():
  years = pd.Series(['1', '17', '18', '24', '25', '34', '35', '44', '45', '49', '50', '55', '56', '73', np.nan])
  groups = movielens.age_groups('x.user', years).tolist()
  assert groups[:2] == ['Under 18'] * 2 and groups[12:14] == ['56+'] * 2 and pd.isna(groups[14])
  assert groups[2:12:2] == groups[3:12:2] == ['18-24', '25-34', '35-44', '45-49', '50-55']
  with pytest.raises(errors.DataError, match=r"x\.user: the age of 0 is 'old'"):
    movielens.age_groups('x.user', pd.Series(['old']))
  assert [movielens.region(code) for code in ('94043', '00501', 'V5A2B')] == ['9', '0', 'abroad']
  assert movielens.decade('1996') == '1990s' and pd.isna(movielens.decade('V')) and pd.isna(movielens.decade(np.nan))


@pytest.mark.parametrize('field', ['class', 'genre'])  # as ml-100k and ml-1m call it
def test_films_in_the_form_of_movielens(tmp_path, field):
  user = ['user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token', 'a\t24\tM\tcook\t85711']
  user += ['b\t20\tF\tcook\t85719', 'c\t60\tF\tsmith\tT8H1N', 'd\t60\tM\tsmith\tT8H1N']
  item = [f'item_id:token\tmovie_title:token_seq\trelease_year:token\t{field}:token_seq']
  item += [f'{i}\tFilm {i}\t{1990 + i // 2}\tDrama' for i in range(1, 7)]
  films = movielens.read('books', books.write(tmp_path, user=user, item=item))
  assert films.users.loc['user:a'].tolist() == ['18-24', 'M', 'cook', '8'] and tuple(films.labels) == movielens.LABELS
  assert films.items.loc['item:3'].tolist() == ['Film 3', '1990s']
  assert ('item:1', 'genre', 'genre:Drama') in set(films.facts.itertuples(index=False, name=None))
  assert films.notes[0].startswith('licence: MovieLens')
  with pytest.raises(errors.DataError, match=r'books\.user: lacks age'):
    movielens.read('books', books.write(tmp_path))


@pytest.mark.skipif(not (HERE / 'ml-100k.inter').is_file(), reason=f'needs ml-100k below ${ROOT_VARIABLE}')
def test_the_published_counts(tmp_path):
  films = movielens.read()
  assert (len(films.users), len(films.items), len(films.interactions)) == (943, 1682, 100_000)
  from_kg = films.facts[films.facts['relation'].str.startswith('film.')]
  assert len(from_kg) == 91_631 and from_kg['relation'].nunique() == 24
  entities = {*from_kg['head'], *from_kg['tail']}
  assert len(entities) == 34_628 and sum(name.startswith('item:') for name in entities) == 1598
  assert {name: len(values) for name, values in films.labels.items()} == {
    'age_group': 7,
    'gender': 2,
    'occupation': 21,
  }
  parts = split.make(films)
  train = graph.triples(films, parts)['train']
  assert len(parts.likes['valid']) == len(parts.likes['test']) == 942  # one user liked two films only
  assert sum(map(len, parts.likes.values())) == int((films.interactions['rating'] >= 4).sum())
  assert {*films.items.index, *films.users.index} <= {*train['head'], *train['tail']}
