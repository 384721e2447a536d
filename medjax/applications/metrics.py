"""How good a full ranking of items is, and how sure a mean over users is.

Every user asks for one item. Items that score as high as it are in an unknown order, and each order counts alike, so a
score that knows nothing gets what chance gives.

Shape letters: Q questions, I items, n values.
"""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Bool, Float, Int
import numpy as np

DRAWS = 1000  # of the bootstrap


class Standing(NamedTuple):
  """Where the item that is asked for stands in each ranking.

  Attributes:
    better: how many items score higher, int [Q].
    equal: how many score the same, itself among them, int [Q].
  """

  better: Int[np.ndarray, ' Q']
  equal: Int[np.ndarray, ' Q']


def standing(
  scores: Float[np.ndarray, 'Q I'], asked: Int[np.ndarray, ' Q'], left_out: Bool[np.ndarray, 'Q I']
) -> Standing:
  """Returns the `Standing` of the items that are asked for among those that are not left out.

  Args:
    scores: higher is better; NaN counts as the lowest.
    asked: a column for every row.
    left_out: what does not compete, such as what a user has seen; the item that is asked for always does.
  """
  scores = np.where(np.isnan(scores), -np.inf, scores)
  rows = np.arange(len(scores))
  competes = ~np.asarray(left_out)
  competes[rows, asked] = True
  own = scores[rows, asked][:, None]
  return Standing(((scores > own) & competes).sum(1), ((scores == own) & competes).sum(1))


def hits(where: Standing, k: int) -> Float[np.ndarray, ' Q']:
  """Returns the chance that the item is among the best k; with one item a user, recall@k is the same."""
  return np.clip((k - where.better) / where.equal, 0.0, 1.0)


def ndcg(where: Standing, k: int) -> Float[np.ndarray, ' Q']:
  """Returns NDCG@k, 1 / log2(1 + rank) up to rank k and 0 beyond, as the mean over the ranks that ties allow."""
  gains = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
  first, last = np.minimum(where.better, k), np.minimum(where.better + where.equal, k)
  return (gains[last] - gains[first]) / where.equal


MEASURES: dict[str, Callable[[Standing], Float[np.ndarray, ' Q']]] = {
  'NDCG@5': lambda where: ndcg(where, 5),
  'NDCG@10': lambda where: ndcg(where, 10),
  'Hit@5': lambda where: hits(where, 5),
  'Hit@10': lambda where: hits(where, 10),
  'recall@20': lambda where: hits(where, 20),
}


def accuracy(true: Int[np.ndarray, ' n'], said: Int[np.ndarray, ' n']) -> float:
  """Returns the share of values that are right."""
  return float(np.mean(true == said))


def macro_f1(true: Int[np.ndarray, ' n'], said: Int[np.ndarray, ' n']) -> float:
  """Returns the mean F1 of the values that are true or said somewhere; one that is never right has 0."""
  values = np.union1d(true, said)[:, None]
  right = ((true == values) & (said == values)).sum(1)
  return float(np.mean(2 * right / ((true == values).sum(1) + (said == values).sum(1))))


def bootstrap(measure: Callable[..., float], *columns: Int[np.ndarray, ' n'] | Float[np.ndarray, ' n']) -> float:
  """Returns the standard deviation of a measure over users drawn again and again, with replacement.

  Args:
    measure: of equally long columns.
    *columns: a value for every user.
  """
  draw = np.random.RandomState(0)
  size = len(columns[0])
  drawn = (draw.randint(size, size=size) for _ in range(DRAWS))
  return float(np.std([measure(*(column[rows] for column in columns)) for rows in drawn]))
