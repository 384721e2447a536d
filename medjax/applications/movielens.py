"""MovieLens (ml-100k, ml-1m) in RecBole's atomic files: what its fields mean. No other module knows MovieLens.

The data are for research; they may not be redistributed, nor used commercially, without GroupLens's permission, so they
are read where a person put them (`recbole.find`).
"""

import dataclasses
import pathlib

import numpy as np
import pandas as pd

from medjax.applications import recbole
from medjax.applications import shop as shop_lib
from medjax.applications.shop import Shop
from medjax.errors import DataError

LICENCE = (
  'MovieLens, GroupLens Research at the University of Minnesota: for research; no redistribution and no commercial use '
  'without permission; to be cited as Harper and Konstan, The MovieLens Datasets: History and Context, ACM TiiS 5(4), '
  '2015. Facts in .kg: Freebase'
)
AGES = {0: 'Under 18', 18: '18-24', 25: '25-34', 35: '35-44', 45: '45-49', 50: '50-55', 56: '56+'}  # as in ml-1m
LABELS = ('age_group', 'gender', 'occupation')


def read(name: str = 'ml-100k', folder: str | pathlib.Path | None = None) -> Shop:
  """Reads MovieLens: users have age_group, gender, occupation (to be predicted) and region, films genres and a decade.

  Args:
    name: of the data set and its files.
    folder: that holds them; None: see `recbole.find`.

  Raises:
    DataError: the files are not there, or not those of MovieLens.
  """
  place = recbole.find(name, folder)
  plain = recbole.read(place, name, labels=())
  files = {'users': f'{place / name}.user', 'items': f'{place / name}.item'}
  for table, fields in (('users', ('age', 'gender', 'occupation', 'zip_code')), ('items', ('release_year',))):
    if lacking := [field for field in fields if field not in plain[table]]:
      raise DataError(f'{files[table]}: lacks {", ".join(lacking)} of MovieLens; recbole.read reads other data sets.')
  users = pd.DataFrame(
    {
      'age_group': age_groups(files['users'], plain.users['age']),
      'gender': plain.users['gender'],
      'occupation': plain.users['occupation'],
      'region': plain.users['zip_code'].map(region),
    }
  )
  items = plain.items.drop(columns='release_year').assign(decade=plain.items['release_year'].map(decade))
  classes = plain.facts['relation'] == 'class'
  facts = plain.facts.assign(
    relation=plain.facts['relation'].mask(classes, 'genre'),
    tail=plain.facts['tail'].mask(classes, plain.facts['tail'].str.replace('class:', 'genre:', n=1)),
  )
  return dataclasses.replace(
    plain,
    users=users,
    items=items,
    facts=facts,
    labels=shop_lib.values_of(users, list(LABELS)),
    notes=(f'licence: {LICENCE}', *plain.notes),
  )


def age_groups(path: str, ages: pd.Series) -> pd.Series:
  """The groups of ages in years that GroupLens has; the codes of ml-1m, which are their first years, give the same."""
  years = pd.to_numeric(ages, errors='coerce')
  if (wrong := years.isna() & ages.notna()).any():
    raise DataError(f'{path}: the age of {ages[wrong].index[0]} is {ages[wrong].iloc[0]!r}, which is no number.')
  groups = pd.cut(years, [*AGES, np.inf], right=False, labels=list(AGES.values()))
  return groups.astype(object).where(groups.notna(), np.nan)


def region(code: str | float) -> str | float:
  """The first digit of a ZIP code, one of ten regions of the United States; 'abroad' for other codes."""
  if not isinstance(code, str):
    return code
  return code[0] if code[0].isdigit() else 'abroad'


def decade(year: str | float) -> str | float:
  """'1990s' of '1996'; NaN for what is no year."""
  return f'{year[:3]}0s' if isinstance(year, str) and len(year) == 4 and year.isdigit() else np.nan
