"""MRR and Hits@10 of every method at every width, beside published figures."""

from collections.abc import Mapping, Sequence
import pathlib

import numpy as np
import pandas as pd

from medjax.report import tables
from medjax.report.collect import Group, Row
from medjax.report.tables import TextTable

PUBLISHED = pathlib.Path(__file__).parent / 'published.csv'
Number = float | np.floating


def plain(name: object) -> str:
  """Returns a data set's or score's name without case and punctuation: WN18RR is wn18rr."""
  return ''.join(c for c in str(name).lower() if c.isalnum())


def published(data: str, score: str) -> pd.DataFrame:
  """Returns the published figures on a data set with a score, or with one that their source does not state.

  Papers name a score alike with and without reciprocal relations.

  Args:
    data, score: names of a registered graph and of a score, such as wn18rr and rotate.

  Returns:
    DataFrame with source, dataset, model, method, width, mrr, hits1, hits3, hits10 and note; no rows if none are known.
  """
  frame, score = pd.read_csv(PUBLISHED), score.removesuffix('_reciprocal')
  same = (frame['dataset'].map(plain) == plain(data)) & frame['model'].map(plain).isin([plain(score), 'unstated'])
  return frame[same]


def spread(values: Sequence[float]) -> float:
  """Half the range of some values, or NaN of a single one."""
  return (max(values) - min(values)) / 2 if len(values) > 1 else np.nan


def long_table(groups: Mapping[Group, Sequence[Row]]) -> pd.DataFrame:
  """Returns every measured figure, and the published ones of the same graphs and scores, as a DataFrame.

  One row per method and width: mean and half range over seeds.
  """
  found = []
  for (data, score), rows in groups.items():
    for row in rows:
      mrr, hits10 = row.values('mrr'), row.values('hits10')
      found += [
        {
          'dataset': data,
          'score': score,
          'method': row.label,
          'width': width,
          'seeds': len(mrr[width]),
          'mrr': np.mean(mrr[width]),
          'mrr_half_range': spread(mrr[width]),
          'hits10': np.mean(hits10[width]),
          'hits10_half_range': spread(hits10[width]),
          'source': 'measured',
          'note': '',
        }
        for width in mrr
      ]
    for one in published(data, score).itertuples():
      found.append(
        {
          'dataset': data,
          'score': one.model,
          'method': one.method,
          'width': one.width,
          'mrr': one.mrr,
          'hits10': one.hits10,
          'source': one.source,
          'note': one.note,
        }
      )
  frame = pd.DataFrame(found).round(6)
  return frame.assign(width=frame['width'].astype('Int64'), seeds=frame['seeds'].astype('Int64'))


def figure(mean: Number, half_range: Number = np.nan, best: bool = False) -> str:
  """Returns a figure as text: three digits, its half range if there is one, bold if it is the best."""
  if np.isnan(mean):
    return '-'
  text = f'{mean:.3f}' + ('' if np.isnan(half_range) else f' ± {half_range:.3f}')
  return f'**{text}**' if best else text


def cell(
  mrr: Sequence[float], hits10: Sequence[float], best_mrr: Number | None = None, best_hits10: Number | None = None
) -> str:
  """Returns 'MRR (Hits@10)' of the values of the seeds; the best ones, as rounded, are bold."""
  same = lambda values, best: best is not None and round(np.mean(values), 3) == best
  return (
    figure(np.mean(mrr), spread(mrr), same(mrr, best_mrr))
    + f' ({figure(np.mean(hits10), spread(hits10), same(hits10, best_hits10))})'
  )


def table(data: str, score: str, rows: Sequence[Row], widths: Sequence[int] | None = None) -> TextTable:
  """Returns (header, rows of text cells) of one graph and score; published rows come last, with their source.

  Args:
    data, score: names of the group.
    rows: its `collect.Row`s.
    widths: those that get a column; None are those of `tables.shown_widths`.
  """
  values = [(row.values('mrr'), row.values('hits10')) for row in rows]
  widths = widths or tables.shown_widths({width for mrr, _ in values for width in mrr})
  best = {}
  for width in widths:
    for i in range(2):
      means = [round(np.mean(pair[i][width]), 3) for pair in values if width in pair[i]]
      means = [mean for mean in means if not np.isnan(mean)]
      best[width, i] = max(means, default=None) if len(means) > 1 else None
  body = []
  for row, (mrr, hits10) in zip(rows, values):
    seeds = max(len(each) for each in mrr.values())
    remarks = ['' if seeds == 1 else f'{seeds} seeds']
    if np.isnan(np.concatenate(list(mrr.values()))).all():
      remarks.append(tables.NOTHING)
    cells = [cell(mrr[w], hits10[w], best[w, 0], best[w, 1]) if w in mrr else '' for w in widths]
    body.append([row.label, *cells, '; '.join(filter(None, remarks))])
  return ['method', *map(str, widths), 'remarks'], body + published_rows(data, score, widths)


def published_rows(data: str, score: str, widths: Sequence[int]) -> list[list[str]]:
  """Returns one row for every source, score, method and number of sub-models; other widths go to the remarks."""
  frame, found = published(data, score).fillna({'note': '', 'width': 0}), []
  sub_models = frame['note'].where(frame['note'].str.contains('sub-models'), '')
  keys = [frame['source'], frame['model'], frame['method'], sub_models]
  for (source, model, method, note), part in frame.groupby(keys, sort=False):
    text = {int(one.width): cell([one.mrr], [one.hits10]) for one in part.itertuples()}
    other = [f'at {width or "an unstated width"}: {value}' for width, value in text.items() if width not in widths]
    name = f'{method}, {source}' + (', score unstated' if plain(model) == 'unstated' else '')
    remarks = '; '.join(filter(None, ['published', note, *other]))
    found.append([name, *(text.get(width, '') for width in widths), remarks])
  return found
