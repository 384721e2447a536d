"""Deals triples into train, valid and test."""

import collections
from collections.abc import Iterable, Sequence

from jaxtyping import Int
import numpy as np

from medjax import errors

NAMES = ('train', 'valid', 'test')
TRIES = 200  # orders in which groups are tried where few can be spared
WORK = 2_000_000  # groups looked at in all of them, at most


def check_shares(shares: Iterable[str | float]) -> tuple[float, ...]:
  """Three shares that sum to 1 as a tuple of float, those of valid and test perhaps 0, or a DataError."""
  try:
    values = tuple(float(share) for share in shares)
  except (TypeError, ValueError):
    values = ()
  fits = len(values) == 3 and values[0] > 0 and min(values) >= 0 and abs(sum(values) - 1) <= 1e-6
  if not fits:
    raise errors.DataError(
      f'data.split is {shares!r}, but has to be three shares of train, valid and test that sum to 1, e.g. '
      '0.8,0.1,0.1; or 1,0,0 to train on everything.'
    )
  return values


def split_triples(
  triples: Int[np.ndarray, 'M 3'], groups: Int[np.ndarray, ' M'], shares: Sequence[float], seed: int
) -> dict[str, Int[np.ndarray, '_ 3']]:
  """Splits triples so that groups stay whole and train names every entity and relation.

  The first groups of a random order to name an entity (as head, if it ever is one) or a relation go to train. Where
  that leaves too few for valid and test, groups are held out one by one as long as train names everything without
  them.

  Args:
    triples: int32 [M, 3].
    groups: int [M] in 0..G-1; triples of one group end in the same split.
    shares: of the groups, for train, valid and test.
    seed: of the order in which groups are dealt.

  Returns:
    dict of split -> int32 [., 3], each in the order of `triples`.
  """
  count = int(groups.max(initial=-1)) + 1
  # RandomState, since numpy promises its stream for good and that of default_rng only within a version
  rank = np.random.RandomState(seed).permutation(count)[groups]
  order = np.argsort(rank, kind='stable')
  needed = np.zeros(count, bool)  # groups that are the first to name an entity or a relation
  names = np.concatenate([triples[order, 0], triples[order, 2]]), triples[order, 1]
  for values in names:
    _, first = np.unique(values, return_index=True)
    needed[rank[order[first % len(order)]]] = True
  train_end, test_start = round(shares[0] * count), round((shares[0] + shares[1]) * count)
  sizes = np.array([test_start - train_end, count - test_start])
  wanted = np.maximum(sizes, np.array(shares[1:]) > 0)
  if (sizes < wanted).any() or count - needed.sum() < wanted.sum():
    return _sparing(triples, rank, wanted, seed)
  places = np.empty(count, int)  # the needed groups are dealt first, hence to train
  places[np.argsort(~needed, kind='stable')] = np.arange(count)
  where = np.searchsorted([train_end, test_start], places[rank], side='right')
  return {split: triples[where == i] for i, split in enumerate(NAMES)}


def _sparing(
  triples: Int[np.ndarray, 'M 3'], rank: Int[np.ndarray, ' M'], wanted: Int[np.ndarray, ' 2'], seed: int
) -> dict[str, Int[np.ndarray, '_ 3']]:
  """Splits where few groups can be spared: takes those out of which all names still occur in what is left.

  Args:
    triples: int32 [M, 3].
    rank: [M], the place of a triple's group in a random order.
    wanted: groups for valid and for test; they get fewer, in proportion, where no more can be spared.
    seed: of the further orders that are tried where one does not spare enough for both.
  """
  order = np.argsort(rank, kind='stable')
  keys = np.stack([triples[:, 0], triples[:, 2], triples[:, 1] + triples[:, ::2].max(initial=-1) + 1], 1)[order]
  groups = [list(collections.Counter(part.ravel().tolist()).items()) for part in np.split(keys, _starts(rank[order]))]
  times = np.bincount(keys.ravel())
  least = int((wanted > 0).sum())
  tries = np.random.RandomState(seed)
  spare: list[int] = []
  walk = np.arange(len(groups))
  for _ in range(max(1, min(TRIES, WORK // len(groups)))):
    found = _spared(groups, walk, times.tolist(), int(wanted.sum()))
    spare = max(spare, found, key=len)
    if len(spare) >= least:
      break
    walk = tries.permutation(len(groups))
  valid = round(len(spare) * int(wanted[0]) / max(int(wanted.sum()), 1))
  if least == 2 and len(spare) >= 2:
    valid = min(max(valid, 1), len(spare) - 1)
  place = np.zeros(len(groups), int)
  place[spare[:valid]], place[spare[valid:]] = 1, 2
  return {split: triples[place[rank] == i] for i, split in enumerate(NAMES)}


def _starts(values: Int[np.ndarray, ' M']) -> Int[np.ndarray, ' starts']:
  """Where a new value begins in a sorted array, but for the first."""
  return np.flatnonzero(np.diff(values)) + 1


def _spared(groups: Sequence[list[tuple[int, int]]], walk: Iterable[int], times: list[int], wanted: int) -> list[int]:
  """Groups, in the order of a walk, without which every name occurs still; `times` counts the names and is used up."""
  spare: list[int] = []
  for group in walk:
    if len(spare) == wanted:
      break
    if all(times[name] > number for name, number in groups[group]):
      spare.append(int(group))
      for name, number in groups[group]:
        times[name] -= number
  return spare
