"""Tables and a figure of a study's study.csv (see `experiments.study`)."""

from collections.abc import Iterable, Mapping
import math

import numpy as np
import pandas as pd

from medjax.report import plots, quality, tables
from medjax.report.tables import TextTable
from medjax.saved.files import Path


def judged(frame: pd.DataFrame) -> pd.DataFrame:
  """Returns the test rows of the points that validation chose."""
  return frame[frame['chosen'] & (frame['split'] == 'test')]


def test_table(frame: pd.DataFrame, beside: Iterable[tuple[str, str, str]] = ()) -> TextTable:
  """Returns (header, rows): what was chosen in every arm, its MRR (Hits@10) on test over seeds, the best in bold.

  Args:
    frame: rows of study.csv files.
    beside: (graph, _, score) triples whose published figures follow; widths that no arm has are in their remarks.
  """
  chosen = judged(frame)
  widths = tables.shown_widths(set(chosen['width']))
  means = chosen.groupby(['arm', 'width'], sort=False)[['mrr', 'hits10']].mean().round(3)
  best = means.groupby('width').max()
  rows = []
  for (arm, point), part in chosen.groupby(['arm', 'point'], sort=False):
    at = dict(iter(part.groupby('width')))
    cells = [quality.cell(list(at[w]['mrr']), list(at[w]['hits10']), *best.loc[w]) if w in at else '' for w in widths]
    seeds = part.drop_duplicates('seed')
    rows.append(
      [
        arm,
        point,
        *cells,
        f'{seeds["steps"].max():,}',
        f'{seeds["train_seconds"].mean() / 60:.1f} min',
        str(len(seeds)),
      ]
    )
  rows += [
    [name, remarks, *cells, '', '', '']
    for graph, _, score in beside
    for name, *cells, remarks in quality.published_rows(graph, score, widths)
  ]
  return ['arm', 'chosen point', *map(str, widths), 'steps', 'training', 'seeds'], rows


def is_direct(part: pd.DataFrame) -> pd.Series:
  """Returns which rows are of direct training: of the arms 'direct-WIDTH'."""
  return part['arm'].str.startswith('direct-')


def seconds(part: pd.DataFrame) -> float:
  """Returns the training seconds of all arms together, one seed of each (means over the seeds)."""
  return part.groupby('arm')['train_seconds'].mean().sum()


def ahead(name: str, part: pd.DataFrame) -> dict[str, pd.Series]:
  """Returns {arm: MRR less that of direct training, indexed by width and seed} where both sides have one.

  Args:
    name: the study, for the message.
    part: its judged rows.

  Raises:
    ValueError: a study without direct training.
  """
  direct = is_direct(part)
  if not direct.any():
    raise ValueError(f'{name}: no arm of this study is called direct-WIDTH; name the files of studies that have them')
  mrr = lambda rows: rows.set_index(['width', 'seed'])['mrr']
  return {arm: (mrr(one) - mrr(part[direct])).dropna() for arm, one in part[~direct].groupby('arm', sort=False)}


def ahead_table(studies: Mapping[str, pd.DataFrame]) -> TextTable:
  """Returns (header, rows): by how much arms are ahead of the arms 'direct-WIDTH' of their study, an arm a row.

  Cells are differences of MRR on test, means over the seeds that both sides have, bold where they round to 0 or more.
  The last column is the seconds of all direct trainings of the study over those of the arm's one training.

  Args:
    studies: {name: rows of study.csv files}.

  Raises:
    ValueError: a study without direct training.
  """
  parts = {name: judged(frame) for name, frame in studies.items()}
  widths, rows = tables.shown_widths(set(pd.concat(parts.values())['width'])), []
  for name, part in parts.items():
    for arm, pairs in ahead(name, part).items():
      one, means = part[part['arm'] == arm], pairs.groupby('width').mean()
      cells = [difference(means[w]) if w in means else '' for w in widths]
      rows.append(
        [
          name,
          arm,
          *cells,
          f'{one["steps"].max():,}',
          str(pairs.index.unique('seed').size),
          f'{seconds(part[is_direct(part)]) / seconds(one):.1f}',
        ]
      )
  return ['study', 'arm', *map(str, widths), 'steps', 'seeds', 'seconds, direct : arm'], rows


def ahead_figure(studies: Mapping[str, pd.DataFrame], path: Path) -> None:
  """Draws by how much the arm 'med' of every study is ahead of direct training against width, a panel a graph.

  Args:
    studies: {GRAPH-REST or scores-GRAPH-REST: rows of study.csv files}.
    path: the PNG to write.
  """
  panels: dict[str, list[tuple[str, pd.Series]]] = {}
  for name, frame in studies.items():
    graph, _, rest = name.removeprefix('scores-').partition('-')
    means = ahead(name, judged(frame))['med'].groupby('width').mean()
    panels.setdefault(graph, []).append((rest, means))
  plots.differences_against_width(panels, path)


