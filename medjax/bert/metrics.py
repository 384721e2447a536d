"""What judges answers, as GLUE defines it; several figures of a task count by their mean.

Where a figure is not defined, because all answers or all labels are the same, it is 0, as Matthews' is by convention.
"""

from collections.abc import Callable, Sequence

from jaxtyping import Shaped
import numpy as np
from scipy import stats

Values = Shaped[np.ndarray, ' S']


def accuracy(answers: Values, labels: Values) -> float:
  """The share of right answers."""
  return float(np.mean(answers == labels))


def f1(answers: Values, labels: Values) -> float:
  """The harmonic mean of precision and recall of class 1."""
  right = np.sum((answers == 1) & (labels == 1))
  told = np.sum(answers == 1) + np.sum(labels == 1)
  return float(2 * right / told) if told else 0.0


def matthews(answers: Values, labels: Values) -> float:
  """Matthews' correlation coefficient of two classes.

  >>> round(matthews(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0])), 4)
  0.5774
  """
  return pearson((answers == 1).astype(float), (labels == 1).astype(float))  # which of two binary variables it is


def pearson(answers: Values, labels: Values) -> float:
  """The linear correlation."""
  return _correlation(stats.pearsonr, answers, labels)


def spearman(answers: Values, labels: Values) -> float:
  """The correlation of ranks; equal values share their mean rank."""
  return _correlation(stats.spearmanr, answers, labels)


def _correlation(of: Callable[..., tuple[float, float]], answers: Values, labels: Values) -> float:
  if len(answers) < 2 or np.ptp(answers) == 0 or np.ptp(labels) == 0:
    return 0.0
  return float(of(answers.astype(float), labels.astype(float))[0])


METRICS: dict[str, Callable[[Values, Values], float]] = {
  'accuracy': accuracy,
  'f1': f1,
  'matthews': matthews,
  'pearson': pearson,
  'spearman': spearman,
}


def judge(answers: Values, labels: Values, names: Sequence[str]) -> dict[str, float]:
  """Returns {'score': the mean of the metrics, metric: value}.

  Args:
    answers: places of classes, or numbers.
    labels: what is right.
    names: of `METRICS`.
  """
  each = {name: METRICS[name](answers, labels) for name in names}
  return {'score': float(np.mean(list(each.values())))} | each
