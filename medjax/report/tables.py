"""Tables of results."""

from collections.abc import Callable, Collection, Iterable, Sequence

import pandas as pd

from medjax.evaluation import metrics

WIDTHS = (10, 20, 40, 80, 160, 320, 640)  # columns of a table of runs
NOTHING = 'no triples to rank'  # in place of figures: a split without triples, or all of them are left out
FORMATS: dict[str, Callable[..., str]] = {  # of the columns of results
  **dict.fromkeys(('mrr', 'hits1', 'hits3', 'hits10', 'amri'), '{:.4f}'.format),
  'mr': '{:.1f}'.format,
  'params': '{:,}'.format,
}
TextTable = tuple[list[str], list[list[str]]]  # (header, rows of text cells)


def results_frame(rows: pd.DataFrame) -> pd.DataFrame:
  """Returns the rows of both sides and all relations as the columns of results.csv.

  Where nothing was ranked, the metrics are NaN and the candidates say so.

  Args:
    rows: DataFrame of `evaluation.evaluator.evaluate`.
  """
  both = rows[(rows['side'] == 'both') & (rows['category'] == 'all')]
  both = both.assign(candidates=both['candidates'].where(both['queries'] > 0, NOTHING))
  return both[['width', *metrics.METRICS, 'params', 'candidates']].reset_index(drop=True)


def show(results: pd.DataFrame) -> str:
  """Returns results as an aligned text table, or that nothing was ranked."""
  if results['mrr'].isna().all():
    return NOTHING
  return pd.DataFrame(results).to_string(index=False, formatters=FORMATS)


def shown_widths(present: Collection[int]) -> list[int]:
  """Returns the widths that get a column: those of WIDTHS that are present if the widest is one, else a few."""
  return [width for width in WIDTHS if width in present] if max(present) in WIDTHS else few(sorted(present))


def few(widths: list[int]) -> list[int]:
  """The widths to name: all of a few, else those at least a factor of two apart, ending with the widest."""
  if len(widths) <= 5:
    return widths
  ticks = [widths[-1]]
  for width in reversed(widths):
    if width * 2 <= ticks[-1]:
      ticks.append(width)
  return ticks[::-1]


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
  """Returns a Markdown table of text cells."""
  line = lambda cells: '| ' + ' | '.join(cells) + ' |'
  return '\n'.join([line(header), '|' + '---|' * len(header), *map(line, rows)])


def latex(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
  """Returns a LaTeX tabular of text cells, for the package booktabs; '**bold**' becomes \\textbf."""
  line = lambda cells: ' & '.join(map(latex_cell, cells)) + r' \\'
  columns = 'l' + 'c' * (len(header) - 1)
  return '\n'.join(
    [
      f'\\begin{{tabular}}{{{columns}}}',
      r'\toprule',
      line(header),
      r'\midrule',
      *map(line, rows),
      r'\bottomrule',
      r'\end{tabular}',
    ]
  )


def latex_cell(text: str) -> str:
  """Returns a cell with LaTeX's special characters escaped."""
  for plain, escaped in (
    ('\\', r'\textbackslash{}'),
    ('&', r'\&'),
    ('%', r'\%'),
    ('_', r'\_'),
    ('#', r'\#'),
    ('$', r'\$'),
    ('±', r'$\pm$'),
    ('≈', r'$\approx$'),
    ('×', r'$\times$'),
  ):
    text = text.replace(plain, escaped)
  parts = text.split('**')
  return ''.join(part if i % 2 == 0 else f'\\textbf{{{part}}}' for i, part in enumerate(parts))
