"""Exact top-k by funnel: what trained models let it rule out, and its seconds beside brute force and faiss.

  python -m benchmarks.funnel --workdir=RUN,RUN --output=docs/benchmarks

Entities are drawn around those of trained runs (`--workdir`): each is a trained one, and every number of it is moved by
`--spread` standard deviations of that number. Without runs, tables are drawn whose numbers have the sizes of trained
ones. Questions are the runs' test triples, asked for their tails.

First table: the shares of the entities that are left after every width, of the numbers that a search reads, and of the
best that are among the `--keep` best of a narrow width, a shortlist. Second table: milliseconds a question, asked one
by one and all at once; the shortlist is that of 1/4 of the width. `--rounds=0` leaves it out, `--entities=0` takes the
runs' own entities.
"""

import argparse
import dataclasses
import gc
import os
import sys
import time

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

import numpy as np

from benchmarks import graph_data, running, timing
from medjax import scores
from medjax.core.widths import Widths
from medjax.data.graph import Graph
from medjax.saved import artifact
from medjax.serve import funnel, loading, search, spaces, vectors
from medjax.serve import model as model_lib

FUNNEL, BRUTE, SHORTLIST = 'funnel', 'brute force', 'shortlist'
FADING = 0.35  # of inner products, numbers get smaller like the 0.35th power; those of distances do not


def counted(text):
  """An int of at least 0."""
  return int(text) if text == '0' else running.positive(text)


