r"""Crops beside direct trainings, triple by triple: differences of their MRR, with intervals by a paired bootstrap.

  python -m benchmarks.paired --workdir=runs/best --beside=runs/direct-10,runs/direct-160 --output=docs/benchmarks
  python -m benchmarks.paired --workdir=runs/seed-0,runs/seed-1 --beside=runs/study/direct-fb15k237
  python -m benchmarks.paired --workdir=runs/best-codex-m --beside=runs/study/direct-codex-m --name=paired-codex-m

Every folder is a trained run whose ranks were kept: `python launch.py --mode=evaluate --workdir=FOLDER --ranks`; a
study stands for the runs that it judged on test. Crops and direct trainings are compared at each width that both have;
several of a width, of different seeds, are averaged triple by triple. Triples are drawn again, with both of their
queries, as often as `--draws` says. The interval is that of other triples, not of other seeds; how far the seeds of a
side lie apart stands beside it.
"""

import argparse
import pathlib
import sys
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks import running, timing

RANKS = 'results-ranks.npz'
LEVEL = 0.95


class Ranks(NamedTuple):
  """The test triples [Q, 3] of a run, and {width: the mean reciprocal rank [Q] of their two queries}."""

  triples: np.ndarray
  of_width: dict


def read(folder):
  """Returns the `Ranks` of a run."""
  path = pathlib.Path(folder) / RANKS
  if not path.is_file():
    raise ValueError(f'{path} is missing; write it by `python launch.py --mode=evaluate --workdir={folder} --ranks`')
  with np.load(path) as found:
    reciprocal = (1 / found['ranks'].astype(np.float64)).mean(0)
    return Ranks(found['triples'], dict(zip(found['widths'].tolist(), reciprocal.T)))


def chosen(folder):
  """Returns the folders of the runs that a study judged on test; of what is no study, the folder alone."""
  table = pathlib.Path(folder) / 'study.csv'
  if not table.is_file():
    return [folder]
  rows = pd.read_csv(table)
  judged = rows[rows['split'] == 'test'][['arm', 'point', 'seed']].drop_duplicates()
  return [f'{folder}/{arm}/{point}-seed{seed}' for arm, point, seed in judged.itertuples(index=False)]


def compare(ours, others, draws):
  """Returns [{width, crop, direct, difference, low, high, crop seeds, direct seeds}] of the widths that both have.

  Args:
    ours: [`Ranks`] of croppable runs.
    others: [`Ranks`] of direct trainings.
    draws: how often the triples are drawn again.

  The seeds of a side are the MRR of each of its runs.
  """
  rows = []
  for width in sorted({width for run in ours for width in run.of_width}):
    sides = [[run.of_width[width] for run in side if width in run.of_width] for side in (ours, others)]
    if not all(sides):
      continue
    crop, direct = (np.mean(side, 0) for side in sides)
    found = stats.bootstrap(
      (crop - direct,), np.mean, n_resamples=draws, confidence_level=LEVEL, method='percentile', batch=100, rng=0
    )
    low, high = found.confidence_interval
    rows.append(
      {'width': width, 'crop': crop.mean(), 'direct': direct.mean(), 'difference': (crop - direct).mean()}
      | {'low': low, 'high': high}
      | {name: [run.mean() for run in side] for name, side in zip(('crop seeds', 'direct seeds'), sides)}
    )
  return rows


def standing(row):
  """Which of the two is ahead, if the interval says so."""
  return 'crop' if row['low'] > 0 else 'direct' if row['high'] < 0 else 'neither'


def spread(seeds):
  """How many runs a side has and, of several, how far their MRR lies apart."""
  return f'{len(seeds)}' + (f', {max(seeds) - min(seeds):.4f} apart' if len(seeds) > 1 else '')


def measure(arguments):
  if not arguments.workdir or not arguments.beside:
    raise ValueError('--workdir names croppable runs, and --beside direct trainings, with commas')
  sides = [
    {run: read(run) for folder in named.split(',') for run in chosen(folder)}
    for named in (arguments.workdir, arguments.beside)
  ]
  (first, like), *_ = sides[0].items()
  for folder, found in (sides[0] | sides[1]).items():
    if not np.array_equal(like.triples, found.triples):
      raise ValueError(f'{folder} and {first} did not rank the same triples')
  rows = compare(*(list(side.values()) for side in sides), arguments.draws)
  if not rows:
    raise ValueError(f'none of {arguments.beside} has a width of {arguments.workdir}')
  told = [
    {'width': row['width']}
    | {name: f'{row[name]:.4f}' for name in ('crop', 'direct')}
    | {'crop - direct': f'{row["difference"]:+.4f}', f'{LEVEL:.0%}': f'{row["low"]:+.4f} to {row["high"]:+.4f}'}
    | {'ahead': standing(row)}
    | {name: spread(row[name]) for name in ('crop seeds', 'direct seeds')}
    for row in rows
  ]
  return f'MRR on {len(like.triples):,} test triples\n{timing.table(told)}', {'rows': rows}


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.paired',
    description=__doc__.split('\n')[0],
    allow_abbrev=False,
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--workdir', default='', help='croppable runs, with commas')
  options.add_argument('--beside', default='', help='direct trainings, or a study of them, with commas')
  options.add_argument('--draws', type=running.positive, default=2000, help='how often triples are drawn again')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files; paired if not given')
  argv = sys.argv[1:] if argv is None else list(argv)
  return running.conclude('paired', argv, options.parse_args(argv), measure, 'paired')


if __name__ == '__main__':
  main()
