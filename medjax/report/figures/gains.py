"""What the widest sub-model answers and narrow ones do not, and the reverse: by relation, by degree, by example.

A query is answered if the true entity is among the first `overlap.TOP`. Degrees are numbers of training triples. Beside
the figure lie, as CSV, its numbers, the share of every pattern of answering widths, and examples.
"""

from collections.abc import Sequence
import itertools
import pathlib
from typing import NamedTuple

from jaxtyping import Bool, Float, Int
import numpy as np
import pandas as pd

from medjax import errors
from medjax.core import sides
from medjax.data import arrays
from medjax.data.graph import Graph
from medjax.report import plots, tables
from medjax.report.figures import overlap
from medjax.saved import artifact, graph_files
from medjax.saved import files as files_lib
from medjax.saved.files import Path

DEGREES = (10, 30, 100, 300)  # where groups of degrees begin, after the one that begins at 0
EXAMPLES = 5  # of each kind
CATEGORIES = ('1-1', '1-N', 'N-1', 'N-N')


class Ranks(NamedTuple):
  """Ranks of some widths.

  Attributes:
    triples: int [Q, 3], what was asked.
    ranks: [2, Q, N] of the tail and the head queries.
    widths: int [N], increasing.
  """

  triples: Int[np.ndarray, 'Q 3']
  ranks: Float[np.ndarray, '2 Q N']
  widths: Int[np.ndarray, ' N']

  @property
  def right(self) -> Bool[np.ndarray, '2 Q N']:
    """Whether each query is answered."""
    return self.ranks <= overlap.TOP


def read(folder: Path) -> Ranks:
  """Returns the `Ranks` of the widths that are shown: every second one that `tables.few` names, up to the widest.

  Raises:
    errors.NothingSaved: there are no ranks, or of one width.
  """
  ranks, widths = overlap.read_ranks(folder)
  path = pathlib.Path(folder) / 'results-ranks.npz'
  with files_lib.reading(path):
    triples = arrays.read_npz(path)['triples']
  shown = tables.few(widths.tolist())[::-2][::-1]
  if len(shown) < 2 or not ranks.size:
    raise errors.NothingSaved(f'{path} has no queries of several widths; what one answers alone is told by two')
  return Ranks(triples, ranks[..., np.isin(widths, shown)], np.array(shown))


def groups(asked: Ranks, graph: Graph) -> dict[str, tuple[list[str], Int[np.ndarray, '2 Q']]]:
  """Returns {kind: (names, place of the group of every query)} of relation categories and of degrees."""
  categories = graph.relation_categories()[asked.triples[:, 1]]
  degrees = np.bincount(graph.train[:, [0, 2]].ravel(), minlength=graph.num_entities)
  names = [f'{name}, {side}' for side in sides.SIDES for name in CATEGORIES]
  place = np.searchsorted(CATEGORIES, categories)
  ends = [f'{low} to {high - 1}' for low, high in itertools.pairwise((0, *DEGREES))] + [f'{DEGREES[-1]} on']
  of = lambda entities: np.searchsorted(DEGREES, degrees[entities], side='right')
  head, tail = of(asked.triples[:, 0]), of(asked.triples[:, 2])
  return {
    'relation, asked for': (names, np.stack([place, place + len(CATEGORIES)])),
    'degree of the answer': (ends, np.stack([tail, head])),
    'degree of the entity in the query': (ends, np.stack([head, tail])),
  }


def compared(right: Bool[np.ndarray, '... N']) -> Float[np.ndarray, '3 N']:
  """Returns shares of queries [3, N]: answered, by the last width alone of it and this one, by this one alone."""
  right = right.reshape(-1, right.shape[-1])
  last = right[:, -1:]
  return np.stack([right.mean(0), (last & ~right).mean(0), (right & ~last).mean(0)])


