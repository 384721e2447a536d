"""Seconds per training step: all widths in one pass, one width alone, the loop over sliced models, and PyKEEN.

python -m benchmarks.train_step --score=transe --peer-python=PATH
"""

import functools

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

from benchmarks import client, common, machine, naive

ROWS = ('med', 'default', 'single', 'naive-tables', 'naive-rows', 'peer')


def rows_of(arguments):
  """Returns the names of the rows to measure; raises ValueError for one that does not exist."""
  rows = [row for row in ROWS if row != 'peer'] if arguments.rows == 'all' else arguments.rows.split(',')
  unknown = sorted(set(rows) - set(ROWS))
  if unknown:
    raise ValueError(f'--rows: there is no row {unknown[0]!r}; rows are {", ".join(ROWS)}')
  return rows + ['peer'] * (bool(arguments.peer_python) and 'peer' not in rows)


def labels(setup):
  """Returns what each row is called."""
  count, full = len(setup.widths.values), setup.widths.full
  return {
    'med': f'medjax, {count} widths in one pass',
    'default': f'medjax, {count} widths, default objective',
    'single': f'medjax, width {full} alone',
    'naive-tables': f'loop over {count} cropped tables',
    'naive-rows': f'loop over {count} crops of gathered rows',
    'peer': f'PyKEEN, width {full} alone',
  }


def trainings(arguments, data, rows):
  """Returns {row: `Training`} of the rows that run in this process."""
  med = common.setup(arguments)
  makers = {
    'med': lambda: common.Training(med, data),
    'default': lambda: common.Training(common.setup(arguments, 'default'), data),
    'single': lambda: common.Training(common.setup(arguments, 'direct', widths=common.full_width(arguments)), data),
  }
  for slice_of in naive.SLICES:
    makers[f'naive-{slice_of}'] = functools.partial(common.Training, med, data, naive.value_and_grad(med, slice_of))
  return {row: makers[row]() for row in rows if row in makers}


def measure(arguments, data):
  rows, name, notes = rows_of(arguments), labels(common.setup(arguments)), []
  steps = {row: arguments.naive_steps if row.startswith('naive') else arguments.steps for row in rows}
  with client.peer(arguments, 'train', data, {'steps': arguments.steps}) as peer:
    own = trainings(arguments, data, rows)
    for row in [row for row in own if common.too_big(own[row].temporary_bytes)]:
      needs = own.pop(row).temporary_bytes
      notes.append(f'{name[row]}: left out, since it needs {needs / 2**30:.1f} GiB of intermediate results')
    for training in own.values():
      training.seconds(1)  # warm
    cases = {name[row]: functools.partial(own[row].seconds, steps[row]) for row in own}
    if peer:
      cases[name['peer']] = peer.round
    copy = machine.Copy(arguments.copy_mib)
    measured = common.interleave(cases | {'copy': copy.seconds}, arguments.rounds)
    about = peer.about if peer else None
  rate = common.spread([copy.bytes / seconds for seconds in measured.pop('copy')])
  pairs = [
    ('med', 'single'),
    ('default', 'single'),
    ('naive-tables', 'med'),
    ('naive-rows', 'med'),
    ('med', 'peer'),
    ('single', 'peer'),
  ]
  ratios = [common.ratio(measured, name[a], name[b]) for a, b in pairs if name[a] in measured and name[b] in measured]
  temporary = {name[row]: training.temporary_bytes for row, training in own.items()}
  text = [
    common.table(
      [
        {
          'step': row,
          **{f'{key}, ms': f'{value * 1e3:.2f}' for key, value in common.spread(seconds).items()},
          'XLA temporary, MiB': f'{temporary[row] / common.MIB:.0f}' if temporary.get(row) else '',
        }
        for row, seconds in measured.items()
      ]
    )
  ]
  text += ['', common.ratio_table(ratios)] if ratios else []
  result = {
    'seconds_per_step': {row: common.spread(seconds) for row, seconds in measured.items()},
    'rounds_seconds': measured,
    'ratios': ratios,
    'temporary_bytes': temporary,
    'steps': steps,
    'notes': notes,
    'peer': about,
  }
  if own:
    bound, words = traffic(arguments, next(iter(own.values())).model, rate, measured)
    text, result = [*text, '', *words], result | bound
  return '\n'.join(text + notes + client.words(about)), result


def traffic(arguments, model, rate, measured):
  """Returns the least traffic of a step as (result, lines): it holds for every row that trains one table."""
  parts = machine.step_traffic(model, arguments.batch, arguments.negatives // arguments.share_negatives)
  total = sum(parts.values())
  bound = total / rate['median']
  first, seconds = next(iter(measured.items()))
  took = common.spread(seconds)['median']
  lines = [
    f'A step moves at least {total / 1e6:,.1f} MB ('
    + ', '.join(f'{part} {size / 1e6:,.1f}' for part, size in parts.items())
    + f'): {bound * 1e3:.2f} ms at '
    f'{rate["median"] / 1e9:.1f} GB/s, the copy measured in between.',
    f'{first} took {took / bound:.2f} times that.',
  ]
  return {'least_bytes': parts, 'bytes_per_second': rate, 'least_seconds': bound}, lines


def main(argv=None):
  options = common.parser('train_step', __doc__)
  common.add_peer(options)
  options.add_argument('--rows', default='all', help=f'which rows, of {",".join(ROWS)}')
  options.add_argument('--steps', type=common.positive, default=20, help='steps per dispatch and round')
  options.add_argument('--naive-steps', type=common.positive, default=2, help='the same for the loops')
  options.add_argument(
    '--copy-mib',
    type=common.positive,
    default=machine.COPY_MIB,
    help='size of the array whose copy gives the bandwidth',
  )
  return common.run(options, measure, argv)


if __name__ == '__main__':
  main()
