"""The draws of a synthetic shop of any size: who its users are, what they buy and view, and what its items are.

Published is a graph of 7 million users and 50.7 million triples; `Market` keeps that proportion, and all others are its
own. Every user has a taste (one of 12) and a budget (one of 3), which nobody sees. A taste decides on categories, and
with what chance on age and gender; a budget on the price band of what is bought, and both on the occupation. So labels
can be told from purchases, and purchases from purchases, better than by chance, and never for certain. Cities tell
nothing. Users, items of a category and brands follow power laws.

Users are drawn in chunks of a fixed size, each from a stream of its own, so that the same fields give the same numbers,
and memory does not grow with the number of users.
"""

from collections.abc import Iterator
import dataclasses
import functools
from typing import NamedTuple

from jaxtyping import Float, Int
import numpy as np

from medjax.errors import ConfigError

CHUNK = 250_000  # users
PUBLISHED = 7_000_000, 50_700_000  # users and triples
FEWEST = 1000  # users, below which items and attributes leave too few triples for interactions
TASTES, BUDGETS = 12, 3
VALUES = {'age_group': 7, 'gender': 2, 'occupation': 20, 'city': 300}
KNOWN = {'age_group': 0.6, 'gender': 0.8, 'occupation': 0.3, 'city': 0.6}  # the share of users of whom it is known
LABELS = ('age_group', 'gender', 'occupation')
RELATIONS = ('viewed', 'bought')
BOUGHT = 0.4  # of the interactions
LEAST = 3  # purchases of a user of whom one is validated on and one tested on
ACTIVITY, POPULARITY = 0.5, 0.8  # exponents of the power laws of users, and of items, categories and brands


class Chunk(NamedTuple):
  """What is drawn for the users from `first` on.

  Attributes:
    first: the number of the first user.
    attributes: {attribute: value of every user, -1 where it is not known}.
    labelled: 0 where the labels of a user are trained on, 1 where validated, 2 where tested.
    users: of every interaction; these and the following are sorted by user, relation and item.
    relations: rows of RELATIONS.
    items: of every interaction.
    places: 0 where an interaction is trained on, 1 validated, 2 tested.
  """

  first: int
  attributes: dict[str, Int[np.ndarray, ' n']]
  labelled: Int[np.ndarray, ' n']
  users: Int[np.ndarray, ' m']
  relations: Int[np.ndarray, ' m']
  items: Int[np.ndarray, ' m']
  places: Int[np.ndarray, ' m']


class Fact(NamedTuple):
  """Facts of one relation: (kind, numbers) of their heads and tails."""

  head: tuple[str, Int[np.ndarray, ' n']]
  relation: str
  tail: tuple[str, Int[np.ndarray, ' n']]


