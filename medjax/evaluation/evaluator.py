"""Evaluation of a model on a split: every width, head and tail queries, relation categories."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from jaxtyping import Float64, Int
import numpy as np
import pandas as pd

from medjax.core import axes as axes_lib
from medjax.core import sides
from medjax.core.widths import Widths
from medjax.data import filters
from medjax.data.graph import Graph
from medjax.evaluation import candidates as candidates_lib
from medjax.evaluation import metrics, ranking
from medjax.evaluation.candidates import Choose
from medjax.scores.contract import Params, Score


def rank_both_sides(
  score: Score,
  model: Params,
  widths: Widths,
  triples: Int[np.ndarray, 'Q 3'],
  known_triples: filters.Facts,
  batch: int = 256,
  choose: Choose | None = None,
) -> tuple[Float64[np.ndarray, '2 Q N'], Int[np.ndarray, '2 Q']]:
  """Returns (ranks [2, Q, N], candidates [2, Q]) of the tail and the head queries of triples int32 [Q, 3].

  Args:
    score, model, widths: `Score`, the full model's parameters, `Widths`.
    triples: what is asked.
    known_triples: int32 [M, 3] of all splits, or a tuple of such; their answers do not compete.
    batch: queries ranked at once.
    choose: the candidates of each query, see `candidates.chooser`; None is all entities.
  """
  num_entities = next(iter(model['entity'].values())).shape[0]
  ranks, candidates = [], []
  for side in sides.SIDES:
    if choose is not None:
      of_side, number = candidates_lib.ranks(score, model, widths, triples, side, choose, known_triples, batch)
      ranks.append(of_side)
      candidates.append(number)
      continue
    known = filters.known_answers(known_triples, triples, side)
    ranks.append(ranking.ranks(score, model, widths, triples, side, known, batch))
    candidates.append(num_entities - np.diff(known[0]) + 1)
  return np.stack(ranks), np.stack(candidates)


class Ranked(NamedTuple):
  """The ranks of a split.

  Attributes:
    triples: int32 [Q, 3], what was asked.
    ranks: [2, Q, N] filtered ranks of the tail and the head queries under every width.
    competing: [2, Q] entities that competed for each.
    counts: the numbers of triples, of those that name an entity unseen in training, and of the skipped ones.
    candidates: who competed, in words.
  """

  triples: Int[np.ndarray, 'Q 3']
  ranks: Float64[np.ndarray, '2 Q N']
  competing: Int[np.ndarray, '2 Q']
  counts: dict[str, int]
  candidates: str


def rank_split(
  score: Score,
  model: Params,
  widths: Widths,
  graph: Graph,
  split: str = 'test',
  unseen: str = 'rank',
  batch: int = 256,
  candidates: int = 0,
  triples: Int[np.ndarray, 'M 3'] | None = None,
  relation: int | None = None,
) -> Ranked:
  """Returns the `Ranked` of a split, see `evaluate`; or of other triples, or of those of one relation (its id)."""
  asked, known = getattr(graph, split) if triples is None else triples, graph.splits
  if triples is not None:
    known = (*known, triples)
  places = np.arange(len(asked)) if relation is None else np.flatnonzero(np.asarray(asked[:, 1]) == relation)
  with_unseen = graph.unseen_entities()[np.asarray(asked[places])[:, [0, 2]]].any(1)
  counts = {
    'triples': len(places),
    'naming an entity unseen in training': int(with_unseen.sum()),
    'skipped': int(with_unseen.sum()) if unseen == 'skip' else 0,
  }
  places = places[~with_unseen] if unseen == 'skip' else places
  ranked = np.asarray(asked[places])
  choose = at(places, candidates_lib.chooser(candidates, graph, split))
  ranks, competing = rank_both_sides(score, model, widths, ranked, known, batch, choose)
  return Ranked(ranked, ranks, competing, counts, candidates_lib.describe(candidates))


def evaluate(
  score: Score,
  model: Params,
  widths: Widths,
  graph: Graph,
  split: str = 'test',
  unseen: str = 'rank',
  batch: int = 256,
  candidates: int = 0,
) -> tuple[pd.DataFrame, dict[str, int]]:
  """Evaluates all widths on a split.

  Args:
    score, model, widths: `Score`, the full model's parameters, `Widths`.
    graph: the `data.Graph`.
    split: 'train', 'valid' or 'test'.
    unseen: whether to 'rank' or to 'skip' triples that name an entity unseen in training.
    batch: queries ranked at once.
    candidates: 0 ranks all entities; else see `candidates.chooser`.

  Returns:
    (rows, counts): a DataFrame with one row per width, side (tail, head, both) and relation category
    (all, 1-1, 1-N, N-1, N-N), and a dict with the numbers of triples, of those that name an unseen
    entity, and of the skipped ones.
  """
  ranked = rank_split(score, model, widths, graph, split, unseen, batch, candidates)
  return summarize(ranked, model, widths, graph), ranked.counts


def summarize(ranked: Ranked, model: Params, widths: Widths, graph: Graph) -> pd.DataFrame:
  """Returns the rows of `evaluate` from a `Ranked`."""
  triples, ranks, competing = ranked[:3]
  category = graph.relation_categories()[triples[:, 1]]
  columns = axes_lib.columns(widths.components)
  params = [axes_lib.num_numbers(axes_lib.crop(model, columns, width)) for width in widths.values]
  rows = []
  for side, chosen in (('both', [0, 1]), ('tail', [0]), ('head', [1])):
    for name in ('all', '1-1', '1-N', 'N-1', 'N-N'):
      where = slice(None) if name == 'all' else category == name
      picked = ranks[chosen][:, where].reshape(-1, len(widths.values))
      values = metrics.from_ranks(picked, competing[chosen][:, where].reshape(-1))
      for i, width in enumerate(widths.values):
        rows.append(
          {'width': width, 'side': side, 'category': name, 'queries': len(picked)}
          | {key: value[i] for key, value in values.items()}
          | {'params': params[i], 'candidates': ranked.candidates}
        )
  return pd.DataFrame(rows)


def at(places: Int[np.ndarray, ' Q'], choose: Choose | None) -> Choose | None:
  """Returns a `Choose` for the triples at `places` of a split: its place i is place places[i] of the given one."""
  return choose and (lambda triples, rows, side: choose(triples, places[rows], side))


def validator(
  score: Score, widths: Widths, graph: Graph, sample: int, chosen: Sequence[int], batch: int = 256, candidates: int = 0
) -> Callable[[Params], tuple[float, dict[int, float]]]:
  """Returns validate(model) -> (mean MRR over the chosen widths, {width: MRR}) on a fixed sample of valid.

  Args:
    sample: at most this many triples, evenly spaced in the split; 0 is all of them.
    chosen: positions of the widths that count in the mean.
    candidates: as in `evaluate`.
  """
  size = len(graph.valid)
  places = np.linspace(0, size - 1, sample).astype(int) if sample and size > sample else np.arange(size)
  triples = np.asarray(graph.valid[places])
  choose = at(places, candidates_lib.chooser(candidates, graph, 'valid'))

  def validate(model):
    ranks, _ = rank_both_sides(score, model, widths, triples, graph.splits, batch, choose)
    mrr = (1 / ranks).mean((0, 1))
    return float(mrr[list(chosen)].mean()), {width: float(value) for width, value in zip(widths.values, mrr)}

  return validate