def drawn_run(score, width, draw):
  """Returns a model of drawn tables, and its questions: triples [Q, 3]."""
  constants = scores.default_constants(1.0, width)
  components = scores.make(score, constants).components
  power = FADING if vectors.metric(score) == 'ip' else 0.0
  sizes, rows = (1 + np.arange(width // components) / 8) ** -power, {'entity': 15000, 'relation': 200}
  params = {
    table: {name: (draw.normal(size=(rows[table], len(sizes))) * sizes).astype(np.float32) for name in names}
    for table, names in zip(rows, vectors.LEAVES[score])
  }
  names = [tuple(map(str, range(count))) for count in rows.values()]
  triples = draw.integers(0, (rows['entity'], rows['relation'], rows['entity']), (1000, 3)).astype(np.int32)
  graph = Graph('drawn', *names, triples[:0], triples[:0], triples, *names)
  step = width // 16
  widths = tuple(range(step, width + 1, step))
  description = artifact.Description(
    score, constants, widths, Widths(widths, components).block, (0.0,) * 16, (1.0,) * 16, 'drawn'
  )
  return model_lib.Model(description, params, graph)


def enlarged(model, entities, spread, draw):
  """Returns the model with as many entities, each drawn around one of its own; 0: with its own."""
  if not entities:
    return model
  base = draw.integers(0, len(model.graph.entities), entities)

  def around(leaf):
    result, sizes = np.empty((entities, leaf.shape[1]), np.float32), np.float32(spread) * leaf.std(0)
    for first in range(0, entities, 1 << 16):
      rows = base[first : first + (1 << 16)]
      result[first : first + len(rows)] = leaf[rows] + sizes * draw.standard_normal(
        (len(rows), leaf.shape[1]), np.float32
      )
    return result

  names = tuple(map(str, range(entities)))
  graph = dataclasses.replace(model.graph, entities=names, entity_labels=names)
  params = {**model.params, 'entity': {name: around(leaf) for name, leaf in model.params['entity'].items()}}
  return model_lib.Model(model.description, params, graph)


def faiss_search(model, k):
  """Returns query vectors [Q, D] -> (ids, raw scores) of faiss's exact index, or None where there is none."""
  try:
    import faiss
  except ImportError:
    return None
  metrics = {'ip': faiss.METRIC_INNER_PRODUCT, 'l1': faiss.METRIC_L1, 'l2': faiss.METRIC_L2}
  if model.metric is None:
    return None
  faiss.omp_set_num_threads(len(os.sched_getaffinity(0)))
  index = faiss.IndexFlat(model.width, metrics[model.metric])
  table = vectors.entity_vectors(model)
  for first in range(0, len(table), 1 << 16):
    index.add(np.ascontiguousarray(table[first : first + (1 << 16)]))

  def of(queries):
    values, ids = index.search(vectors.side_by_side(queries, vectors.LEAVES[model.description.score][0]), k)
    return ids, {'ip': values, 'l1': -values, 'l2': -np.sqrt(np.maximum(values, 0))}[model.metric]

  return of


def shares(built, queries, k):
  """Shares of the entities left after every stage but the last, means and medians, and of the numbers read."""
  counts, widths = funnel.left(built, queries, k), np.array(built.stages)
  pieces = np.diff(widths[:-1], prepend=0)
  read = (counts[:, :-1] @ pieces + counts[:, -1] * widths[-1] + k * (len(widths) - 1) * widths[-1]) / widths[-1]
  left = counts[:, 1:] / counts[:, :1]
  return {
    'stages': built.stages,
    'mean': left.mean(0).tolist(),
    'median': np.median(left, 0).tolist(),
    'read': float((read / counts[:, 0]).mean()),
  }


def milliseconds(find, queries, at_once):
  """Milliseconds a question."""
  count = len(next(iter(queries.values())))
  parts = [queries] if at_once else [{n: leaf[i : i + 1] for n, leaf in queries.items()} for i in range(count)]
  begun = time.perf_counter()
  for part in parts:
    find(part)
  return (time.perf_counter() - begun) * 1e3 / count


def of_run(run, arguments, draw):
  """Returns (row of shares, rows of times) of a run."""
  kind = f'{run.description.score}, {"croppable" if len(run.widths.values) > 1 else "direct"}'
  test = graph_data.sample(run.graph.test, arguments.questions)
  queries = vectors.query_rows(run, 'tail', test[:, 0], test[:, 1])
  model, k = enlarged(run, arguments.entities, arguments.spread, draw), arguments.k
  whole, components = model.width, model.widths.components
  near = lambda share: max(1, round(share * whole / components)) * components
  stages = running.numbers(arguments.stages) or [near(1 / 2), near(3 / 4)]
  built = funnel.make(model, stages)
  told = {'model': kind} | shares(built, queries, k) | {'recall': {}}
  exact, best = funnel.top_k(built, queries, k)
  overlap = lambda found: float(np.mean([np.isin(a, b).mean() for a, b in zip(exact, found)]))
  for width in sorted({near(share) for share in (1 / 64, 1 / 16, 1 / 4)}):
    shortlist = funnel.make(model, [width], keep=arguments.keep)
    told['recall'][width] = overlap(funnel.top_k(shortlist, queries, k)[0])
  if not arguments.rounds:
    return told, []
  cases = {
    FUNNEL: lambda part: funnel.top_k(built, part, k),
    BRUTE: lambda part: search.top_k(spaces.raw_scores(model.space, part), k),
    SHORTLIST: lambda part: funnel.top_k(shortlist, part, k),
  }
  if peer := faiss_search(model, k):
    cases['faiss'] = peer
  rows = []
  same = {
    name: [float((ids == exact).all(1).mean()), float(np.abs(values / best - 1).max())]
    for name, (ids, values) in ((name, find(queries)) for name, find in cases.items())
  }
  for asked, at_once in (('one by one', False), ('all at once', True)):
    timed = lambda find, at_once=at_once: lambda: milliseconds(find, queries, at_once)
    measured = timing.interleave({name: timed(find) for name, find in cases.items()}, arguments.rounds)
    rows += [
      {'model': kind, 'asked': asked, 'by': name, 'of funnel': timing.ratio(measured, FUNNEL, name)['ratio_of_medians']}
      | {'same': same[name][0], 'differ': same[name][1]}
      | timing.spread(values)
      for name, values in measured.items()
    ]
  return told, rows


def measure(arguments):
  draw = np.random.default_rng(0)
  told, timed = [], []
  folders = [folder for folder in arguments.workdir.split(',') if folder]
  for each in folders or arguments.scores.split(','):
    run = loading.load(each) if folders else drawn_run(each, arguments.width, draw)
    of_one = of_run(run, arguments, draw)
    told, timed = [*told, of_one[0]], timed + of_one[1]
    gc.collect()
  percent = lambda value: f'{100 * value:.1f} %'
  shown = [
    {'model': row['model']}
    | {
      f'left after {width}': f'{percent(mean)} (median {percent(median)})'
      for width, mean, median in zip(row['stages'], row['mean'], row['median'])
    }
    | {'numbers read': percent(row['read'])}
    | {f'recall by {width}': f'{value:.3f}' for width, value in row['recall'].items()}
    for row in told
  ]
  text = timing.table(shown)
  if timed:
    text += '\n\n' + timing.table(
      [
        {'model': row['model'], 'asked': row['asked'], 'by': row['by']}
        | {f'{name}, ms': f'{row[name]:,.1f}' for name in ('median', 'low', 'high')}
        | {'funnel : it': f'{row["of funnel"]:.2f}', 'same ids': percent(row['same'])}
        for row in timed
      ]
    )
    if 'faiss' not in {row['by'] for row in timed}:
      text += '\nfaiss is not installed and left out'
  return text, {'shares': told, 'times': timed, 'entities': arguments.entities}


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.funnel',
    description=__doc__.split('\n')[0],
    allow_abbrev=False,
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--workdir', default='', help='trained runs; drawn tables if not given')
  options.add_argument('--scores', default='transe,complex', help='scores of drawn tables')
  options.add_argument('--width', type=running.positive, default=640, help='width of drawn tables, a multiple of 32')
  options.add_argument('--entities', type=counted, default=1_000_000, help='entities drawn; 0: those of the run')
  options.add_argument('--spread', type=float, default=0.3, help='how far they are from trained ones, in deviations')
  options.add_argument('--stages', default='', help='widths of the funnel; 1/2 and 3/4 of the full one if not given')
  options.add_argument('--keep', type=running.positive, default=1000, help='entities of the shortlist')
  options.add_argument('--k', type=running.positive, default=10, help='answers')
  options.add_argument('--questions', type=running.positive, default=20, help='questions')
  options.add_argument('--rounds', type=counted, default=3, help='times that every row is measured, in turn')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files; funnel-ENTITIES if not given')
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = options.parse_args(argv)
  return running.conclude('funnel', argv, arguments, measure, f'funnel-{arguments.entities}')


if __name__ == '__main__':
  main()
