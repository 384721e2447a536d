"""A synthetic shop of the published size, or smaller: drawn, prepared, trained sparsely and served on one machine.

  python -m benchmarks.ecommerce --users=700000 --output=docs/benchmarks

The graph is that of medjax.applications.market: 7 million users have 50.7 million triples, of which the model of
`--widths` sees as many batches as `--steps`. Every part is a process of its own, with its seconds and peak memory.
Served are crops without triples. Asked are the ten best of all entities for a user and `bought`; and, where training
has seen every triple once at least, of what was held out, the labels of users among their values, and purchases among
100 items drawn at random. Beside them stand what chance gives, and what the most frequent value and the most bought
items give. A shorter training is one of seconds and bytes alone: its answers tell nothing but where each row's first
steps have led.
"""

import argparse
import collections
import json
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

import numpy as np

from benchmarks import prepare, running, timing, trainings
from medjax.applications import ecommerce
from medjax.applications import market as market_lib
from medjax.core import widths as widths_lib

ROOT = pathlib.Path(__file__).parents[1]
DRAWN = 100  # items among which a purchase is looked for
BEST = 10


def child(*arguments):
  return [sys.executable, '-m', 'benchmarks.ecommerce', *arguments]


def launch(*arguments):
  return [sys.executable, str(ROOT / 'launch.py'), *arguments]


def train_command(arguments, store, workdir):
  """The command that trains on a store; the settings are those of configs/fb15k237/bilinear.py but for the sizes."""
  return launch(
    f'--config={ROOT}/configs/fb15k237/bilinear.py:{arguments.score}',
    f'--workdir={workdir}',
    f'--config.data.path={store}',
    f'--config.model.widths={arguments.widths}',
    '--config.train.sparse_updates=true',
    f'--config.train.steps={arguments.steps}',
    f'--config.train.batch={arguments.batch}',
    f'--config.train.negatives={arguments.negatives}',
    f'--config.train.share_negatives={arguments.batch}',
    f'--config.train.learning_rate={arguments.learning_rate}',
    f'--config.train.checkpoint_every={arguments.steps}',
    '--config.train.keep=1',
    '--config.eval.every=0',
    f'--config.eval.candidates={DRAWN}',
  )


def read(path):
  """Triples of names, one a line below a header."""
  return [line.split('\t') for line in pathlib.Path(path).read_text(encoding='utf-8').splitlines()[1:]]


def every(rows, count):
  """At most so many rows, evenly spaced."""
  return [rows[i] for i in np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]


def counted(folder):
  """{'bought': {item: times}, label: {value: users}} of train.tsv, in one walk."""
  counts = {name: collections.Counter() for name in ('bought', *market_lib.LABELS)}
  with (folder / 'train.tsv').open(encoding='utf-8') as file:
    for line in file:
      _, relation, tail = line.rstrip('\n').split('\t')
      if relation in counts:
        counts[relation][tail] += 1
  return counts


def label_accuracy(score, rows, counts):
  """{label: how often the best value is right}, of the scores and of the most frequent value."""
  found = {}
  for label in market_lib.LABELS:
    asked = [(head, tail) for head, relation, tail in rows if relation == label]
    values = sorted(counts[label])
    scores = score([head for head, _ in asked for _ in values], label, values * len(asked)).reshape(len(asked), -1)
    right = np.mean([values[best] == tail for best, (_, tail) in zip(scores.argmax(1), asked)])
    (most, _), *_ = counts[label].most_common(1)
    found[label] = {
      'accuracy': float(right),
      'most frequent': float(np.mean([tail == most for _, tail in asked])),
      'asked': len(asked),
    }
  return found


