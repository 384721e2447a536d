"""Plots of saved results."""
import matplotlib
matplotlib.use('Agg')
from matplotlib import pyplot as plt
from matplotlib import ticker


def quality_against_width(results, path, title=''):
  """Draws MRR and Hits@10 against width.

  Args:
    results: DataFrame with the columns of results.csv.
    path: the PNG to write.
    title: what was evaluated.
  """
  figure, axes = plt.subplots(figsize=(6.4, 4.0), layout='constrained')
  size = 3.5 if len(results) <= 24 else 2
  for name, label, marker, above in (('hits10', 'Hits@10', 's', 6), ('mrr', 'MRR', 'o', -13)):
    line, = axes.plot(results['width'], results[name], marker=marker, markersize=size, linewidth=1.4, label=label)
    last = results.iloc[-1]
    axes.annotate(f'{last[name]:.3f}', (last['width'], last[name]), textcoords='offset points', xytext=(0, above),
                  ha='center', fontsize=8, color=line.get_color())
  if results['width'].max() / results['width'].min() >= 4:
    axes.set_xscale('log', base=2)
  axes.xaxis.set_major_formatter(ticker.ScalarFormatter())
  axes.xaxis.set_minor_locator(ticker.NullLocator())
  axes.set_xticks(_ticks(list(results['width'])))
  axes.set_ylim(0, max(results['hits10'].max() * 1.12, 0.05))
  axes.set_xlabel('width (numbers per entity)')
  axes.set_ylabel('filtered, head and tail queries')
  axes.set_title(title, fontsize=10)
  axes.grid(alpha=0.3)
  axes.legend(loc='lower right', frameon=False)
  axes.margins(x=0.08)
  figure.savefig(path, dpi=150)
  plt.close(figure)


def runs_against_width(runs, path):
  """Draws the MRR of several runs against width; runs of one width are single markers.

  Args:
    runs: [(name, results DataFrame indexed by width)].
    path: the PNG to write.
  """
  figure, axes = plt.subplots(figsize=(7.2, 4.4), layout='constrained')
  for name, results in runs:
    single = len(results) == 1
    axes.plot(results.index, results['mrr'], marker='D' if single else 'o', markersize=7 if single else 2.5,
              linewidth=1.4, label=name)
  widths = sorted({width for _, results in runs for width in results.index})
  axes.set_xscale('log', base=2)
  axes.xaxis.set_major_formatter(ticker.ScalarFormatter())
  axes.xaxis.set_minor_locator(ticker.NullLocator())
  axes.set_xticks(_ticks(widths))
  axes.set_ylim(bottom=0)
  axes.set_xlabel('width (numbers per entity)')
  axes.set_ylabel('filtered MRR, test')
  axes.grid(alpha=0.3)
  axes.legend(frameon=False, fontsize=8, loc='lower right')
  figure.savefig(path, dpi=150)
  plt.close(figure)


def _ticks(widths):
  """The widths to name: all of a few, else those at least a factor of two apart, ending with the widest."""
  if len(widths) <= 5:
    return widths
  ticks = [widths[-1]]
  for width in reversed(widths):
    if width * 2 <= ticks[-1]:
      ticks.append(width)
  return ticks[::-1]
