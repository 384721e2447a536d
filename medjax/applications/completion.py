"""Completion: filtered link prediction on the facts of a shop's graph, by what the evaluator has saved."""

import pathlib

import numpy as np
import pandas as pd

import medjax
from medjax.applications.results import Result
from medjax.applications.shop import LIKES
from medjax.data import arrays
from medjax.data.graph import Graph
from medjax.saved import files

NAME = 'completion'
MEASURES = ('MRR', 'Hits@10')


def ranked(folder: pathlib.Path, split: str = 'test') -> dict[str, np.ndarray]:
  """Returns triples [Q, 3], ranks [2, Q, N] and widths [N] of a run or model; evaluates it where it was not."""
  path = folder / f'{"results" if split == "test" else f"results-{split}"}-ranks.npz'
  if not path.exists():
    medjax.evaluate(folder, split=split, ranks=True)
  with files.reading(path):
    found = arrays.read_npz(path)
    return {name: found[name] for name in ('triples', 'ranks', 'widths')}


def evaluate(folder: pathlib.Path, graph: Graph, width: int, split: str = 'test') -> list[Result]:
  """Returns MRR and Hits@10 of a width on facts: of all, of every relation, and of every category of relations.

  Likes, which are ranked among all entities here, are a relation like any other, but not among the facts.
  """
  found = ranked(folder, split)
  place = int(np.flatnonzero(found['widths'] == width)[0])
  relations = found['triples'][:, 1]
  names, likes = np.array(graph.relations), relations == list(graph.relations).index(LIKES)
  groups = {'facts': ~likes}
  groups |= {f'facts {kind}': ~likes & (graph.relation_categories()[relations] == kind) for kind in KINDS}
  groups |= {f'relation {name}': relations == row for row, name in enumerate(names)}
  ranks = found['ranks'][:, :, place].astype(np.float64)
  return [
    Result(NAME, f'{name} {metric}', value)
    for name, chosen in groups.items()
    if chosen.any()
    for metric, value in zip(MEASURES, (float((1 / ranks[:, chosen]).mean()), float((ranks[:, chosen] <= 10).mean())))
  ]


KINDS = ('1-1', '1-N', 'N-1', 'N-N')


def table(results: pd.DataFrame) -> pd.DataFrame:
  """Returns the MRR of relations against method and width, means over seeds, from rows of the results."""
  chosen = results[(results['application'] == NAME) & results['metric'].str.endswith('MRR')]
  return chosen.pivot_table(index='metric', columns=['method', 'width'], values='value')
