"""Rank-based metrics."""

from typing import Any

from jaxtyping import Num
import numpy as np

METRICS = ('mrr', 'hits1', 'hits3', 'hits10', 'mr', 'amri')


def from_ranks(ranks: Num[np.ndarray, 'Q ...'], candidates: Num[np.ndarray, ' Q']) -> dict[str, Any]:
  """Returns the metrics of ranks [Q] or [Q, N], as a dict of floats or arrays [N].

  >>> found = from_ranks(np.array([1, 2, 4]), candidates=np.array([10, 10, 10]))
  >>> {name: f'{value:.3f}' for name, value in found.items()}['mrr']
  '0.583'

  Args:
    ranks: filtered ranks, 1 = best.
    candidates: [Q] entities that competed for each rank, the true answer included.

  mrr is the mean reciprocal rank, hits@k the share of ranks <= k, mr the mean rank, and amri the adjusted
  mean rank index, 1 - (mr - 1) / (expected mr - 1) (Berrendorf et al., 2020): 0 for random scores.
  """
  # column by column: the sums of a width are added in the same order, however many other widths there are
  ranks = np.asarray(ranks, np.float64, order='F')
  if len(ranks) == 0:
    nothing = np.full(ranks.shape[1:], np.nan)
    return dict.fromkeys(METRICS, nothing)
  expected_excess = np.mean((np.asarray(candidates) - 1) / 2)
  mr = ranks.mean(0)
  return {
    'mrr': (1 / ranks).mean(0),
    'hits1': (ranks <= 1).mean(0),
    'hits3': (ranks <= 3).mean(0),
    'hits10': (ranks <= 10).mean(0),
    'mr': mr,
    'amri': 1 - (mr - 1) / expected_excess if expected_excess > 0 else np.full(np.shape(mr), np.nan),
  }
