"""Seconds per training step: all widths in one pass, one width alone, the loop over sliced models, PyKEEN, PyTorch.

python -m benchmarks.train_step --score=transe --peer-python=PATH
python -m benchmarks.train_step --objective=softmax --score=complex_reciprocal --peer-python=PATH
python -m benchmarks.train_step --objective=best --score=complex_reciprocal --peer-python=PATH
"""

import contextlib

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

from benchmarks import client, machine, naive, running, timing, trainings
from medjax.core import widths as widths_lib

ROWS = {'logsigmoid': ('med', 'default', 'single', 'sandwich', 'naive-tables', 'naive-rows', 'peer')} | dict.fromkeys(
  trainings.OF_SOFTMAX,
  ('med', 'single', 'seven', 'apart', 'sandwich', 'ladder', 'torch', 'torch-sparse', 'peer', 'peer-sampled'),
)
OF_PEER = {  # rows of another Python, and what it is asked for
  'torch': ('plain', {'sparse': False}),
  'torch-sparse': ('plain', {'sparse': True}),
  'peer': ('train', {'sampled': False}),
  'peer-sampled': ('train', {'sampled': True}),
}
SEVEN = (10, 20, 40, 80, 160, 320, 640)
SANDWICH = 8
SIZE = 1024  # of the matrices that are multiplied to see how fast that is
SOME = 1 << 24  # exponentials that are taken to see how fast they are
PAIRS = [
  ('med', 'single'),
  ('seven', 'single'),
  ('apart', 'seven'),
  ('sandwich', 'single'),
  ('ladder', 'single'),
  ('default', 'single'),
  ('naive-tables', 'med'),
  ('naive-rows', 'med'),
  ('med', 'torch'),
  ('single', 'torch'),
  ('single', 'torch-sparse'),
  ('ladder', 'torch'),
  ('ladder', 'torch-sparse'),
  ('ladder', 'peer'),
  ('med', 'peer'),
  ('single', 'peer'),
  ('single', 'peer-sampled'),
]


def rows_of(arguments):
  """Returns the names of the rows to measure; raises ValueError for one that does not exist."""
  known = ROWS[arguments.objective]
  rows = [row for row in known if row not in OF_PEER] if arguments.rows == 'all' else arguments.rows.split(',')
  unknown = sorted(set(rows) - set(known))
  if unknown:
    raise ValueError(f'--rows: there is no row {unknown[0]!r}; rows are {", ".join(known)}')
  if arguments.peer_python and not set(rows) & set(OF_PEER):
    rows += [row for row in known if row in OF_PEER]
  return rows


def labels(setup):
  """Returns what each row is called."""
  count, full = len(setup.widths.values), setup.widths.full
  return {
    'med': f'medjax, {count} widths in one pass',
    'default': f'medjax, {count} widths, default objective',
    'single': f'medjax, width {full} alone',
    'seven': f'medjax, {len(SEVEN)} widths in one pass',
    'apart': f'medjax, the same {len(SEVEN)} widths apart, in sum',
    'sandwich': f'medjax, {min(SANDWICH, count)} of {count} widths a step',
    'ladder': f'medjax, {min(SANDWICH, count)} of {count} widths a step, a factor apart',
    'naive-tables': f'loop over {count} cropped tables',
    'naive-rows': f'loop over {count} crops of gathered rows',
    'torch': f'plain PyTorch, width {full} alone',
    'torch-sparse': f'plain PyTorch, sparse gradients, width {full} alone',
    'peer': f'PyKEEN, width {full} alone',
    'peer-sampled': f'PyKEEN, negatives of each triple, width {full} alone',
  }


def trainings_of_rows(arguments, data, rows):
  """Returns {row: its `Training`s, one after the other} of the rows that run in this process."""
  med, full = trainings.setup(arguments), trainings.full_width(arguments)
  make = lambda *given, **changed: [trainings.Training(trainings.setup(arguments, *given, **changed), data)]
  makers = {
    'med': make,
    'default': lambda: make('default'),
    'single': lambda: make('direct', widths=full),
    'seven': lambda: make(widths=','.join(map(str, SEVEN))),
    'apart': lambda: [training for width in SEVEN for training in make('direct', widths=str(width))],
    'sandwich': lambda: make(sub_models=f'sandwich:{SANDWICH}'),
    'ladder': lambda: make(sub_models=f'ladder:{SANDWICH}'),
  }
  for slice_of in naive.SLICES:
    makers[f'naive-{slice_of}'] = lambda slice_of=slice_of: [
      trainings.Training(med, data, naive.value_and_grad(med, slice_of))
    ]
  return {row: makers[row]() for row in rows if row in makers}