def by_group(asked: Ranks, graph: Graph, other: Ranks | None = None) -> pd.DataFrame:
  """Returns a DataFrame of kind, group, queries, width, and shares of the group's queries in %.

  The shares are `answered` by the width, `gained`, which the widest answers and the width does not, and `lost`, the
  reverse. Of another training's ranks its widest sub-model comes first, in place of a narrow one.
  """
  rows: list[dict[str, object]] = []

  def add(kind, group, right, widths):
    rows.extend(
      {'kind': kind, 'group': group, 'queries': right.size // len(widths), 'width': width}
      | dict(zip(('answered', 'gained', 'lost'), 100 * shares))
      for width, shares in zip(widths, compared(right).T)
    )

  if other is not None:
    pair = np.stack([other.right[..., -1], asked.right[..., -1]], -1)
    add('all', 'another training', pair[..., :1], [int(other.widths[-1])])
    rows[-1] |= dict(zip(('answered', 'gained', 'lost'), 100 * compared(pair)[:, 0]))
  add('all', 'all', asked.right, asked.widths.tolist())
  for kind, (names, place) in groups(asked, graph).items():
    for i, name in enumerate(names):
      if (place == i).any():
        add(kind, name, asked.right[place == i], asked.widths.tolist())
  return pd.DataFrame(rows)


def patterns(asked: Ranks) -> pd.DataFrame:
  """Returns a DataFrame with a row per pattern of answering widths, the most frequent first, and its % of queries."""
  found, counts = np.unique(asked.right.reshape(-1, len(asked.widths)), axis=0, return_counts=True)
  frame = pd.DataFrame(np.where(found, 'yes', ''), columns=[f'answered at {width}' for width in asked.widths])
  frame['% of the queries'] = 100 * counts / counts.sum()
  return frame.sort_values('% of the queries', ascending=False, ignore_index=True, kind='stable')


def examples(asked: Ranks, graph: Graph) -> pd.DataFrame:
  """Returns a DataFrame of queries that one width alone answers: the widest, then the narrowest; evenly spaced ones."""
  rows = []
  for which in (-1, 0):
    alone = asked.right[..., which] & (asked.right.sum(-1) == 1)
    found = np.argwhere(alone)
    for side, i in found[np.linspace(0, len(found) - 1, min(EXAMPLES, len(found))).astype(int)]:
      head, relation, tail = asked.triples[i]
      labels = graph.entity_labels[head], graph.entity_labels[tail]
      query = f'{labels[0]}, {short(graph.relation_labels[relation])}, ?'
      if sides.SIDES[side] == 'head':
        query = f'?, {short(graph.relation_labels[relation])}, {labels[1]}'
      ranks = {f'rank at {width}': f'{rank:g}' for width, rank in zip(asked.widths, asked.ranks[side, i])}
      answer = labels[1 if sides.SIDES[side] == 'tail' else 0]
      rows.append({'only at': asked.widths[which], 'query': query, 'answer': answer} | ranks)
  return pd.DataFrame(rows)


def short(relation: str) -> str:
  """Returns the last two parts of a path.

  >>> short('/people/person/profession')
  'person/profession'
  """
  return '/'.join(relation.split('/')[-2:])


def table(frame: pd.DataFrame) -> pd.DataFrame:
  """Returns `by_group` with a row per group and the shares of all widths beside each other."""
  frame = frame[frame['group'] != 'another training']
  wide = frame.pivot(index=['kind', 'group', 'queries'], columns='width', values=['answered', 'gained', 'lost'])
  order = frame[['kind', 'group', 'queries']].drop_duplicates()
  wide = wide.loc[list(order.itertuples(index=False, name=None))]
  widest = frame['width'].max()
  names = {'answered': 'at {}', 'gained': f'{widest}, not {{}}', 'lost': f'{{}}, not {widest}'}
  keep = [column for column in wide.columns if column[0] == 'answered' or column[1] != widest]
  wide = wide[keep].round(1)
  wide.columns = [names[measure].format(width) for measure, width in keep]
  return wide.reset_index()


def overall(frame: pd.DataFrame) -> pd.DataFrame:
  """Returns what `by_group` says of all queries, its columns named in words."""
  widest = frame['width'].max()
  names = {
    'group': 'training',
    'answered': '% answered',
    'gained': f'% that only width {widest} answers',
    'lost': f'% that width {widest} does not answer and this one does',
  }
  told = frame[frame['kind'] == 'all'].replace({'group': {'all': 'the same'}}).drop(columns=['kind', 'queries'])
  return told.rename(columns=names).round(2)


def draw(folders: Sequence[Path], path: Path) -> None:
  """Draws what is gained (upwards) and lost (downwards) by the widest sub-model, beside each of the narrower ones.

  Args:
    folders: a run with ranks; and perhaps another training's, which says how much two trainings of one width differ.
    path: the PNG; `-groups.csv`, `-all.csv`, `-patterns.csv` and `-examples.csv` are written beside it.

  Raises:
    errors.NothingSaved: there are no ranks of several widths, or the other run was asked something else.
  """
  folder, path = pathlib.Path(folders[0]), pathlib.Path(path)
  graph = graph_files.read_graph(folder, artifact.read_description(folder).source)
  asked, other = read(folder), read(folders[1]) if len(folders) > 1 else None
  if other is not None and not np.array_equal(asked.triples, other.triples):
    raise errors.NothingSaved(f'{folders[1]}/results-ranks.npz is of other triples than that of {folder}')
  frame = by_group(asked, graph, other)
  for name, made in (
    ('groups', table(frame)),
    ('all', overall(frame)),
    ('patterns', patterns(asked).round(2)),
    ('examples', examples(asked, graph)),
  ):
    files_lib.write_text(path.with_name(f'{path.stem}-{name}.csv'), made.to_csv(index=False))
  kinds = [kind for kind in frame['kind'].unique() if kind != 'all']
  with plots.panels(path, columns=len(kinds), size=(4.8, 4.4), sharey=True) as axes:
    for panel, kind in zip(axes, kinds):
      _bars(panel, frame[frame['kind'] == kind], asked.widths.tolist())
      panel.set_xlabel(f'{kind} (training triples)' if kind.startswith('degree') else kind)
    axes[0].set_ylabel(f'% of the queries: up, only {asked.widths[-1]} answers;\ndown, only the narrow one does')
    axes[0].legend(frameon=False, fontsize=9, title='narrow width')


def _bars(panel, frame, widths):
  names = list(frame['group'].unique())
  size = 0.8 / (len(widths) - 1)
  for i, width in enumerate(widths[:-1]):
    own = frame[frame['width'] == width]
    places = np.arange(len(names)) - 0.4 + (i + 0.5) * size
    colour = plots.COLOURS[1 + i % (len(plots.COLOURS) - 1)]
    panel.bar(places, own['gained'], size, color=colour, label=str(width))
    panel.bar(places, -own['lost'], size, color=colour, hatch='///', edgecolor='white', linewidth=0)
  panel.axhline(0, color='black', linewidth=0.8)
  turned = 40 if max(map(len, names)) > 7 else 0
  panel.set_xticks(range(len(names)), names, rotation=turned, ha='right' if turned else 'center', fontsize=8.5)
  panel.yaxis.set_major_formatter(lambda value, _: f'{abs(value):g}')
  panel.grid(axis='y', alpha=0.3)
