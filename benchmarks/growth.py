"""Seconds of a step and of an evaluation as one thing grows: widths, full width, batch, negatives, entities.

  python -m benchmarks.growth --score=transe --output=docs/benchmarks

One thing grows at a time, from the point that the options name; the exponent is the slope of a line through the
logarithms. Entities grow in synthetic tables of a small full width, with --sample triples. Saves a CSV and a PNG
beside the text.
"""

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

import matplotlib

matplotlib.use('Agg')
from matplotlib import ticker
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from benchmarks import graph_data, running, timing, trainings
from medjax import scores
from medjax.core import widths as widths_lib

AXES = ('widths', 'full width', 'batch', 'negatives', 'entities')
MEASURES = ('step', 'evaluation')
OF_TRAINING = ('batch', 'negatives')  # an evaluation knows nothing of them


def evenly(full, count, components):
  """Returns `count` evenly spaced widths up to `full` as text."""
  if full % (count * components):
    raise ValueError(
      f'{count} evenly spaced widths do not fit in a full width of {full} with {components} numbers per component'
    )
  return f'{full // count}:{full}:{full // count}'


def common_count(counts, fulls, components):
  """Returns the largest count of sub-models that all full widths can have."""
  return max(count for count in [1, *counts] if all(full % (count * components) == 0 for full in fulls))


def points(arguments, data):
  """Returns {axis: [(value, changed options, () -> Data)]}."""
  full = widths_lib.parse_widths(arguments.widths)[-1]
  components = scores.make(arguments.score, scores.default_constants(1.0, full)).components
  same = common_count(arguments.counts, arguments.fulls, components)
  grown = lambda count: graph_data.synthetic(count, data.num_relations, arguments.sample)
  here = lambda: data
  makers = {
    'widths': lambda: [(n, {'widths': evenly(full, n, components)}, here) for n in arguments.counts],
    'full width': lambda: [(n, {'widths': evenly(n, same, components)}, here) for n in arguments.fulls],
    'batch': lambda: [(n, {'batch': n}, here) for n in arguments.batches],
    'negatives': lambda: [(n, {'negatives': n}, here) for n in arguments.negative_counts],
    'entities': lambda: [(n, {'widths': arguments.entity_widths}, lambda n=n: grown(n)) for n in arguments.entities],
  }
  chosen = arguments.axes.split(',')
  unknown = [axis for axis in chosen if axis not in AXES]
  if unknown:
    raise ValueError(f'--axes: there is no axis {unknown[0]!r}; axes are {", ".join(AXES)}')
  return {axis: makers[axis]() for axis in chosen}


def cases(arguments, axis, point):
  """Returns {measure: () -> seconds} of one point of an axis, warm."""
  _, changed, load = point
  data, setup = load(), trainings.setup(arguments, **changed)
  training = trainings.Training(setup, data)
  asked, known = graph_data.sample(data.test, arguments.triples), data.triples
  measures = {'step': lambda: training.seconds(arguments.steps)}
  if axis not in OF_TRAINING:
    measures['evaluation'] = lambda: trainings.evaluation_seconds(
      setup, training.model, asked, known, arguments.eval_batch
    )
  for run in measures.values():
    run()
  return measures


def measure(arguments, data):
  lines = []
  for axis, each in points(arguments, data).items():
    runs = {(point[0], name): run for point in each for name, run in cases(arguments, axis, point).items()}
    for (value, name), seconds in timing.interleave(runs, arguments.rounds).items():
      lines.append({'axis': axis, 'value': value, 'measure': name, **timing.spread(seconds)})
    del runs  # an axis' states are gone before the next one's are made
  frame = pd.DataFrame(lines)
  slopes = exponents(frame)
  if arguments.output:
    frame.to_csv(running.save_path(arguments, 'growth', '.csv'), index=False)
    draw(frame, slopes, running.save_path(arguments, 'growth', '.png'))
  rows = [
    {
      'growing': line['axis'],
      'to': f'{line["value"]:,}',
      'seconds of': line['measure'],
      **{key: f'{line[key]:.5f}' for key in ('median', 'low', 'high')},
    }
    for line in lines
  ]
  fits = [
    {'exponent': axis} | {name: f'{each[name]:.2f}' if name in each else '' for name in MEASURES}
    for axis, each in slopes.items()
  ]
  text = [timing.table(rows)] + (['', timing.table(fits)] if fits else [])
  return '\n'.join(text), {'points': lines, 'exponents': slopes}