def measure(arguments, data):
  rows, name, notes = rows_of(arguments), labels(trainings.setup(arguments)), []
  steps = {row: arguments.naive_steps if row.startswith('naive') else arguments.steps for row in rows}
  with contextlib.ExitStack() as stack:
    ask = lambda task, more: stack.enter_context(client.peer(arguments, task, data, {'steps': arguments.steps} | more))
    peers = {row: ask(*OF_PEER[row]) for row in rows if row in OF_PEER and arguments.peer_python}
    own = trainings_of_rows(arguments, data, rows)
    temporary = {row: max(training.temporary_bytes or 0 for training in own[row]) for row in own}
    for row in [row for row in own if trainings.too_big(temporary[row])]:
      del own[row]
      notes.append(f'{name[row]}: left out, since it needs {temporary[row] / 2**30:.1f} GiB of intermediate results')
    cases = {}
    for row, each in own.items():
      cases[name[row]] = lambda row=row, each=each: sum(training.seconds(steps[row]) for training in each)
      for training in each:
        training.seconds(1)  # warm
    cases |= {name[row]: peer.round for row, peer in peers.items()}
    copy = machine.Copy(arguments.copy_mib)
    limits = {'copy': copy.seconds, 'multiply': machine.multiply(SIZE), 'exponentials': machine.exponentials(SOME)}
    measured = timing.interleave(cases | limits, arguments.rounds)
    for limit in ('multiply', 'exponentials'):  # at their best: other rows leave caches and pages of their own
      measured[limit] += [limits[limit]() for _ in range(arguments.rounds)]
    about = {row: peer.about for row, peer in peers.items()}
  work = {'copy': copy.bytes, 'multiply': SIZE**3, 'exponentials': SOME}
  rates = {name: timing.spread([work[name] / seconds for seconds in measured.pop(name)]) for name in work}
  ratios = [timing.ratio(measured, name[a], name[b]) for a, b in PAIRS if name[a] in measured and name[b] in measured]
  compiling = {name[row]: sum(training.compile_seconds for training in each) for row, each in own.items()}
  temporary = {name[row]: temporary[row] for row in own}
  text = [
    timing.table(
      [
        {
          'step': row,
          **{f'{key}, ms': f'{value * 1e3:.2f}' for key, value in timing.spread(seconds).items()},
          'XLA temporary, MiB': f'{temporary[row] / trainings.MIB:.0f}' if temporary.get(row) else '',
          'compiled in, s': f'{compiling[row]:.1f}' if row in compiling else '',
        }
        for row, seconds in measured.items()
      ]
    )
  ]
  text += ['', timing.ratio_table(ratios)] if ratios else []
  result = {
    'objective': arguments.objective,
    'ratios': ratios,
    'compile_seconds': compiling,
    'seconds_per_step': {row: timing.spread(seconds) for row, seconds in measured.items()},
    'rounds_seconds': measured,
    'temporary_bytes': temporary,
    'steps': steps,
    'notes': notes,
    'peer': about.get('peer'),
    'torch': about.get('torch'),
  }
  if own:
    limit = arithmetic if trainings.is_softmax(arguments) else traffic
    bound, words = limit(arguments, next(iter(own.values()))[0].model, rates, measured)
    text, result = [*text, '', *words], result | bound
  words = client.words(about.get('peer', about.get('torch')))
  return '\n'.join([*text, *notes, *words]), result


def arithmetic(arguments, model, rates, measured):
  """Returns the arithmetic of the first row as (result, lines): a model's products, and every width's exponentials."""
  candidates = arguments.negatives or model['entity'][next(iter(model['entity']))].shape[0]
  scores, widths = arguments.batch * candidates, widths_lib.parse_widths(arguments.widths)
  parts = {'multiply': 3 * scores * widths[-1], 'exponentials': 2 * scores * len(widths)}
  seconds = {name: count / rates[name]['high'] for name, count in parts.items()}
  first, each = next(iter(measured.items()))
  lines = [
    f"One model's products, scores and both gradients, are {parts['multiply'] / 1e9:.2f} thousand million "
    f'multiply-adds: {seconds["multiply"] * 1e3:.1f} ms as fast as the fastest product of {SIZE} x {SIZE}.',
    f'{len(widths)} widths take {parts["exponentials"] / 1e6:.0f} million exponentials, upwards and downwards: '
    f'{seconds["exponentials"] * 1e3:.1f} ms as fast as they were taken at best.',
    f'{first} took {timing.spread(each)["median"] / sum(seconds.values()):.2f} times the sum.',
  ]
  return {'arithmetic': parts, 'rates': rates, 'least_seconds': sum(seconds.values())}, lines


def traffic(arguments, model, rates, measured):
  """Returns the least traffic of a step as (result, lines): it holds for every row that trains one table."""
  rate = rates['copy']
  parts = machine.step_traffic(model, arguments.batch, arguments.negatives // arguments.share_negatives)
  total = sum(parts.values())
  bound = total / rate['median']
  first, seconds = next(iter(measured.items()))
  took = timing.spread(seconds)['median']
  lines = [
    f'A step moves at least {total / 1e6:,.1f} MB ('
    + ', '.join(f'{part} {size / 1e6:,.1f}' for part, size in parts.items())
    + f'): {bound * 1e3:.2f} ms at '
    f'{rate["median"] / 1e9:.1f} GB/s, the copy measured in between.',
    f'{first} took {took / bound:.2f} times that.',
  ]
  return {'least_bytes': parts, 'bytes_per_second': rate, 'least_seconds': bound}, lines


def main(argv=None):
  options = running.parser('train_step', __doc__)
  running.add_objective(options)
  running.add_peer(options)
  names = '; '.join(f'under {objective} of {",".join(rows)}' for objective, rows in ROWS.items())
  options.add_argument('--rows', default='all', help=f'which rows: {names}')
  options.add_argument('--steps', type=running.positive, default=20, help='steps per dispatch and round')
  options.add_argument('--naive-steps', type=running.positive, default=2, help='the same for the loops')
  options.add_argument(
    '--copy-mib',
    type=running.positive,
    default=machine.COPY_MIB,
    help='size of the array whose copy gives the bandwidth',
  )
  return running.run(options, measure, argv, cached=False)


if __name__ == '__main__':
  main()