def summary_table(studies: Mapping[str, pd.DataFrame]) -> TextTable:
  """Returns (header, rows): of every study the test MRR of the croppable arm 'med', and of its direct arms as one row.

  Cells are means over seeds; minutes are those of one seed of all trainings that the row needs.

  Args:
    studies: {name: rows of study.csv files}.
  """
  parts = {name: judged(frame) for name, frame in studies.items()}
  widths, rows = tables.shown_widths(set(pd.concat(parts.values())['width'])), []
  for name, part in parts.items():
    sides = (('cropped', part[part['arm'] == 'med']), ('direct', part[is_direct(part)]))
    means = [side.groupby('width')['mrr'].mean() for _, side in sides]
    best = pd.concat(means, axis=1).dropna().round(3).max(axis=1)  # of widths that both sides have
    for title, (what, side), mrr in zip((name, ''), sides, means):
      cells = [quality.figure(mrr[w], best=round(mrr[w], 3) == best.get(w)) if w in mrr else '' for w in widths]
      trainings, minutes = side['arm'].nunique(), seconds(side) / 60
      rows.append([title, what, *cells, str(trainings), f'{side["steps"].max():,}', f'{minutes:.1f}'])
  return ['', '', *map(str, widths), 'trainings', 'steps each', 'minutes in all'], rows


def difference(value: float) -> str:
  """Returns a difference as text with its sign, bold where it rounds to 0 or more."""
  text = f'{round(value, 3) + 0.0:+.3f}'
  return text if text.startswith('-') else f'**{text}**'


def seeds_table(frame: pd.DataFrame, crops: Iterable[pd.Series]) -> TextTable:
  """Returns (header, rows): the test MRR of crops and of direct trainings over seeds, and by how much crops are ahead.

  Args:
    frame: rows of a study.csv file of direct trainings.
    crops: the MRR of every seed's run, indexed by width; widths that the study lacks get no column.
  """
  sides = {'crop': pd.concat(crops), 'direct': judged(frame).set_index('width')['mrr']}
  widths = sorted(set(sides['crop'].index) & set(sides['direct'].index))
  at = {side: {width: list(mrr[[width]]) for width in widths} for side, mrr in sides.items()}
  rows = [
    [side, *(quality.figure(np.mean(mrr), quality.spread(mrr)) for mrr in seeds.values()), str(len(seeds[widths[0]]))]
    for side, seeds in at.items()
  ]
  between = [difference(np.mean(at['crop'][width]) - np.mean(at['direct'][width])) for width in widths]
  return ['', *map(str, widths), 'seeds'], [*rows, ['crop - direct', *between, '']]


def choice_table(frame: pd.DataFrame) -> TextTable:
  """Returns (header, rows): every point's validation MRR with the first seed, the chosen one of an arm in bold."""
  valid = frame[(frame['split'] == 'valid') & (frame['seed'] == frame['seed'].iloc[0])]
  widths = tables.shown_widths(set(valid['width']))
  rows = []
  for (arm, point), part in valid.groupby(['arm', 'point'], sort=False):
    at = part.set_index('width')['mrr']
    cells = [quality.figure(at[w]) if w in at else '' for w in widths]
    # older files have no column `merit`: the mean over all widths decided
    merit = part['merit'].iloc[0] if 'merit' in part else math.nan
    mean = f'{at.mean() if math.isnan(merit) else merit:.4f}'
    rows.append([arm, point, *cells, f'**{mean}**' if part['chosen'].any() else mean])
  return ['arm', 'point', *map(str, widths), 'mean that decides'], rows


def figure(frame: pd.DataFrame, path: Path) -> None:
  """Draws MRR and Hits@10 against width: an arm of several widths as a line, all arms of one width as one line."""
  means = judged(frame).groupby(['arm', 'width'], sort=False)[['mrr', 'hits10']].mean()
  several: list[tuple[str, pd.DataFrame]] = []
  single: list[tuple[str, pd.DataFrame]] = []
  for arm, part in means.groupby('arm', sort=False):
    (several if len(part) > 1 else single).append((arm, part.droplevel('arm')))
  series = several + (
    [('direct, one training a width', pd.concat([part for _, part in single]).sort_index())] if single else []
  )
  plots.runs_against_width(series, path)
