"""Plots of saved results, and the look that all figures share; the only module that imports matplotlib."""

from collections.abc import Collection, Iterator, Mapping, Sequence
import contextlib
import logging
import pathlib
from typing import Any
import warnings

from medjax.core import files

logging.getLogger('matplotlib').setLevel(logging.ERROR)  # whose first start tells of fonts and folders
import matplotlib
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure  # and no pyplot, whose backend is the caller's to choose
import numpy as np
import pandas as pd

from medjax.report import tables
from medjax.saved.files import Path

# line, marker and colour of a series: told apart without colour too; colours of Okabe and Ito, 2008
LINES = ('-', '--', '-.', ':')
MARKERS = 'osD^vPX*<>ph'
COLOURS = ('#000000', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#999999')


def look(i: int, count: int | None = None) -> dict[str, Any]:
  """Returns the keywords that draw series i of several; with `count`, of ordered ones, from light to dark."""
  colour: Any = COLOURS[i % len(COLOURS)]
  if count is not None:
    colour = matplotlib.colormaps['viridis_r'](0.15 + 0.85 * i / max(count - 1, 1))
  return {
    'marker': MARKERS[i % len(MARKERS)],
    'linestyle': LINES[(i + i // len(COLOURS)) % len(LINES)],
    'color': colour,
    'linewidth': 1.3,
    'markersize': 4.5,
  }


@contextlib.contextmanager
def panels(
  path: Path, columns: int = 1, rows: int = 1, size: tuple[float, float] = (4.6, 3.8), **shared: Any
) -> Iterator[list[Axes]]:
  """Yields the axes [rows * columns] of a figure, which is written as a PNG to `path` afterwards."""
  figure = Figure(figsize=(size[0] * columns, size[1] * rows), layout='constrained')
  yield list(figure.subplots(rows, columns, squeeze=False, **shared).flat)
  with warnings.catch_warnings():
    warnings.filterwarnings('ignore', 'Glyph .* missing')  # names in scripts that the font lacks
    with files.replacing(path) as file:
      figure.savefig(file, dpi=150, format=pathlib.Path(path).suffix[1:] or None)


def counts_axis(axes: Axes, counts: Collection[int]) -> None:
  """Makes the x axis one of whole numbers: logarithmic if they span much, named at a few of them."""
  if max(counts) / min(counts) >= 4:
    axes.set_xscale('log', base=2)
  axes.xaxis.set_major_formatter(ticker.ScalarFormatter())
  axes.xaxis.set_minor_locator(ticker.NullLocator())
  axes.set_xticks(tables.few(sorted(set(counts))))
  axes.grid(alpha=0.3)


def from_zero(axes: Axes, top: float | None = None) -> None:
  """Makes the y axis begin at 0, and says where there is no figure to draw."""
  drawn = any(np.isfinite(np.asarray(line.get_ydata(), float)).any() for line in axes.lines)
  axes.set_ylim(0, top if drawn else 1)
  if not drawn:
    axes.text(0.5, 0.5, tables.NOTHING, transform=axes.transAxes, ha='center', va='center', color='#666666')


def width_axis(axes: Axes, widths: Collection[int]) -> None:
  """Makes the x axis one of widths."""
  counts_axis(axes, widths)
  axes.set_xlabel('width (numbers per entity)')


def quality_against_width(results: pd.DataFrame, path: Path, title: str = '') -> None:
  """Draws MRR and Hits@10 against width.

  Args:
    results: DataFrame with the columns of results.csv.
    path: the PNG to write.
    title: what was evaluated.
  """
  with panels(path, size=(6.4, 4.0)) as (axes,):
    size = 3.5 if len(results) <= 24 else 2
    for name, label, marker, above in (('hits10', 'Hits@10', 's', 6), ('mrr', 'MRR', 'o', -13)):
      (line,) = axes.plot(results['width'], results[name], marker=marker, markersize=size, linewidth=1.4, label=label)
      width, last = results['width'].iloc[-1], results[name].iloc[-1]
      axes.annotate(
        '' if np.isnan(last) else f'{last:.3f}',
        (width, np.nan_to_num(last)),
        textcoords='offset points',
        xytext=(0, above),
        ha='center',
        fontsize=8,
        color=line.get_color(),
      )
    width_axis(axes, list(results['width']))
    from_zero(axes, max(results['hits10'].max() * 1.12, 0.05))
    axes.set_ylabel('filtered, head and tail queries')
    axes.set_title(title, fontsize=10, parse_math=False)
    axes.legend(loc='lower right', frameon=False)
    axes.margins(x=0.08)


def score_against_width(results: pd.DataFrame, path: Path, title: str, measure: str) -> None:
  """Draws the score of a croppable BERT against width.

  Args:
    results: DataFrame with width and score.
    path: the PNG to write.
    title: what was evaluated.
    measure: what the score is.
  """
  with panels(path, size=(6.4, 4.0)) as (axes,):
    axes.plot(results['width'], results['score'], **look(1))
    counts_axis(axes, list(results['width']))
    axes.set_xlabel('width (numbers per token)')
    axes.set_ylabel(measure)
    axes.set_title(title, fontsize=10, parse_math=False)


def quality_against_bytes(frame: pd.DataFrame, path: Path, title: str = '') -> None:
  """Draws MRR, with its interval, against the bytes of a model of each width.

  Args:
    frame: DataFrame with width, mrr, mrr_interval and bytes.
    path: the PNG to write.
    title: what was evaluated.
  """
  with panels(path, size=(6.4, 4.0)) as (axes,):
    size, mrr, half = frame['bytes'] / 2**20, frame['mrr'], frame['mrr_interval'].fillna(0)
    (line,) = axes.plot(size, mrr, **look(1))
    axes.fill_between(size, mrr - half, mrr + half, color=line.get_color(), alpha=0.15, linewidth=0)
    named = set(tables.few(list(frame['width'])))
    for x, y, width in zip(size, mrr, frame['width']):
      if width in named:
        axes.annotate(str(width), (x, y), textcoords='offset points', xytext=(0, -13), ha='center', fontsize=8)
    axes.set_xscale('log', base=2)
    axes.xaxis.set_major_formatter(ticker.FormatStrFormatter('%g'))
    axes.set_xlabel('MiB of tables (each point is named by its width)')
    axes.set_ylabel('filtered MRR, 95% interval')
    from_zero(axes)
    axes.grid(alpha=0.3)
    axes.set_title(title, fontsize=10)


def reliability(curves: Sequence[tuple[str, pd.DataFrame]], path: Path, title: str = '') -> None:
  """Draws how often triples are true against how probable they were said to be.

  Args:
    curves: [(name, DataFrame with said and true)], a row per bin.
    path: the PNG to write.
    title: of the figure.
  """
  with panels(path, size=(4.6, 4.2)) as (axes,):
    axes.plot([0, 1], [0, 1], color='#999999', linewidth=1)
    for i, (name, curve) in enumerate(curves):
      axes.plot(curve['said'], curve['true'], label=name, **look(i, len(curves)))
    axes.set_xlabel('probability that was said')
    axes.set_ylabel('share that was true, held out')
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8, loc='upper left')
    axes.set_title(title, fontsize=10)


def runs_against_width(runs: Sequence[tuple[str, pd.DataFrame]], path: Path) -> None:
  """Draws MRR and Hits@10 of several runs against width; runs of one width are single markers.

  Args:
    runs: [(name, results DataFrame indexed by width)].
    path: the PNG to write.
  """
  with panels(path, columns=2) as axes:
    for panel, measure, label in zip(axes, ('mrr', 'hits10'), ('filtered MRR, test', 'filtered Hits@10, test')):
      for i, (name, results) in enumerate(runs):
        single = {'linestyle': '', 'markersize': 7} if len(results) == 1 else {}
        panel.plot(
          results.index,
          results[measure],
          markevery=0.08 if len(results) > 12 else 1,
          markerfacecolor='white' if i % 2 else None,
          label=name,
          **look(i) | single,
        )
      width_axis(panel, {width for _, results in runs for width in results.index})
      from_zero(panel)
      panel.set_ylabel(label)
    axes[0].legend(frameon=False, fontsize=8, loc='lower right')


def differences_against_width(panels_of: Mapping[str, Sequence[tuple[str, pd.Series]]], path: Path) -> None:
  """Draws differences of MRR against width around a line at zero, a panel a group.

  Args:
    panels_of: {title of the panel: [(name, Series indexed by width)]}.
    path: the PNG to write.
  """
  with panels(path, columns=len(panels_of), size=(4.8, 4.4), sharey=True) as axes:
    for panel, (title, series) in zip(axes, panels_of.items()):
      panel.axhline(0, color='#666666', linewidth=1)
      for i, (name, values) in enumerate(series):
        panel.plot(values.index, values, label=name, **look(i))
      width_axis(panel, {width for _, values in series for width in values.index})
      panel.set_title(title, fontsize=10)
      panel.legend(frameon=False, fontsize=8, loc='upper right')
    axes[0].set_ylabel('MRR of the croppable model less direct training')