@dataclasses.dataclass(frozen=True)
class Market:
  """The size and seed of a shop.

  Attributes:
    users: how many; all other numbers follow.
    held_out: users of whom a purchase is validated on and one tested on, and as many whose labels are validated on and
      as many whose labels are tested on; at most a tenth of the users each.
    seed: of all draws.

  Raises:
    ConfigError: fewer than 1000 users.
  """

  users: int = PUBLISHED[0]
  held_out: int = 10_000
  seed: int = 0

  def __post_init__(self) -> None:
    if self.users < FEWEST or self.held_out < 0:
      raise ConfigError(
        f'users is {self.users} and held_out {self.held_out}; take {FEWEST} users or more, and hold out 0 or more.'
      )

  @property
  def triples(self) -> int:
    """How many there are, of users, items and categories, held out or not."""
    return round(self.users * PUBLISHED[1] / PUBLISHED[0])

  @property
  def items(self) -> int:
    """A twentieth of the users, and 500 at least."""
    return max(self.users // 20, 500)

  @property
  def categories(self) -> int:
    """One for 30 items, and 600 at most."""
    return min(self.items // 30, 600)

  @property
  def sizes(self) -> dict[str, int]:
    """{kind of entity: how many there may be}."""
    brands = BUDGETS * max(self.items // 300, 1)
    kinds = {'user': self.users, 'item': self.items, 'category': self.categories, 'brand': brands}
    return kinds | {'price_band': BUDGETS, 'department': -(-self.categories // 10)} | VALUES

  @functools.cached_property
  def chances(self) -> dict[str, Float[np.ndarray, 'groups values']]:
    """The chances of values, of every group of users that differ in nothing else; each row sums to 1."""
    draw = np.random.RandomState([self.seed, 0])
    softmax = lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    popular = -POPULARITY * np.log(1 + draw.permutation(self.categories))
    occupations = draw.randn(TASTES, 1, VALUES['occupation']) + draw.randn(1, BUDGETS, VALUES['occupation'])
    return {
      'category': softmax(popular + 2 * draw.randn(TASTES, self.categories)),
      'age_group': softmax(1.5 * draw.randn(TASTES, VALUES['age_group'])),
      'gender': softmax(1.5 * draw.randn(TASTES, VALUES['gender'])),
      'occupation': softmax(1.2 * occupations).reshape(TASTES * BUDGETS, -1),
      'city': softmax(-np.log(1 + np.arange(VALUES['city'])))[None],
      'price_band': np.array([[0.75, 0.2, 0.05], [0.15, 0.7, 0.15], [0.05, 0.2, 0.75]]),
    }

  @functools.cached_property
  def shelves(self) -> Int[np.ndarray, ' shelves']:
    """Where the items of every category and price band begin, and the number of items; items of one are neighbours."""
    return np.linspace(0, self.items, self.categories * BUDGETS + 1).astype(np.int64)


def facts(market: Market) -> Iterator[Fact]:
  """Yields what is known of items and categories, a relation at a time."""
  draw = np.random.RandomState([market.seed, 1])
  items, categories = np.arange(market.items), np.arange(market.categories)
  shelf = np.searchsorted(market.shelves, items, side='right') - 1
  band = shelf % BUDGETS
  brand = power_law(draw.random_sample(market.items), market.sizes['brand'] // BUDGETS) * BUDGETS + band
  yield Fact(('item', items), 'category', ('category', shelf // BUDGETS))
  yield Fact(('item', items), 'brand', ('brand', brand))
  yield Fact(('item', items), 'price_band', ('price_band', band))
  yield Fact(('category', categories), 'part_of', ('department', categories // 10))


def chunks(market: Market) -> Iterator[Chunk]:
  """Yields the users chunk by chunk; their triples and the facts are `market.triples`, each another one."""
  of_items = 3 * market.items + market.categories
  held_out = min(market.held_out, market.users // 10)
  for number, first in enumerate(range(0, market.users, CHUNK)):
    last = min(first + CHUNK, market.users)
    share = lambda whole, first=first, last=last: whole * last // market.users - whole * first // market.users
    draw = np.random.RandomState([market.seed, 2, number])
    taste, budget = draw.randint(TASTES, size=last - first), draw.randint(BUDGETS, size=last - first)
    attributes = draw_attributes(market, draw, taste, budget)
    wanted = share(market.triples) - share(of_items) - sum(int((x >= 0).sum()) for x in attributes.values())
    users, relations, items = draw_interactions(market, draw, taste, budget, wanted)
    yield Chunk(
      first,
      attributes,
      hold_out_labels(draw, last - first, share(held_out)),
      first + users,
      relations,
      items,
      hold_out_purchases(draw, users, relations, share(held_out)),
    )


def draw_attributes(
  market: Market, draw: np.random.RandomState, taste: Int[np.ndarray, ' n'], budget: Int[np.ndarray, ' n']
) -> dict[str, Int[np.ndarray, ' n']]:
  """Returns the `attributes` of a Chunk."""
  groups = {'age_group': taste, 'gender': taste, 'occupation': taste * BUDGETS + budget, 'city': np.zeros_like(taste)}
  found = {}
  for name, group in groups.items():
    values = pick(market.chances[name], group, draw.random_sample(len(group)))
    found[name] = np.where(draw.random_sample(len(group)) < KNOWN[name], values, -1)
  return found


def draw_interactions(
  market: Market,
  draw: np.random.RandomState,
  taste: Int[np.ndarray, ' n'],
  budget: Int[np.ndarray, ' n'],
  wanted: int,
) -> tuple[Int[np.ndarray, ' wanted'], Int[np.ndarray, ' wanted'], Int[np.ndarray, ' wanted']]:
  """Returns (users, relations, items) of distinct interactions, sorted; every user has one at least."""

  def keys_of(users):
    category = pick(market.chances['category'], taste[users], draw.random_sample(len(users)))
    band = pick(market.chances['price_band'], budget[users], draw.random_sample(len(users)))
    shelf = category * BUDGETS + band
    size = market.shelves[shelf + 1] - market.shelves[shelf]
    items = market.shelves[shelf] + power_law(draw.random_sample(len(users)), size)
    return (users * 2 + (draw.random_sample(len(users)) < BOUGHT)) * market.items + items

  active = np.cumsum((1 - draw.random_sample(len(taste))) ** -ACTIVITY)
  keys = keys_of(np.arange(len(taste)))  # sorted, since those of a user are neighbours
  while (lacking := wanted - len(keys)) > 0:
    users = np.searchsorted(active, active[-1] * draw.random_sample(lacking + lacking // 8 + 16))
    new = np.sort(keys_of(users))
    known = keys[np.minimum(np.searchsorted(keys, new), len(keys) - 1)] == new
    new = new[(np.diff(new, prepend=-1) > 0) & ~known]
    keys = np.sort(np.concatenate([keys, new[draw.permutation(len(new))[:lacking]]]))
  users, relations = np.divmod(keys // market.items, 2)
  return users, relations, keys % market.items


def hold_out_labels(draw: np.random.RandomState, count: int, each: int) -> Int[np.ndarray, ' n']:
  """Returns the `labelled` of a Chunk of so many users, `each` of whom are validated on, and as many tested on."""
  labelled, order = np.zeros(count, np.int8), draw.permutation(count)
  labelled[order[:each]], labelled[order[each : 2 * each]] = 1, 2
  return labelled


def hold_out_purchases(
  draw: np.random.RandomState, users: Int[np.ndarray, ' m'], relations: Int[np.ndarray, ' m'], each: int
) -> Int[np.ndarray, ' m']:
  """Returns the `places` of a Chunk: of `each` users with three purchases, if there are so many, two are held out."""
  places, bought = np.zeros(len(users), np.int8), np.flatnonzero(relations)
  counts = np.bincount(users[bought])
  starts = np.cumsum(counts) - counts
  able = np.flatnonzero(counts >= LEAST)
  chosen = able[draw.permutation(len(able))[:each]]
  first, second = draw.random_sample((2, len(chosen)))
  test = (first * counts[chosen]).astype(np.int64)
  valid = (test + 1 + (second * (counts[chosen] - 1)).astype(np.int64)) % counts[chosen]
  places[bought[starts[chosen] + valid]], places[bought[starts[chosen] + test]] = 1, 2
  return places


def pick(
  chances: Float[np.ndarray, 'groups values'], group: Int[np.ndarray, ' n'], uniform: Float[np.ndarray, ' n']
) -> Int[np.ndarray, ' n']:
  """Returns a value of each group's chances for uniform draws of [0, 1)."""
  groups, values = chances.shape
  ends = (np.cumsum(chances, axis=1) + np.arange(groups)[:, None]).ravel()  # row g rises from g to g + 1
  return np.clip(np.searchsorted(ends, group + uniform, side='right') - group * values, 0, values - 1)


def power_law(uniform: Float[np.ndarray, ' n'], size: Int[np.ndarray, ' n'] | int) -> Int[np.ndarray, ' n']:
  """Returns ranks below `size` for uniform draws of [0, 1); rank k has a chance of about (k + 1)^-POPULARITY."""
  power = 1 - POPULARITY
  widest = (np.asarray(size) + 1.0) ** power
  ranks = (1 + uniform * (widest - 1)) ** (1 / power)
  return np.minimum(ranks.astype(np.int64), size) - 1
