"""What a caller decides of an objective: records of plain values, which the functions of this room take."""

from typing import Literal, NamedTuple

import jax

Held = Literal['none', 'narrow', 'wide']


class Mutual(NamedTuple):
  """Mutual learning between neighbouring widths.

  Attributes:
    weight: against the losses of the widths themselves.
    power: p; the pair of M_{i-1} and M_i weighs (d_n/d_i)^p on top.
    form: 'divergence' of softmaxes over the candidates, or 'huber' distance of scores (the paper).
    reduction: of Huber's distance, over triples: 'mean', or the paper's 'sum'.
    detach: the side that does not learn from the other: 'none', 'narrow' or 'wide'.
  """

  weight: float = 1.0
  power: float = 0.0
  form: Literal['divergence', 'huber'] = 'divergence'
  reduction: Literal['mean', 'sum'] = 'mean'
  detach: Held = 'none'


class Options(NamedTuple):
  """Which mechanisms act, and how.

  Attributes:
    mutual: `Mutual`, or None: neighbours do not learn from each other.
    difficulty: how evolutionary improvement judges a score, see `difficulty`; None: it does not act.
    weigh_over: the negatives that share one weight: those of a 'positive', or of the 'batch' (the paper).
    adversarial_temperature: of the self-adversarial weights of negatives; 0 gives none.
    dynamic: whether width i weighs exp(w3 d_i/d_n).
    narrow_power: p; width i weighs (d_n/d_i)^p on top.
  """

  mutual: Mutual | None = None
  difficulty: Literal['sigmoid', 'score', 'inverse'] | None = None
  weigh_over: Literal['positive', 'batch'] = 'positive'
  adversarial_temperature: float = 1.0
  dynamic: bool = False
  narrow_power: float = 0.0


class Strengths(NamedTuple):
  """Strengths w1 (positives), w2 (negatives) and w3 (widths) of the paper's equations 3 to 5, perhaps learned."""

  w1: jax.Array | float = 1.0
  w2: jax.Array | float = 1.0
  w3: jax.Array | float = 1.0