def purchase_hits(score, rows, counts, items):
  """How often the item that was bought is among the ten best of it and 100 others, ties counting by their share."""
  drawn = np.random.RandomState(0).randint(len(items), size=(len(rows), DRAWN))
  choices = [[tail, *(items[i] for i in row)] for (_, _, tail), row in zip(rows, drawn)]
  heads = [head for head, _, _ in rows for _ in range(DRAWN + 1)]
  tables = {
    'hits': score(heads, 'bought', [item for row in choices for item in row]).reshape(len(rows), -1),
    'most bought': np.array([[counts['bought'][item] for item in row] for row in choices]),
  }
  return {name: hits(table) for name, table in tables.items()} | {'chance': BEST / (DRAWN + 1), 'asked': len(rows)}


def hits(scores):
  """The share of rows whose first score is among the ten best; of equal ones, the expected share."""
  own = scores[:, :1]
  better, equal = (scores > own).sum(1), (scores == own).sum(1)
  return float(np.clip((BEST - better) / equal, 0, 1).mean())


def serve(folder, text, questions, judge):
  """Loads a crop, asks it, and prints JSON: seconds, bytes and, if it is to be judged, how right it is."""
  import medjax

  text = pathlib.Path(text)
  begun = time.perf_counter()
  model = medjax.load(folder)
  items = [name for name in model.entities.identifiers if name.startswith('item:')]
  loaded = time.perf_counter() - begun
  rows = every(read(text / 'test.tsv'), questions)
  ask = lambda head: model.predict_tails(head, 'bought', k=BEST)
  ask(rows[0][0])  # lays the entities out
  seconds = []
  for head, _, _ in rows[:20]:
    begun = time.perf_counter()
    ask(head)
    seconds.append(time.perf_counter() - begun)
  result = {
    'load': loaded,
    'question': statistics.median(seconds),
    'bytes': sum(leaf.nbytes for table in model.params.values() for leaf in table.values()),
  }
  if judge:
    counts = counted(text)
    result['labels'] = label_accuracy(model.score, every(read(text / 'labels-test.tsv'), 3 * questions), counts)
    result['purchases'] = purchase_hits(model.score, rows, counts, items)
  print(json.dumps(result))


def measure(arguments):
  market = market_lib.Market(arguments.users)
  place = pathlib.Path(tempfile.mkdtemp(prefix='medjax-ecommerce-', dir=arguments.folder or None))
  text, store, workdir = place / 'text', place / 'store', place / 'run'
  result = {'users': market.users, 'items': market.items, 'triples': market.triples}
  widths = widths_lib.parse_widths(arguments.widths)
  try:
    result['draw'], printed = prepare.measured(child(f'--write={text}', f'--users={market.users}'))
    result['draw'] |= json.loads(printed)
    result['prepare'], _ = prepare.measured(launch('--mode=prepare', f'--config.data.path={text}', f'--output={store}'))
    result['train'], _ = prepare.measured(train_command(arguments, store, workdir))
    metrics = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
    result['steps'] = {'count': arguments.steps, 'batch': arguments.batch, 'losses': [m['loss'] for m in metrics]}
    result['entities'] = json.loads((store / 'store.json').read_text())['entities']
    result['store_bytes'] = sum(path.stat().st_size for path in store.iterdir())
    for width in sorted({widths[0], *arguments.serve, widths[-1]} & set(widths)):
      crop = place / f'crop-{width}'
      prepare.measured(launch('--mode=crop', f'--workdir={workdir}', f'--width={width}', f'--output={crop}'))
      ask = [f'--ask={crop}', f'--text={text}', f'--questions={arguments.questions}']
      usage, printed = prepare.measured(child(*ask, *['--judge'] * (epochs(result) >= 1)))
      result.setdefault('served', {})[width] = json.loads(printed) | {'mib': usage['mib']}
      shutil.rmtree(crop)
  finally:
    shutil.rmtree(place)
  return told(result, widths), result


def epochs(result):
  """How many times a training has seen every triple."""
  return result['steps']['count'] * result['steps']['batch'] / result['triples']


