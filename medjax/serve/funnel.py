"""Exact top-k by funnel: all entities at a narrow width, and ever fewer at wider ones. NumPy alone, no JAX.

The first w numbers of an embedding are a model themselves, and what the rest can add to its score is bounded by the
lengths of both rests. By the triangle's inequality for distances (for RotatE with sums of moduli as lengths), by that
of Cauchy and Schwarz for inner products:

  |q - e|_1 >= |q_w - e_w|_1 + ||q_rest|_1 - |e_rest|_1|
  |q - e|_2^2 >= |q_w - e_w|_2^2 + (|q_rest|_2 - |e_rest|_2)^2
  <q, e> <= <q_w, e_w> + |q_rest|_2 |e_rest|_2

So the full scores of any k entities are a threshold, and whatever cannot reach it at a narrow width is not looked at
any more. Bounds are wider by more than float32 can round, and what is equal to the threshold stays, so answers are
those of all full scores, ties to the smaller id; of finite numbers whose squares do not overflow.

Shape letters: E entities, Q queries, S stages, C components, n entities that are left.
"""

from collections.abc import Sequence
from typing import NamedTuple, TYPE_CHECKING

from jaxtyping import Float32, Int
import numpy as np

from medjax import errors
from medjax.serve import search, spaces, vectors
from medjax.serve.spaces import Space
from medjax.serve.vectors import Rows

if TYPE_CHECKING:
  from medjax.serve.model import Model

SHARES = (1 / 2, 3 / 4)  # of the full width: the stages, if none are given; narrower ones rule out next to nothing
SHORT = (1 / 4,)  # the same of a shortlist
CHUNK = 1 << 18  # numbers of entities that one worker scores at a time
DENSE = 0.25  # share of the entities from which on reading all of them in order is faster than gathering
EPS, TINY = float(np.finfo(np.float32).eps), float(np.finfo(np.float32).tiny)


class Funnel(NamedTuple):
  """The entities of a model, laid out for a search in stages.

  Attributes:
    score: name of the score.
    stages: ascending widths, the last of which is the full one.
    keep: None for exact answers, else how many entities of the first stage are scored in full.
    leaves: the model's tables of entities, float32 [E, C] each; not copied.
    narrow: the entities at the first width.
    rests: the length [E] of what each entity has beyond each stage but the last.
    longest: the length of the longest entity.
  """

  score: str
  stages: tuple[int, ...]
  keep: int | None
  leaves: Rows
  narrow: Space
  rests: tuple[Float32[np.ndarray, ' E'], ...]
  longest: float


