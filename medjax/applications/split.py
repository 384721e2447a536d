"""What of a shop is trained on, and what is asked: the last likes of users, the labels of some users, and some facts.

Every choice is a function of the shop's content and the settings, whatever the order of its rows.
"""

import dataclasses

import numpy as np
import pandas as pd

from medjax.applications.shop import Shop, TRIPLE
from medjax.data import splits
from medjax.errors import ConfigError, DataError

SPLITS = splits.NAMES
LEAST = 3  # liked items of a user of whom one is validated on and one tested on


@dataclasses.dataclass(frozen=True)
class Settings:
  """How a shop is split.

  Attributes:
    min_rating: from which rating on an item is liked; without ratings, all items of a user are.
    label_shares: of users whose labels are trained, validated and tested on.
    fact_shares: of pairs of entities whose facts are trained, validated and tested on.
    seed: of all draws.

  Raises:
    ConfigError: shares that are not three numbers with the sum 1.
  """

  min_rating: float = 4.0
  label_shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
  fact_shares: tuple[float, float, float] = (0.9, 0.05, 0.05)
  seed: int = 0

  def __post_init__(self) -> None:
    for name in ('label_shares', 'fact_shares'):
      try:
        splits.check_shares(getattr(self, name))
      except DataError:
        raise ConfigError(
          f'{name} is {getattr(self, name)!r}, but has to be three shares of train, valid and test that sum to 1.'
        ) from None


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
  """A shop, split; each dict is of 'train', 'valid' and 'test'.

  Attributes:
    settings: of the split.
    likes: DataFrames of user and item; valid and test have at most one row a user, the last but one and the last.
    seen: of 'valid' and 'test' alone: DataFrames of user and item, all that a user had to do with, liked or not, before
      the item that is asked for; of users without one, everything.
    users: identifiers of the users whose labels are trained, validated and tested on, sorted.
    facts: DataFrames of head, relation, tail; train names every entity and relation.
  """

  settings: Settings
  likes: dict[str, pd.DataFrame]
  seen: dict[str, pd.DataFrame]
  users: dict[str, pd.Index]
  facts: dict[str, pd.DataFrame]


def make(shop: Shop, settings: Settings | None = None) -> Split:
  """Splits a shop.

  Raises:
    DataError: nothing is liked.
  """
  settings = settings or Settings()
  ordered = order(shop, settings.seed)
  liked = ordered['rating'].to_numpy() >= settings.min_rating if shop.has_ratings else np.ones(len(ordered), bool)
  if not liked.any():
    raise DataError(
      f'{shop.name}: no rating is {settings.min_rating} or more; the highest is {ordered["rating"].max()}. Lower '
      'min_rating.'
    )
  likes, seen = last_out(ordered, liked)
  users = deal_users(shop, settings.label_shares, settings.seed)
  return Split(settings, likes, seen, users, deal_facts(shop.facts, settings.fact_shares, settings.seed))


def order(shop: Shop, seed: int) -> pd.DataFrame:
  """Returns the interactions by user and time. Those of one time, or of none, are in a random order.

  By identifiers, what people did at once would end with the same items for all of them.
  """
  frame = shop.interactions.sort_values(['user', 'item'], ignore_index=True)
  # RandomState, since numpy promises its stream for good
  tie = np.random.RandomState(seed).permutation(len(frame))
  return (
    frame.assign(tie=tie)
    .sort_values(['user', 'time', 'tie'], na_position='first', ignore_index=True)
    .drop(columns='tie')
  )


def last_out(ordered: pd.DataFrame, liked: np.ndarray) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
  """Returns the `likes` and `seen` of a Split.

  Args:
    ordered: interactions, those of a user in their order.
    liked: bool, one for each.
  """
  pairs = ordered[['user', 'item']]
  of_user = pairs[liked].groupby('user', sort=False)['item']
  left = pd.Series(-1, pairs.index)  # liked items of the user that are still to come
  left[liked] = of_user.cumcount(ascending=False)
  many = pd.Series(False, pairs.index)
  many[liked] = of_user.transform('size') >= LEAST
  masks = {'test': many & (left == 0), 'valid': many & (left == 1)}
  masks['train'] = pd.Series(liked, pairs.index) & ~masks['test'] & ~masks['valid']
  pick = lambda mask: pairs[mask].reset_index(drop=True)
  place = pd.Series(np.arange(len(pairs)), pairs.index)
  asked = {
    split: pairs['user'].map(dict(zip(pairs['user'][masks[split]], place[masks[split]]))) for split in ('valid', 'test')
  }
  return (
    {split: pick(masks[split]) for split in SPLITS},
    {split: pick(asked[split].isna() | (place < asked[split])) for split in asked},
  )


def deal_users(shop: Shop, shares: tuple[float, float, float], seed: int) -> dict[str, pd.Index]:
  """Returns the `users` of a Split; which they are does not depend on any label."""
  names = shop.users.index.sort_values()
  dealt = np.random.RandomState(seed).permutation(len(names))
  ends = np.rint(np.cumsum(shares) * len(names)).astype(int)
  return {split: names[np.sort(part)] for split, part in zip(SPLITS, np.split(dealt, ends[:2]))}


def deal_facts(facts: pd.DataFrame, shares: tuple[float, float, float], seed: int) -> dict[str, pd.DataFrame]:
  """Returns the `facts` of a Split: all facts of two entities, in both directions, are in one of its parts.

  So a relation and its inverse, such as film.film.directed_by and film.director.film, never lie on two sides.
  """
  facts = facts[list(TRIPLE)].drop_duplicates().sort_values(list(TRIPLE), ignore_index=True)
  if not len(facts):
    return dict.fromkeys(SPLITS, facts)
  ends, names = pd.factorize(pd.concat([facts['head'], facts['tail']]), sort=True)
  heads, tails = np.split(ends.astype(np.int64), 2)
  relations, kinds = pd.factorize(facts['relation'], sort=True)
  pairs = np.minimum(heads, tails) * len(names) + np.maximum(heads, tails)
  groups = np.unique(pairs, return_inverse=True)[1]
  dealt = splits.split_triples(np.stack([heads, relations, tails], axis=1).astype(np.int32), groups, shares, seed)
  return {
    split: pd.DataFrame({'head': names[ids[:, 0]], 'relation': kinds[ids[:, 1]], 'tail': names[ids[:, 2]]})
    for split, ids in dealt.items()
  }
