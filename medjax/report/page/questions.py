"""Questions of the test split, answered at every width."""

from typing import Any

import numpy as np

from medjax import errors
from medjax.core import sides
from medjax.core.sides import Side
from medjax.report.page.folders import Saved
from medjax.report.page.numbers import thinned
from medjax.serve import answers, known, loading
from medjax.serve.model import Model

COUNT = 8  # questions
ANSWERS = 5  # that are shown of each
WIDTHS = 64  # at most


def ask(run: Saved) -> dict[str, Any]:
  """Returns the questions of a model and its best answers at every width.

  The questions are test triples at even distances in the split, by turns for their tail and for their head, so nobody
  picked them.

  Returns:
    {'widths', 'questions'}; each question has its 'side', 'given', 'relation' and 'right' answer, by labels;
    'names', the labels of what is answered; 'known', the split that holds each of them, or ''; and for every width
    'best', places in `names`, and 'ranks', the filtered rank of the right answer.

  Raises:
    errors.MedjaxError: the model cannot be loaded.
    errors.NothingSaved: it has no test triples.
  """
  model = loading.load(run.folder)
  triples = np.asarray(model.graph.test)
  if not len(triples):
    raise errors.NothingSaved('the model carries no test triples')
  chosen = np.unique(np.linspace(0, len(triples) - 1, COUNT).astype(int))
  asked = [Question(model, sides.SIDES[i % 2], triples[place]) for i, place in enumerate(chosen)]
  widths = thinned(model.widths.values, WIDTHS)
  for width in widths:
    crop = model.crop(width)
    for question in asked:
      question.answer(crop)
  return {'widths': widths, 'questions': [question.told() for question in asked]}


class Question:
  """One question, and what the widths that were asked answered."""

  def __init__(self, model: Model, side: Side, triple: np.ndarray):
    given, asked = sides.columns(side)
    self.side: Side = side
    self.given, self.relation, self.right = int(triple[given]), int(triple[1]), int(triple[asked])
    self._facts = known.once(model.graph, side, self.given, self.relation)[0]
    self._labels, self._relations = model.entities.labels, model.relations.labels
    self._splits: dict[int, str] = {}
    self._best: list[list[int]] = []
    self._ranks: list[float] = []

  def answer(self, model: Model) -> None:
    """Adds the best answers of a model, and the rank of the right one among those that no split holds."""
    found = answers.of_entities(
      model, self.side, np.array([self.given]), np.array([self.relation]), model.asking(k=ANSWERS)
    )
    places = np.full(len(found.ids), answers.UNKNOWN) if found.splits is None else found.splits
    self._splits |= {int(i): (*known.SPLITS, '')[place] for i, place in zip(found.ids, places)}
    self._best.append([int(i) for i in found.ids])
    self._ranks.append(filtered_rank(model.score_all(self.side, self.given, self.relation), self.right, self._facts))

  def told(self) -> dict[str, Any]:
    """Returns it as plain values."""
    place = {entity: i for i, entity in enumerate(self._splits)}
    return {
      'side': self.side,
      'given': self._labels[self.given],
      'relation': self._relations[self.relation],
      'right': self._labels[self.right],
      'right_place': place.get(self.right, -1),
      'names': [self._labels[entity] for entity in place],
      'known': list(self._splits.values()),
      'best': [[place[entity] for entity in best] for best in self._best],
      'ranks': self._ranks,
    }


def filtered_rank(scores: np.ndarray, right: int, facts: np.ndarray) -> float:
  """Returns the rank of the right answer among all entities but the other known ones; of ties, the middle.

  >>> filtered_rank(np.array([5.0, 4.0, 3.0, 3.0]), right=2, facts=np.array([0, 2]))
  2.5

  Args:
    scores: of all entities, float [E].
    right: the answer.
    facts: every known answer, int [n].
  """
  rivals = np.ones(len(scores), bool)
  rivals[facts] = rivals[right] = False
  above, tied = (int(same[rivals].sum()) for same in (scores > scores[right], scores == scores[right]))
  return 1 + above + tied / 2
