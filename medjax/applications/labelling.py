"""User labelling: attributes of users whose labels no training has seen, from their cropped embeddings.

Softmax regression on standardised features, of which validation users choose the strength of an L2 penalty. Beside it
stand the most frequent value, and the same regression on what users liked, reduced to as many numbers as a width has.

Shape letters: U users, n of them, D features, V values, P parameters.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from jaxtyping import Float, Int
import numpy as np
from scipy import optimize, sparse, special
from scipy.sparse import linalg

from medjax.applications import graph as graph_lib
from medjax.applications import metrics
from medjax.applications.results import Result
from medjax.applications.shop import Shop
from medjax.applications.split import Split, SPLITS

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # of the penalty, against the mean cross-entropy
ITERATIONS = 200  # of L-BFGS, at most
NAME = 'labelling'
Features = Float[np.ndarray, 'U D']


class Labels(NamedTuple):
  """The labels of one attribute, of the users of whom it is known.

  Attributes:
    rows: {'train', 'valid', 'test': rows of shop.users}.
    values: {'train', 'valid', 'test': places in shop.labels}.
    kinds: how many values there are.
  """

  rows: dict[str, Int[np.ndarray, ' n']]
  values: dict[str, Int[np.ndarray, ' n']]
  kinds: int


def labels_of(shop: Shop, split: Split, attribute: str) -> Labels:
  """Returns the `Labels` of an attribute."""
  known = shop.users[attribute].dropna()
  place = {value: i for i, value in enumerate(shop.labels[attribute])}
  of_split = {part: known[known.index.isin(split.users[part])] for part in SPLITS}
  return Labels(
    {part: shop.users.index.get_indexer(column.index) for part, column in of_split.items()},
    {part: np.array([place[value] for value in column], np.int64) for part, column in of_split.items()},
    len(place),
  )


def evaluate(shop: Shop, split: Split, features: Features) -> list[Result]:
  """Returns accuracy and macro F1 of every attribute on test users, with the deviations of a bootstrap.

  Args:
    shop, split: the `Shop`, its `Split`.
    features: a row for every user of the shop; those of a width, or others.
  """
  return judged(shop, split, lambda labels: predict(features, labels))


def majority(shop: Shop, split: Split) -> list[Result]:
  """Returns the same of the value that most train users have."""
  most = lambda labels: np.bincount(labels.values['train'], minlength=labels.kinds).argmax()
  return judged(shop, split, lambda labels: np.full(len(labels.values['test']), most(labels)))


def judged(shop: Shop, split: Split, answer: Callable[[Labels], Int[np.ndarray, ' n']]) -> list[Result]:
  """Returns the results of answer(labels) -> values of the test users; attributes without users of a part are out."""
  found = []
  for attribute in shop.labels:
    labels = labels_of(shop, split, attribute)
    if not all(map(len, labels.values.values())):
      continue
    true, said = labels.values['test'], answer(labels)
    for name, measure in (('accuracy', metrics.accuracy), ('macro F1', metrics.macro_f1)):
      found.append(Result(NAME, f'{attribute} {name}', measure(true, said), metrics.bootstrap(measure, true, said)))
  for name in ('accuracy', 'macro F1'):
    of_all = [one.value for one in found if one.metric.endswith(name)]
    if of_all:
      found.append(Result(NAME, f'mean {name}', float(np.mean(of_all))))
  return found


def predict(features: Features, labels: Labels) -> Int[np.ndarray, ' n']:
  """Returns the values of the test users, under the strength that suits the validation users best."""
  train = features[labels.rows['train']]
  middle, size = train.mean(0), train.std(0)
  parts = {part: (features[rows] - middle) / np.where(size > 0, size, 1) for part, rows in labels.rows.items()}
  fits = [fit(parts['train'], labels.values['train'], strength, labels.kinds) for strength in STRENGTHS]
  losses = [cross_entropy(one, parts['valid'], labels.values['valid']) for one in fits]
  best = min(reversed(range(len(fits))), key=losses.__getitem__)  # of equals the strongest
  return scores(fits[best], parts['test']).argmax(1)


def fit(
  features: Features, values: Int[np.ndarray, ' n'], strength: float, kinds: int
) -> tuple[Float[np.ndarray, 'D V'], Float[np.ndarray, ' V']]:
  """Returns weights and biases that minimise the mean cross-entropy plus strength / 2 times the weights' squares."""
  split = lambda flat: (flat[kinds:].reshape(-1, kinds), flat[:kinds])
  objective = lambda flat: penalised(split(flat), features, values, strength)
  start = np.zeros(kinds * (features.shape[1] + 1))
  found = optimize.minimize(objective, start, jac=True, method='L-BFGS-B', options={'maxiter': ITERATIONS})
  return split(found.x)


def penalised(
  params: tuple[Float[np.ndarray, 'D V'], Float[np.ndarray, ' V']],
  features: Features,
  values: Int[np.ndarray, ' n'],
  strength: float,
) -> tuple[float, Float[np.ndarray, ' P']]:
  """Returns what `fit` minimises, and its gradient with respect to biases and weights, one after the other."""
  weights, _ = params
  loss = cross_entropy(params, features, values) + strength / 2 * float(np.square(weights).sum())
  wrong = special.softmax(scores(params, features), axis=1)
  wrong[np.arange(len(values)), values] -= 1
  wrong /= len(values)
  return loss, np.concatenate([wrong.sum(0), (features.T @ wrong + strength * weights).ravel()])


def scores(params: tuple[Float[np.ndarray, 'D V'], Float[np.ndarray, ' V']], features: Features) -> np.ndarray:
  """Returns the logits of softmax regression, [n, V]."""
  weights, bias = params
  return features @ weights + bias


def cross_entropy(
  params: tuple[Float[np.ndarray, 'D V'], Float[np.ndarray, ' V']], features: Features, values: Int[np.ndarray, ' n']
) -> float:
  """Returns the mean cross-entropy of softmax regression."""
  logits = scores(params, features)
  return float(np.mean(special.logsumexp(logits, axis=1) - logits[np.arange(len(values)), values]))


def liked_items(shop: Shop, split: Split, widths: Iterable[int]) -> Mapping[int, Features]:
  """Returns {width: what users liked in training as so many numbers}, by a truncated singular value decomposition."""
  table = graph_lib.matrix(shop, split.likes['train']).astype(np.float64)
  most = max(1, min(table.shape) - 1)
  left, sizes, _ = linalg.svds(sparse.csr_matrix(table), k=min(max(widths), most), random_state=0)
  reduced = (left * sizes)[:, ::-1].astype(np.float32)  # svds gives the smallest first
  return {width: reduced[:, :width] for width in widths}
