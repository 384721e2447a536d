"""What recommendations by embeddings of a graph are compared with: methods that know nothing but who liked what.

Popularity, neighbours of items, and two factorisations of the package `implicit` (extra `applications`). Each is tuned
on validation by a small grid, which stands here.

Shape letters: U users, I items.
"""

from collections.abc import Callable, Iterable, Iterator
import functools
import itertools
from typing import Any, NamedTuple

from jaxtyping import Float
import numpy as np
from scipy import sparse

from medjax.errors import UsageError

NEAREST, SHRINKAGE = (20, 50, 100, 200), (0.0, 10.0, 100.0)  # of item-kNN
BLOCK = 1024  # items whose neighbours are looked for at once
GRIDS: dict[str, dict[str, tuple[float, ...]]] = {
  'BPR-MF': {'learning_rate': (0.02, 0.05), 'regularization': (0.001, 0.01, 0.05), 'iterations': (100,)},
  'ALS': {'regularization': (0.01, 1.0, 10.0), 'alpha': (1.0, 5.0, 20.0), 'iterations': (15,)},
}
Point = dict[str, Any]
Scores = Float[np.ndarray, 'U I']


class Scorer(NamedTuple):
  """A fitted method.

  Attributes:
    scores: [U, I] of rows of users.
    params: numbers that it holds.
  """

  scores: Callable[[np.ndarray], Scores]
  params: int


def popularity(likes: sparse.csr_array) -> Scorer:
  """How many users liked an item in training."""
  counts = np.asarray(likes.astype(np.float32).sum(0)).ravel()
  return Scorer(lambda users: np.broadcast_to(counts, (len(users), len(counts))), len(counts))


def neighbours(likes: sparse.csr_array) -> Iterator[Scorer]:
  """Yields item-kNN of every point of the grid: the cosines of an item's k nearest, summed over what a user liked.

  The cosine is x y / (|x| |y| + shrinkage), so that items which few users liked count less.
  """
  table = likes.astype(np.float32)
  size = np.sqrt(np.asarray(table.sum(0)).ravel())
  columns = table.tocsc()
  for k, shrinkage in itertools.product(NEAREST, SHRINKAGE):
    near = []
    for first in range(0, table.shape[1], BLOCK):
      block = np.arange(first, min(first + BLOCK, table.shape[1]))
      shared = (columns.T @ columns[:, block]).toarray()
      shared[block, block - first] = 0
      cosine = shared / np.maximum(np.outer(size, size[block]) + shrinkage, 1e-9)
      least = np.partition(cosine, -min(k, len(cosine)), axis=0)[-min(k, len(cosine))]
      near.append(sparse.csc_array(np.where(cosine >= least, cosine, 0)))
    joined = sparse.hstack(near, format='csr')
    yield Scorer(functools.partial(_summed, table, joined), int(joined.nnz))


def grid(method: str) -> list[Point]:
  """Returns the points of the grid of 'BPR-MF' or 'ALS'."""
  values = GRIDS[method]
  return [dict(zip(values, point)) for point in itertools.product(*values.values())]


def factors(method: str, likes: sparse.csr_array, width: int, seed: int, points: Iterable[Point]) -> Iterator[Scorer]:
  """Yields 'BPR-MF' or 'ALS' under each of these points.

  Args:
    method: the name.
    likes: bool [U, I], of training.
    width: numbers per user and item; BPR-MF has a bias of every item besides.
    seed: of the first factors.
    points: see `grid`.

  Raises:
    UsageError: the package is missing.
  """
  library = implicit()
  import threadpoolctl  # which implicit needs and brings

  makers = {'BPR-MF': library.bpr.BayesianPersonalizedRanking, 'ALS': library.als.AlternatingLeastSquares}
  table = sparse.csr_matrix(likes.astype(np.float32))
  for point in points:
    with threadpoolctl.threadpool_limits(1, 'blas'):
      # with several threads, no two fits would be the same
      model = makers[method](factors=width, random_state=seed, num_threads=1, **point)
      model.fit(table, show_progress=False)
    users, items = np.array(model.user_factors), np.array(model.item_factors)
    yield Scorer(functools.partial(_products, users, items), users.size + items.size)


def implicit() -> Any:
  """Returns the package of the factorisations; raises UsageError, which says how to get it, where it is missing."""
  try:
    import implicit.als
    import implicit.bpr
  except ImportError:
    raise UsageError(
      "BPR-MF and ALS are those of the package implicit; install it: pip install 'medjax[applications]'"
    ) from None
  return implicit


def _summed(table: sparse.csr_array, near: sparse.csr_array, rows: np.ndarray) -> Scores:
  return (table[rows] @ near).toarray()


def _products(users: np.ndarray, items: np.ndarray, rows: np.ndarray) -> Scores:
  return users[rows] @ items.T