def exponents(frame):
  """Returns {axis: {measure: slope of log seconds against log value}} of the axes with two points or more."""
  result = {}
  for (axis, name), part in frame.groupby(['axis', 'measure'], sort=False):
    if len(part) > 1:
      result.setdefault(axis, {})[name] = float(np.polyfit(np.log(part['value']), np.log(part['median']), 1)[0])
  return result


def short(value):
  """Returns a count as text: 640, 15k, 1.5M."""
  scale, letter = (10**6, 'M') if value >= 10**6 else (10**3, 'k') if value >= 10**4 else (1, '')
  return f'{value / scale:g}{letter}'


def draw(frame, slopes, path):
  """Draws seconds against value, a panel per axis, both logarithmic."""
  axes_names = list(frame['axis'].unique())
  figure, panels = plt.subplots(
    1, len(axes_names), figsize=(3.4 * len(axes_names), 3.4), layout='constrained', squeeze=False
  )
  for panel, axis in zip(panels[0], axes_names):
    for name in MEASURES:
      part = frame[(frame['axis'] == axis) & (frame['measure'] == name)]
      if part.empty:
        continue
      slope = slopes.get(axis, {}).get(name)
      panel.errorbar(
        part['value'],
        part['median'],
        [part['median'] - part['low'], part['high'] - part['median']],
        marker='o',
        markersize=3.5,
        linewidth=1.4,
        capsize=2,
        label=name if slope is None else f'{name}, exponent {slope:.2f}',
      )
    panel.set_xscale('log')
    panel.set_yscale('log')
    values = sorted(frame[frame['axis'] == axis]['value'].unique())
    panel.set_xticks(values, labels=[short(value) for value in values])
    panel.xaxis.set_minor_locator(ticker.NullLocator())
    panel.set_xlabel(axis)
    panel.grid(alpha=0.3)
    panel.legend(frameon=False, fontsize=8)
  panels[0][0].set_ylabel('seconds')
  figure.savefig(path, dpi=150)
  plt.close(figure)


def make_options():
  """Returns the command's options."""
  options = running.parser('growth', __doc__)
  running.add_objective(options)
  options.set_defaults(rounds=3)
  lists = {
    'counts': ('1,4,16,64', 'numbers of sub-models, at the full width of --widths'),
    'fulls': ('40,80,160,320,640', 'full widths, all with as many sub-models as fit in each'),
    'batches': ('128,256,512,1024', 'positives per step'),
    'negative-counts': ('16,32,64,128', 'corrupted triples per positive'),
    'entities': ('15000,50000,150000,500000,1500000,5000000', 'entities of synthetic tables'),
  }
  for name, (default, words) in lists.items():
    options.add_argument(f'--{name}', type=running.numbers, default=default, help=words)
  options.add_argument('--axes', default=','.join(AXES), help='what grows, one after the other')
  options.add_argument('--entity-widths', default='8:64:8', help='widths while entities grow')
  options.add_argument('--sample', type=running.positive, default=300000, help='training triples while entities grow')
  options.add_argument('--steps', type=running.positive, default=10, help='steps per dispatch and round')
  options.add_argument('--triples', type=int, default=512, help='test triples, evenly spaced; 0 = all')
  options.add_argument('--eval-batch', type=running.positive, default=256, help='queries ranked at once')
  return options


def main(argv=None):
  return running.run(make_options(), measure, argv)


if __name__ == '__main__':
  main()
