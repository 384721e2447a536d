"""Deals triples into train, valid and test."""

from collections.abc import Iterable, Sequence

from jaxtyping import Int
import numpy as np

from medjax import errors

NAMES = ('train', 'valid', 'test')


def check_shares(shares: Iterable[str | float]) -> tuple[float, ...]:
  """Three positive shares that sum to 1 as a tuple of float, or a DataError."""
  try:
    values = tuple(float(share) for share in shares)
  except (TypeError, ValueError):
    values = ()
  if len(values) != 3 or not all(0 < value < 1 for value in values) or abs(sum(values) - 1) > 1e-6:
    raise errors.DataError(
      f'data.split is {shares!r}, but has to be three positive shares of train, valid '
      'and test that sum to 1, e.g. 0.8,0.1,0.1.'
    )
  return values


def split_triples(
  triples: Int[np.ndarray, 'M 3'], groups: Int[np.ndarray, ' M'], shares: Sequence[float], seed: int
) -> dict[str, Int[np.ndarray, '_ 3']]:
  """Splits triples so that groups stay whole and train names every entity and relation.

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
  places = np.empty(count, int)  # the needed groups are dealt first, hence to train
  places[np.argsort(~needed, kind='stable')] = np.arange(count)
  train_end = max(round(shares[0] * count), int(needed.sum()))
  test_start = max(train_end, round((shares[0] + shares[1]) * count))
  where = np.searchsorted([train_end, test_start], places[rank], side='right')
  return {split: triples[where == i] for i, split in enumerate(NAMES)}
