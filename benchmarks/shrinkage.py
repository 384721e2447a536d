"""What a regulariser does to purchases in a training that has hardly begun, and in a longer one, on a synthetic shop.

  python -m benchmarks.shrinkage --output=docs/benchmarks --name=shrinkage

The settings are those of `benchmarks.ecommerce`, whose ten best of 101 items it looks at: under the model's scores,
and under the same with the other sign. Beside them stand the mean norms of the hundredth of the items that is bought
most in training, and of the third that is bought least. --runs has USERS:STEPS:BATCH for every training.
"""

import argparse
import contextlib
import io
import pathlib
import runpy
import sys
import tempfile

import numpy as np

from benchmarks import ecommerce, running, timing, trainings
import medjax
from medjax import config as config_lib
from medjax.applications import ecommerce as ecommerce_lib
from medjax.applications import market as market_lib


def settings(text, strength, width, steps, batch):
  """The configuration of a training on a folder of text."""
  fields = {
    'data.name': '',
    'data.path': str(text),
    'model.widths': str(width),
    'objective.regularization': strength,
    'objective.regularizer': 'dura' if strength else 'none',
    'train.sparse_updates': True,
    'train.steps': steps,
    'train.batch': batch,
    'train.negatives': max(1, batch // 8),
    'train.share_negatives': batch,
    'train.checkpoint_every': steps,
    'eval.candidates': 2,
  }
  config = runpy.run_path(str(trainings.CONFIGS / 'fb15k237' / 'bilinear.py'))['get_config']('complex')
  return config_lib.from_flat(config_lib.flatten(config) | fields)


def one(market, text, strength, width, steps, batch):
  """What a training finds, as a dict of figures."""
  with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
    model = medjax.train(settings(text, strength, width, steps, batch), workdir=pathlib.Path(folder) / 'run').model
  rows, counts = ecommerce.every(ecommerce.read(text / 'test.tsv'), 1000), ecommerce.counted(text)
  items = [name for name in model.entities.identifiers if name.startswith('item:')]
  found = ecommerce.purchase_hits(model.score, rows, counts, items)
  other = ecommerce.purchase_hits(lambda *triple: -model.score(*triple), rows, counts, items)
  norms = np.linalg.norm(model.entity_vectors(items), axis=1)
  order = np.argsort([-counts['bought'][name] for name in items], kind='stable')
  return {
    'users': market.users,
    'epochs': steps * batch / market.triples,
    'strength': strength,
    'hits': found['hits'],
    'other sign': other['hits'],
    'most bought': found['most bought'],
    'chance': found['chance'],
    'norm, bought most': float(norms[order[: max(1, len(order) // 100)]].mean()),
    'norm, bought least': float(norms[order[2 * len(order) // 3 :]].mean()),
  }


def measure(arguments):
  rows = []
  for run in arguments.runs.split(','):
    users, steps, batch = map(running.positive, run.split(':'))
    market = market_lib.Market(users)
    with tempfile.TemporaryDirectory(dir=arguments.folder or None) as folder:
      text = pathlib.Path(folder)
      ecommerce_lib.write(market, text)
      rows += [one(market, text, strength, arguments.width, steps, batch) for strength in arguments.strengths]
  return told(rows), {'rows': rows}


def told(rows):
  """The rows as a table."""
  return timing.table(
    [
      {
        'users': f'{row["users"]:,}',
        'epochs': f'{row["epochs"]:.2f}',
        'DURA': f'{row["strength"]:g}' if row['strength'] else 'none',
        **{name: f'{row[name]:.3f}' for name in list(row)[3:]},
      }
      for row in rows
    ]
  )


def make_options():
  options = argparse.ArgumentParser('python -m benchmarks.shrinkage', description=__doc__.split('\n')[0])
  options.add_argument('--runs', default='20000:200:116,5000:600:512', help='USERS:STEPS:BATCH of every training')
  options.add_argument(
    '--strengths', type=lambda text: [float(part) for part in text.split(',')], default=[0.05, 0.0], help='of DURA'
  )
  options.add_argument('--width', type=running.positive, default=32)
  options.add_argument('--folder', default='', help='where text is written, and removed again')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files')
  return options


def main(argv=None):
  argv = sys.argv[1:] if argv is None else list(argv)
  return running.conclude('shrinkage', argv, make_options().parse_args(argv), measure, 'shrinkage')


if __name__ == '__main__':
  main()
