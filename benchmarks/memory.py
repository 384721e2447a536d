"""Peak memory of training above the state, and of evaluation above the parameters, each in a process of its own.

  python -m benchmarks.memory --score=transe --entities=15000,150000,1500000
  python -m benchmarks.memory --objective=softmax --score=complex_reciprocal

A child builds its arrays, runs once (so that programs are compiled and threads are there), returns what is free
to the system, resets the kernel's record of its peak, and runs again: the peak above what was resident before is
what the run needs. Beside it stands what XLA sets aside for one program's intermediate results.
"""

import ctypes
import gc
import json
import pathlib
import subprocess
import sys

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

from benchmarks import graph_data, running, timing, trainings
from medjax.evaluation import ranking

try:
  import resource
except ImportError:  # Windows
  resource = None

STATUS, CLEAR = pathlib.Path('/proc/self/status'), pathlib.Path('/proc/self/clear_refs')
CHILD_OPTIONS = (
  'objective',
  'score',
  'dataset',
  'widths',
  'batch',
  'negatives',
  'share_negatives',
  'steps',
  'triples',
  'eval_batch',
)


def status(field):
  """Returns a field of /proc/self/status in bytes."""
  line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
  return int(line.split()[1]) * 1024


def reset_peak():
  """Has the kernel forget the peak so far; False where it cannot."""
  try:
    CLEAR.write_text('5')
    return True
  except OSError:
    return False


def trim():
  """Gives free memory back to the system, so that the next run has to ask for it."""
  gc.collect()
  if sys.platform == 'linux':
    getattr(ctypes.CDLL(None), 'malloc_trim', lambda _: 0)(0)


def peak_above(run):
  """Returns (bytes by which `run` raises the resident memory at its peak, how it was measured)."""
  if STATUS.exists() and reset_peak():
    run()
    trim()
    before = status('VmRSS')
    reset_peak()
    run()
    return status('VmHWM') - before, 'VmHWM'
  if resource is None:
    raise ValueError('this system tells no process its peak memory')
  # without a reset, the first run counts, and compiling with it
  unit = 1 if sys.platform == 'darwin' else 1024
  read = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
  before = read()
  run()
  return read() - before, 'getrusage, compilation included'


def training(arguments, data, objective='med', **changed):
  """Measures a dispatch of training steps.

  Returns:
    parameters, state and gradient in bytes; `above`, the peak above state and gradient; the same of XLA's temporary
    memory; the bytes of one batch of gathered embeddings, and of one matrix of its scores.
  """
  train = trainings.Training(trainings.setup(arguments, objective, **changed), data)
  tables, state = trainings.table_bytes(train.model), trainings.table_bytes((train.state.params, train.state.opt_state))
  batch = trainings.gathered_bytes(train.model, arguments.batch, arguments.negatives)
  peak, how = peak_above(lambda: train.seconds(arguments.steps))
  return {
    'parameters': tables,
    'state': state,
    'above_state': peak,
    'above': peak - tables,
    'xla_above': train.temporary_bytes - tables,
    'batch': batch,
    'matrix': 4 * arguments.batch * (arguments.negatives or data.num_entities),
    'how': how,
  }


