"""The best of many scores, exactly: ties go to the smaller id, whatever else is asked at the same time."""

from concurrent import futures
import os

from jaxtyping import Float32, Int
import numpy as np

SHARE = 1 << 18  # scores that one worker selects from at a time


def top_k(scores: Float32[np.ndarray, 'Q E'], k: int) -> tuple[Int[np.ndarray, 'Q k'], Float32[np.ndarray, 'Q k']]:
  """Returns (ids, scores) of the k best of each row, best first; of equal ones the smaller id comes first.

  >>> ids, best = top_k(np.array([[1.0, 3.0, 2.0, 3.0]], np.float32), 3)
  >>> ids.tolist(), best.tolist()
  ([[1, 3, 2]], [[3.0, 3.0, 2.0]])

  Args:
    scores: float32 [Q, E]; what is not a number is worse than everything.
    k: how many, at most E.
  """
  rows = max(1, SHARE // scores.shape[1])
  if len(scores) <= rows:
    return _top_k(scores, k)
  parts = [scores[first : first + rows] for first in range(0, len(scores), rows)]
  found = [*workers().map(lambda part: _top_k(part, k), parts)]
  return np.concatenate([ids for ids, _ in found]), np.concatenate([best for _, best in found])


def _top_k(scores, k):
  ranked = -scores  # a partition sorts what is not a number to the end
  if k + 1 < scores.shape[1]:
    ids = np.argpartition(ranked, k, 1)[:, : k + 1]
    values = np.take_along_axis(ranked, ids, 1)
    ids, untied = ids[:, :k], values[:, :k].max(1, initial=-np.inf) < values[:, k]
    for row in np.flatnonzero(~untied):  # which of the equal ones were taken is chance
      ids[row] = np.argsort(ranked[row], kind='stable')[:k]
  else:
    ids = np.argsort(ranked, 1, kind='stable')[:, :k]
  values = np.take_along_axis(ranked, ids, 1)
  order = np.lexsort((ids, values), axis=1)
  ids, values = (np.take_along_axis(x, order, 1) for x in (ids, values))
  return ids, -values


_pool: list[futures.ThreadPoolExecutor] = []


def workers() -> futures.ThreadPoolExecutor:
  """Returns the threads that share work which NumPy does without holding the interpreter: one for each processor."""
  if not _pool:
    count = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    _pool.append(futures.ThreadPoolExecutor(count, thread_name_prefix='medjax'))
  return _pool[0]