def told(result, widths):
  """The result as text."""
  parts = {
    f'draw {result["triples"]:,} triples': result['draw'],
    'prepare': result['prepare'],
    f'train {result["steps"]["count"]:,} steps of {result["steps"]["batch"]:,}': result['train'],
  }
  judged = epochs(result) >= 1
  served = [
    {
      'served width': str(width),
      'tables, MiB': f'{one["bytes"] / trainings.MIB:,.0f}',
      'peak memory, MiB': f'{one["mib"]:,.0f}',
      'load, s': f'{one["load"]:.1f}',
      'question, ms': f'{1000 * one["question"]:.1f}',
      **(quality(one) if judged else {}),
    }
    for width, one in result['served'].items()
  ]
  lines = [timing.table(served)]
  if judged:
    lines = [timing.table(served + references(result['served'][widths[-1]])), asked(result['served'][widths[-1]])]
  return '\n'.join(
    [
      f'{result["users"]:,} users, {result["items"]:,} items, {result["entities"]:,} entities; {result["triples"]:,} '
      f'triples, of which {epochs(result):.2f} times as many were trained on',
      f'drawn at {result["triples"] / result["draw"]["seconds_alone"] / 1e6:.1f} million triples a second; text '
      f'{result["draw"]["bytes"] / trainings.MIB:,.0f} MiB, store {result["store_bytes"] / trainings.MIB:,.0f} MiB',
      '',
      timing.table([{'': name} | prepare.figures(usage) for name, usage in parts.items()]),
      '',
      *lines,
    ]
  )


def quality(one):
  """The columns of how right a served width is."""
  return {name.replace('_', ' '): f'{label["accuracy"]:.3f}' for name, label in one['labels'].items()} | {
    'purchase in 10': f'{one["purchases"]["hits"]:.3f}'
  }


def references(one):
  """The rows of what knows nothing of a user."""
  plain = {name.replace('_', ' '): f'{label["most frequent"]:.3f}' for name, label in one['labels'].items()}
  purchases = one['purchases']
  return [
    {'served width': 'most frequent, most bought', **plain, 'purchase in 10': f'{purchases["most bought"]:.3f}'},
    {'served width': 'chance', 'purchase in 10': f'{purchases["chance"]:.3f}'},
  ]


def asked(one):
  """How much was asked, as a line."""
  labels = ', '.join(f'{label["asked"]:,} of {name.replace("_", " ")}' for name, label in one['labels'].items())
  purchases = f'among the ten best of {DRAWN + 1} items: {one["purchases"]["asked"]:,} purchases.'
  return f'Right among all values: {labels}; {purchases}'


def make_options():
  options = argparse.ArgumentParser('python -m benchmarks.ecommerce', description=__doc__.split('\n')[0])
  options.add_argument('--users', type=running.positive, default=market_lib.PUBLISHED[0])
  options.add_argument('--score', default='complex')
  options.add_argument('--widths', default='8:64:8')
  options.add_argument(
    '--serve', type=running.numbers, default=[32], help='widths served besides the first and the last'
  )
  options.add_argument('--steps', type=running.positive, default=2000)
  options.add_argument('--batch', type=running.positive, default=4096)
  options.add_argument('--negatives', type=running.positive, default=512, help='that a batch shares')
  options.add_argument('--learning-rate', type=float, default=0.2)
  options.add_argument(
    '--questions', type=running.positive, default=2000, help='held-out purchases, and users, asked for'
  )
  options.add_argument('--folder', default='', help='where everything is written, and removed again')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files')
  options.add_argument('--judge', action='store_true', help=argparse.SUPPRESS)
  for option in ('--write', '--ask', '--text'):
    options.add_argument(option, help=argparse.SUPPRESS)  # one part, in this process
  return options


def main(argv=None):
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = make_options().parse_args(argv)
  if arguments.write:
    begun = time.perf_counter()
    size = ecommerce.write(market_lib.Market(arguments.users), arguments.write)
    return print(json.dumps({'bytes': size, 'seconds_alone': time.perf_counter() - begun}))
  if arguments.ask:
    return serve(arguments.ask, arguments.text, arguments.questions, arguments.judge)
  return running.conclude('ecommerce', argv, arguments, measure, f'ecommerce-{arguments.users}')


if __name__ == '__main__':
  main()