def make(model: 'Model', stages: Sequence[int] | None = None, keep: int | None = None) -> Funnel:
  """Returns the `Funnel` of a model's entities, whose first stage is a copy of their first numbers.

  Args:
    model: the `Model`.
    stages: ascending widths below the full one, each a multiple of the score's numbers per component; None chooses the
      trained widths next to 1/2 and 3/4 of the full one, of a shortlist that next to 1/4.
    keep: None for exact answers; else a shortlist: only the `keep` best entities of the first stage are scored in full.

  Raises:
    errors.FormatError: PairRE, which compares entities at length 1, so that a width's scores bound no other's.
    errors.WidthError: stages that are not as said.
  """
  score, width, components = model.description.score, model.width, model.widths.components
  if score == 'pairre' or score not in vectors.LEAVES:
    raise errors.FormatError(
      f'nothing is known by which narrow {score} scores bound those of the full width (pairre compares entities at '
      'length 1), so there is no funnel; ask the model without one'
    )
  if keep is not None and keep < 1:
    raise ValueError(f'keep={keep}: a shortlist holds 1 or more entities')
  chosen = (
    default_stages(model.widths.values, SHORT if keep else SHARES)
    if stages is None
    else tuple(int(stage) for stage in stages)
  )
  if list(chosen) != sorted(set(chosen)) or any(not 0 < w < width or w % components for w in chosen):
    raise errors.WidthError(
      f'stages {chosen}: give ascending widths between 0 and {width}, which is the last stage anyway'
      f'{f", each a multiple of {components}" if components > 1 else ""}'
    )
  chosen = (*chosen, width)
  leaves = vectors.rows_of(model, 'entity', slice(None))
  narrow = spaces.of_rows(score, _first(leaves, chosen[0], components))
  size, step = len(next(iter(leaves.values()))), max(1, CHUNK // width)
  parts = [{name: leaf[i : i + step] for name, leaf in leaves.items()} for i in range(0, size, step)]
  lengths = [
    np.concatenate([_lengths(score, part, first // components) for part in parts]) for first in (0, *chosen[:-1])
  ]
  longest = float(lengths[0].max(initial=0.0))
  return Funnel(score, chosen, keep, leaves, narrow, tuple(x.astype(np.float32) for x in lengths[1:]), longest)


def default_stages(widths: Sequence[int], shares: Sequence[float] = SHARES) -> tuple[int, ...]:
  """Returns the trained widths, of ascending `widths`, next to shares of the last, and below it.

  >>> default_stages(range(10, 650, 10)), default_stages((4, 8, 16)), default_stages((8,))
  ((320, 480), (8,), ())
  """
  near = lambda share: min(widths, key=lambda width: abs(width - share * widths[-1]))
  return tuple(sorted({near(share) for share in shares} - {widths[-1]}))


def top_k(funnel: Funnel, queries: Rows, k: int) -> tuple[Int[np.ndarray, 'Q k'], Float32[np.ndarray, 'Q k']]:
  """Returns (ids, raw scores) of the k best entities of each query, best first; of equal ones the smaller id first.

  The scores are those of `spaces.raw_chosen`. A funnel that keeps a shortlist may miss some of the best.

  Args:
    funnel: the `Funnel`.
    queries: leaves [Q, C], as `vectors.query_rows` makes them.
    k: how many, from 1 to E.
  """
  found = _search(funnel, queries, k)
  empty = np.zeros((0, k), np.int64), np.zeros((0, k), np.float32)
  return (np.stack([ids for ids, _, _ in found]), np.stack([best for _, best, _ in found])) if found else empty


def left(funnel: Funnel, queries: Rows, k: int) -> Int[np.ndarray, 'Q S']:
  """Returns how many entities each stage of a search for the k best scores; see `top_k`. The first one scores all."""
  found = _search(funnel, queries, k)
  return np.array([counts for _, _, counts in found], np.int64).reshape(len(found), len(funnel.stages))


def _search(funnel, queries, k):
  """(ids, raw scores, entities that each stage scored) of each query."""
  if not len(next(iter(queries.values()))):
    return []
  narrow = spaces.raw_scores(funnel.narrow, _first(queries, funnel.stages[0], len(funnel.leaves)))
  single = lambda i: {name: leaf[i : i + 1] for name, leaf in queries.items()}
  return [_of_one(funnel, single(i), values, k) for i, values in enumerate(narrow)]


def _of_one(funnel, query, values, k):
  """(ids, raw scores, counts) of one query, whose scores [E] at the first width are `values`."""
  ids, counts, threshold, full = np.arange(len(values)), [], -np.inf, funnel.stages[-1]
  best = lambda scores, k: search.top_k(scores[None], min(k, len(scores)))
  if funnel.keep is not None and len(funnel.stages) > 1:
    ids = np.sort(best(values, max(funnel.keep, k))[0][0])
    counts = [len(values)] + [0] * (len(funnel.stages) - 2)
  else:
    for stage, width in enumerate(funnel.stages[:-1]):
      counts.append(len(ids))
      if stage:
        values = _joined(funnel.score, values, _raw(funnel, query, ids, funnel.stages[stage - 1], width))
      bounds = _bounds(funnel, query, stage, values, ids)
      likely = np.sort(ids[best(values, k)[0][0]])
      threshold = np.fmax(threshold, _raw(funnel, query, likely, 0, full).min())
      left = ~(bounds < threshold)  # what is not a number stays
      ids, values = ids[left], values[left]
  values = _raw(funnel, query, ids, 0, full)
  places, scores = best(values, k)
  return ids[places[0]], scores[0], [*counts, len(ids)]


def _bounds(funnel, query, stage, values, ids):
  """What the full scores of entities [n] are at most, by their scores up to a stage."""
  components, width = len(funnel.leaves), funnel.stages[-1]
  whole, rest = (_lengths(funnel.score, query, w // components)[0] for w in (0, funnel.stages[stage]))
  slack = 4 * (width + 4) * EPS  # more than the roundings of some sums of that many terms
  if vectors.metric(funnel.score) == 'ip':
    margin = slack * whole * funnel.longest + TINY * (width + whole)
    return values + (np.float32(rest) * funnel.rests[stage][ids] + np.float32(margin))
  margin = slack * (whole + funnel.longest) + TINY**0.5 * width  # squares of less than the root are rounded to nothing
  return _joined(funnel.score, values, -np.abs(funnel.rests[stage][ids] - np.float32(rest))) + np.float32(margin)


def _joined(score, values, others):
  """The raw scores over the numbers of both."""
  return -np.hypot(values, others) if score == 'transe_l2' else values + others


def _raw(funnel, query, ids, begin, end):
  """The raw scores [n] of entities over the numbers from `begin` to `end`, by their ids, ascending."""
  size, components = len(next(iter(funnel.leaves.values()))), len(funnel.leaves)
  dense, columns = len(ids) > DENSE * size, slice(begin // components, end // components)
  step, cut = max(1, CHUNK // (end - begin)), {name: leaf[:, columns] for name, leaf in query.items()}

  def of(first):
    rows = slice(first, first + step) if dense else ids[first : first + step]
    return spaces.raw_chosen(funnel.score, cut, {name: leaf[rows, columns] for name, leaf in funnel.leaves.items()})

  firsts = range(0, size if dense else len(ids), step)
  found = [*(map(of, firsts) if len(firsts) < 2 else search.workers().map(of, firsts))]
  values = np.concatenate(found)
  return values[ids] if dense and len(ids) < size else values


def _first(leaves, width, components):
  """The first numbers of leaves [n, C], `width` of all leaves together."""
  return {name: leaf[:, : width // components] for name, leaf in leaves.items()}


def _lengths(score, leaves, first):
  """The lengths [n], float64, of what leaves [n, C] have from component `first` on, as the score measures them."""
  rests = [leaf[:, first:] for leaf in leaves.values()]
  if score == 'transe':
    return np.abs(rests[0]).sum(1, dtype=np.float64)
  if score == 'rotate':
    return np.hypot(*rests).sum(1, dtype=np.float64)
  return np.sqrt(sum(np.einsum('nc,nc->n', rest, rest, dtype=np.float64) for rest in rests))
