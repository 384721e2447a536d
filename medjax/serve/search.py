"""The best of many scores, exactly: ties go to the smaller id, whatever else is asked at the same time."""

from concurrent import futures
import os

from jaxtyping import Float32, Int
import numpy as np

SHARE = 1 << 18  # scores from which on several workers are worth waking
GROUP = 8
FEW = 2 * GROUP**2  # scores for each that is wanted, up to which all of them are sorted


def top_k(scores: Float32[np.ndarray, 'Q E'], k: int) -> tuple[Int[np.ndarray, 'Q k'], Float32[np.ndarray, 'Q k']]:
  """Returns (ids, scores) of the k best of each row, best first; of equal ones the smaller id comes first.

  >>> ids, best = top_k(np.array([[1.0, 3.0, 2.0, 3.0]], np.float32), 3)
  >>> ids.tolist(), best.tolist()
  ([[1, 3, 2]], [[3.0, 3.0, 2.0]])

  Args:
    scores: float32 [Q, E]; what is not a number is worse than everything.
    k: how many, at most E.
  """
  if len(scores) == 1 and 0 < k < scores.shape[1]:
    return _of_one(scores, k)
  if k and scores.shape[1] > FEW * k and not np.isnan(group := _groups(level := _groups(scores))).any():
    return _of_groups(scores, level, group, k)
  ids = np.argsort(-scores, 1, kind='stable')[:, :k]  # a sort puts what is not a number at the end
  return ids, np.take_along_axis(scores, ids, 1)


def _of_one(scores, k):
  """The same of one row, where every call counts."""
  row = scores[0]
  order = np.argpartition(row, len(row) - k - 1)[len(row) - k - 1 :]
  ids, next_best = order[1:], row[order[0]]
  best = row[ids]
  untied = best.min() > next_best  # else chance chose of equal ones, or something is not a number
  ids = ids[np.lexsort((ids, -best))] if untied else np.argsort(-row, kind='stable')[:k]
  return ids[None], row[ids][None]


def _groups(values):
  """The best of each group of `GROUP`; group i is that of columns i, i + n, i + 2 n, ... of n groups."""
  count = values.shape[1] // GROUP
  return np.maximum.reduce(values[:, : count * GROUP].reshape(len(values), GROUP, count), 1)


def _of_groups(scores, level, group, k):
  """The best k from the k best groups of groups: which saves looking at all scores more than once."""
  columns, next_group = _best(group, k)
  columns = _members(columns, group.shape[1], level.shape[1])
  chosen, next_level = _best(np.take_along_axis(level, columns, 1), k)
  ids = np.sort(_members(np.take_along_axis(columns, chosen, 1), level.shape[1], scores.shape[1]), 1)
  values = np.take_along_axis(scores, ids, 1)
  order = np.argsort(-values, 1, kind='stable')[:, : k + 1]
  ids, values = np.take_along_axis(ids, order, 1), np.take_along_axis(values, order, 1)
  beyond = np.maximum(np.maximum(next_group, next_level), values[:, k])
  for row in np.flatnonzero(beyond >= values[:, k - 1]):  # which of equal ones were chosen is chance
    ids[row, :k] = np.argsort(-scores[row], kind='stable')[:k]
  return ids[:, :k], np.take_along_axis(scores, ids[:, :k], 1)


def _best(values, k):
  """The columns [Q, k] of the k best of each row, in any order, and the best value [Q] of the rest."""
  order = np.argpartition(values, -k - 1, 1)
  return order[:, -k:], np.take_along_axis(values, order[:, -k - 1 : -k], 1)[:, 0]


def _members(groups, count, size):
  """The columns, of `size`, in chosen ones of `count` groups, and those that are in no group."""
  inside = (groups[:, :, None] + count * np.arange(GROUP)).reshape(len(groups), -1)
  rest = np.arange(count * GROUP, size)
  return np.concatenate([inside, np.broadcast_to(rest, (len(groups), len(rest)))], 1)


_pool: list[futures.ThreadPoolExecutor] = []


def workers() -> futures.ThreadPoolExecutor:
  """Returns the threads that share work which NumPy does without holding the interpreter: one for each processor."""
  if not _pool:
    count = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    _pool.append(futures.ThreadPoolExecutor(count, thread_name_prefix='medjax'))
  return _pool[0]