def evaluation(arguments, data):
  """Measures a filtered evaluation, index of known answers and ranks included.

  Returns:
    In bytes: parameters; `above`, the peak above them; `xla_above`, XLA's temporary memory of the batches that run
    side by side; one table of scores [chunk, Q]; the ranks; all scores [E, Q, N] of a batch, for comparison.
  """
  setup = trainings.setup(arguments)
  model, known = trainings.random_model(setup, data), data.triples
  asked = graph_data.sample(data.test, arguments.triples)
  evaluate = lambda: trainings.evaluation_seconds(setup, model, asked, known, arguments.eval_batch)
  program, batch, chunk = ranking_program(evaluate)
  peak, how = peak_above(evaluate)
  workers = min(ranking.processors(), -(-len(asked) // batch))
  return {
    'parameters': trainings.table_bytes(model),
    'above': peak,
    'how': how,
    'xla_above': program.memory_analysis().temp_size_in_bytes * workers,
    'workers': workers,
    'score_table': 4 * batch * chunk,
    'ranks': 2 * 8 * len(asked) * len(setup.widths.values),
    'all_scores': 4 * batch * data.num_entities * len(setup.widths.values),
  }


def ranking_program(evaluate):
  """Runs an evaluation and returns (its compiled ranking of one batch, queries per batch, entities per chunk)."""
  calls, count_rivals = [], ranking.count_rivals

  def recorded(*arguments, **options):
    calls.append((arguments, options))
    return count_rivals(*arguments, **options)

  ranking.count_rivals = recorded
  try:
    evaluate()
  finally:
    ranking.count_rivals = count_rivals
  arguments, options = calls[0]
  return count_rivals.lower(*arguments, **options).compile(), len(arguments[1]), options['chunk']


def child(arguments):
  """Measures one thing in this process and prints it as a line of JSON."""
  data = graph_data.load_data(arguments.dataset)
  if arguments.child == 'evaluation':
    result = evaluation(arguments, data)
  elif arguments.child == 'single':
    result = training(arguments, data, 'direct', widths=trainings.full_width(arguments))
  else:
    result = training(arguments, data)
  print(json.dumps(result))
  return result


def in_child(arguments, kind, **changed):
  """Runs `child` in a fresh process and returns what it measured."""
  options = {name: changed.get(name, getattr(arguments, name)) for name in CHILD_OPTIONS}
  command = [sys.executable, '-m', 'benchmarks.memory', f'--child={kind}']
  command += [f'--{name.replace("_", "-")}={value}' for name, value in options.items()]
  done = subprocess.run(command, capture_output=True, text=True, check=False)
  if done.returncode:
    raise ValueError(f'the {kind} child failed: {done.stderr[-2000:].strip()}')
  return json.loads(done.stdout.splitlines()[-1])


def middle(arguments, kind, **changed):
  """Returns the child whose `above` is the median of the rounds', and all of theirs."""
  rounds = sorted((in_child(arguments, kind, **changed) for _ in range(arguments.rounds)), key=lambda r: r['above'])
  return rounds[len(rounds) // 2] | {'rounds': [r['above'] for r in rounds]}


def measure(arguments, data):
  setup = trainings.setup(arguments)
  trained = {
    f'{len(setup.widths.values)} widths in one pass': middle(arguments, 'med'),
    f'width {setup.widths.full} alone': middle(arguments, 'single'),
  }
  sizes = {f'{data.num_entities:,}': arguments.dataset}
  sizes |= {
    f'{count:,} (synthetic)': f'synthetic:{count}:{data.num_relations}:{len(data.train)}'
    for count in arguments.entities
  }
  evaluated = {name: middle(arguments, 'evaluation', dataset=dataset) for name, dataset in sizes.items()}
  mib = lambda size: f'{size / trainings.MIB:,.1f}'
  units = lambda size, unit: f'{size / unit:.2f}'
  softmax = trainings.is_softmax(arguments)  # whose candidates a batch shares: their embeddings are few
  unit, plural = ('matrix', 'matrices') if softmax else ('batch', 'batches')
  train_rows = [
    {
      'training, MiB': name,
      'parameters': mib(r['parameters']),
      'state': mib(r['state']),
      'above state': mib(r['above_state']),
      'and above gradient': mib(r['above']),
      f'in {plural}': units(r['above'], r[unit]),
      f'XLA, in {plural}': units(r['xla_above'], r[unit]),
      f'one {unit}': mib(r[unit]),
    }
    for name, r in trained.items()
  ]
  evaluation_rows = [
    {
      'evaluation of entities, MiB': name,
      'parameters': mib(r['parameters']),
      'above parameters': mib(r['above']),
      'XLA, all workers': mib(r['xla_above']),
      'ranks': mib(r['ranks']),
      'one table of scores': mib(r['score_table']),
      'all scores of a batch': mib(r['all_scores']),
    }
    for name, r in evaluated.items()
  ]
  text = [
    timing.table(train_rows),
    '',
    timing.table(evaluation_rows),
    '',
    'state: parameters and moments. '
    + (
      'A matrix: scores [B, K] of one width.'
      if softmax
      else 'A batch: gathered embeddings of candidates [B, 1 + K], anchors [B] and relations [B].'
    ),
    'all scores of a batch: what ranking without chunks would hold (not allocated here).',
    f'Measured by {next(iter(trained.values()))["how"]}; medians of {arguments.rounds} processes each.',
  ]
  return '\n'.join(text), {'training': trained, 'evaluation': evaluated}


def main(argv=None):
  options = running.parser('memory', __doc__)
  options.set_defaults(rounds=3)
  running.add_objective(options)
  options.add_argument(
    '--entities', type=running.numbers, default=[], help='evaluate synthetic tables of these numbers of entities too'
  )
  options.add_argument('--steps', type=running.positive, default=5, help='steps of the measured dispatch')
  options.add_argument('--triples', type=int, default=4096, help='test triples, evenly spaced; 0 = all')
  options.add_argument('--eval-batch', type=running.positive, default=256, help='queries ranked at once')
  options.add_argument('--child', choices=['med', 'single', 'evaluation'], help='measure one thing in this process')
  arguments, _ = options.parse_known_args(argv)
  if arguments.child:
    runtime.cache_compilations()
    return child(arguments)
  return running.run(options, measure, argv)


if __name__ == '__main__':
  main()
