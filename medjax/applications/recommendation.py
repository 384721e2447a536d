"""Recommendation: the items that a user likes next, ranked among all items that the user has not seen.

Shape letters: Q questions, I items.
"""

from collections.abc import Callable, Iterable
import statistics
import time
from typing import NamedTuple

from jaxtyping import Bool, Float, Int
import numpy as np

from medjax.applications import graph as graph_lib
from medjax.applications import metrics
from medjax.applications.baselines import Scorer
from medjax.applications.results import Result
from medjax.applications.shop import LIKES, Shop
from medjax.applications.split import Split
from medjax.serve import spaces, vectors
from medjax.serve.model import Model

NAME = 'recommendation'
TIMED = 50  # users
BEST = 10  # items that are shown
TUNED = 'NDCG@10'  # on validation


class Asked(NamedTuple):
  """Users, and the item of each that was held out.

  Attributes:
    users: rows of shop.users.
    items: rows of shop.items.
    seen: what is not recommended, since the user had to do with it before.
  """

  users: Int[np.ndarray, ' Q']
  items: Int[np.ndarray, ' Q']
  seen: Bool[np.ndarray, 'Q I']


def asked(shop: Shop, split: Split, part: str, most: int) -> Asked:
  """Returns what is asked in 'valid' or 'test', of at most so many users, evenly spaced."""
  pairs = split.likes[part]
  pairs = pairs.iloc[np.linspace(0, len(pairs) - 1, min(most, len(pairs))).astype(int)]
  users = shop.users.index.get_indexer(pairs['user'])
  seen = graph_lib.matrix(shop, split.seen[part])[users].toarray()
  return Asked(users, shop.items.index.get_indexer(pairs['item']), seen)


def by_relation(model: Model, shop: Shop) -> Callable[[Int[np.ndarray, ' Q']], Float[np.ndarray, 'Q I']]:
  """Returns users -> the scores of (user, likes, item), float32; -inf for those that the model does not know."""
  places = graph_lib.places(shop, model.graph)
  known, likes = np.flatnonzero(places.items >= 0), places.relations[LIKES]
  # laid out once are the items alone, which a question reads in order
  space = spaces.of_rows(model.description.score, vectors.rows_of(model, 'entity', places.items[known]))

  def scores(users):
    found = np.full((len(users), len(places.items)), -np.inf, np.float32)
    asks = np.flatnonzero(places.users[users] >= 0)
    query = vectors.query_rows(model, 'tail', places.users[users[asks]], np.full(len(asks), likes))
    found[np.ix_(asks, known)] = model.affine(spaces.raw_scores(space, query)) if len(asks) else 0
    return found

  return scores


def milliseconds(scores: Callable[[Int[np.ndarray, ' 1']], Float[np.ndarray, '1 I']], questions: Asked) -> float:
  """Returns the median time to find a user's ten best unseen items, one user after another, in ms."""
  taken = []
  for row in range(min(TIMED, len(questions.users)) + 1):
    row %= len(questions.users)
    begun = time.perf_counter()
    found = np.where(questions.seen[row], -np.inf, scores(questions.users[[row]])[0])
    best = np.argpartition(-found, min(BEST, len(found) - 1))[:BEST]
    best[np.argsort(-found[best])]
    taken.append(1000 * (time.perf_counter() - begun))
  return statistics.median(taken[1:])  # the first one lays the entities out


def judged(scores: Float[np.ndarray, 'Q I'], questions: Asked, ms: float = float('nan')) -> list[Result]:
  """Returns all measures of scores, with the deviations of a bootstrap over users."""
  where = metrics.standing(scores, questions.items, questions.seen)
  found = []
  for name, measure in metrics.MEASURES.items():
    values = measure(where)
    found.append(Result(NAME, name, float(values.mean()), metrics.bootstrap(lambda x: float(x.mean()), values), ms))
  return found


def merit(scores: Float[np.ndarray, 'Q I'], questions: Asked) -> float:
  """Returns what is tuned by: NDCG@10 on validation."""
  return float(metrics.MEASURES[TUNED](metrics.standing(scores, questions.items, questions.seen)).mean())


def best(scorers: Iterable[Scorer], valid: Asked) -> Scorer:
  """Returns the fitted method with the greatest merit on validation; of equals the first."""
  return max(scorers, key=lambda scorer: merit(scorer.scores(valid.users), valid))
