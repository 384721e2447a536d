"""Seconds of a step with row-sparse updates as entities grow, beside dense updates.

  python -m benchmarks.sparse --output=docs/benchmarks

All sizes lie in memory at once, three tables each, and take turns, so that a busy machine slows all of them alike.
Triples are uniform, so nearly every row of a batch is another one. Dense updates are measured up to --dense-entities.
"""

import math

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

from benchmarks import graph_data, running, timing, trainings
from medjax.kge import settings as settings_lib

RELATIONS = 1000


def case(arguments, entities, sparse):
  """Returns () -> seconds of a step, warm."""
  setup = trainings.setup(arguments)
  setup.config.train.sparse_updates = sparse
  settings_lib.resolve(setup.config)
  training = trainings.Training(setup, graph_data.synthetic(entities, RELATIONS, arguments.sample))
  training.seconds(arguments.steps)
  return lambda: training.seconds(arguments.steps)


def distinct_rows(arguments, entities):
  """Rows that a batch touches on average: distinct ones of uniform draws."""
  draws = arguments.batch * 2 + arguments.batch // arguments.share_negatives * arguments.negatives
  return entities * -math.expm1(draws * math.log1p(-1 / entities))


def measure(arguments, data):
  del data
  cases = {
    (entities, name): case(arguments, entities, name == 'sparse')
    for entities in arguments.entities
    for name in ('sparse', 'dense')
    if name == 'sparse' or entities <= arguments.dense_entities
  }
  points, rows = [], []
  for (entities, name), seconds in timing.interleave(cases, arguments.rounds).items():
    points.append({'entities': entities, 'updates': name, **timing.spread(seconds)})
  base = {name: next((p['median'] for p in points if p['updates'] == name), None) for name in ('sparse', 'dense')}
  for point in points:
    touched = distinct_rows(arguments, point['entities'])
    rows.append(
      {
        'entities': f'{point["entities"]:,}',
        'updates': point['updates'],
        'rows touched': f'{touched:,.0f}',
        **{f'{key}, ms': f'{1000 * point[key]:.1f}' for key in ('median', 'low', 'high')},
        'to the smallest': f'{point["median"] / base[point["updates"]]:.2f}',
        'us a touched row': f'{1e6 * point["median"] / touched:.2f}',
      }
    )
  medians = [p['median'] for p in points if p['updates'] == 'sparse']
  text = timing.table(rows) + f'\nsparse: the slowest size takes {max(medians) / min(medians):.2f} times the fastest.'
  return text, {'points': points, 'slowest_to_fastest': max(medians) / min(medians)}


def main(argv=None):
  options = running.parser('sparse', __doc__)
  options.set_defaults(rounds=9, widths='8:64:8', dataset='synthetic:100:10:1000', name='sparse')
  options.add_argument('--entities', type=running.numbers, default='15000,500000,5000000')
  options.add_argument('--dense-entities', type=running.positive, default=500000, help='the largest with dense updates')
  options.add_argument('--sample', type=running.positive, default=300000, help='training triples')
  options.add_argument('--steps', type=running.positive, default=20, help='steps per dispatch and round')
  return running.run(options, measure, argv)


if __name__ == '__main__':
  main()
