"""What trainings compute, to the bit: to be recorded before the code is rearranged, and compared after.

  python -m benchmarks.fingerprint --output=before.json
  python -m benchmarks.fingerprint --against=before.json

Every score is trained for a few steps under every objective, on the embedded graph of the world's countries: the loss
of each step, a hash of the tables, and the MRR of each width. Equal code on an equal processor gives equal figures;
where a rearrangement changes the order of a sum, the largest relative difference of a loss says by how much.
"""

import argparse
import hashlib
import json
import pathlib
import re
import tempfile

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

import numpy as np

import medjax
from medjax import config as config_lib
from medjax import scores
from medjax.experiments import runs

BASE = {
  'data.name': 'world',
  'model.widths': '10:40:10',
  'train.steps': 20,
  'train.batch': 64,
  'train.negatives': 8,
  'train.log_every': 1,
  'train.checkpoint_every': 20,
  'train.learning_rate': 0.01,
}
OBJECTIVES = {
  'med': {},
  'paper': {'objective.name': 'paper'},
  'direct': {'objective.name': 'direct', 'model.widths': '40'},
  'softmax': {
    'objective.loss': 'softmax',
    'objective.regularizer': 'dura',
    'train.share_negatives': 8,
    'train.optimizer': 'adagrad',
    'objective.evolutionary': True,
  },
  'bkd': {'objective.name': 'direct', 'model.widths': '20', 'distill.method': 'bkd'},
}
# what the objectives above leave out, each for one score
FURTHER = {
  'rotate-shared-filtered': {'model.score': 'rotate', 'train.share_negatives': 8, 'train.filter_negatives': True},
  'transe-adversarial': {
    'model.score': 'transe',
    'objective.weights': 'adversarial',
    'objective.evolutionary': True,
    'objective.dynamic': True,
    'objective.weigh_over': 'batch',
  },
  'complex-sandwich': {'model.score': 'complex', 'objective.sub_models': 'sandwich:3'},
  'pairre-learned-gamma': {'model.score': 'pairre', 'model.width_gamma': 'learned', 'model.gamma_half': 0.0},
  'complex_reciprocal-all-entities': {
    'model.score': 'complex_reciprocal',
    'objective.loss': 'softmax',
    'train.negatives': 0,
    'objective.regularizer': 'n3',
  },
  'distmult-sparse': {'model.score': 'distmult', 'train.sparse_updates': True},
  'rotate-dualde': {
    'model.score': 'rotate',
    'objective.name': 'direct',
    'model.widths': '20',
    'distill.method': 'dualde',
  },
  'rotate-iterde': {
    'model.score': 'rotate',
    'objective.name': 'direct',
    'model.widths': '20',
    'distill.method': 'iterde',
    'train.share_negatives': 8,
  },
}


def cases():
  """Yields (name, fields) of every training; the teachers of the distilled ones come first."""
  for score in scores.REGISTRY:
    for name, fields in sorted(OBJECTIVES.items(), key=lambda item: 'distill.method' in item[1]):
      margin = score in ('transe', 'transe_l2', 'rotate', 'pairre')
      bounds = {'objective.regularizer': 'none'} if margin and 'objective.regularizer' in fields else {}
      yield f'{score}-{name}', BASE | {'model.score': score} | fields | bounds
  for name, fields in FURTHER.items():
    yield name, BASE | fields


def fingerprint(fields, workdir, folder):
  """Trains, and returns {'losses': [...], 'tables': hash, 'mrr': {width: MRR}}."""
  if 'distill.method' in fields:
    fields = fields | {'distill.teacher': str(folder / f'{fields["model.score"]}-direct')}
  results = runs.train(config_lib.from_flat(fields), workdir)
  lines = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
  digest = hashlib.sha256()
  for table, leaves in sorted(medjax.load(workdir).params.items()):
    for name, leaf in sorted(leaves.items()):
      digest.update(f'{table}.{name}{leaf.shape}'.encode() + np.ascontiguousarray(leaf).tobytes())
  return {
    'losses': [line['loss'] for line in lines if 'loss' in line],
    'tables': digest.hexdigest()[:16],
    'mrr': {str(width): mrr for width, mrr in zip(results['width'], results['mrr'])},
  }


def difference(old, new):
  """Returns in what two fingerprints differ, in words; '' if in nothing."""
  if old == new:
    return ''
  losses = [np.asarray(each['losses'], np.float64) for each in (old, new)]
  if losses[0].shape != losses[1].shape:
    return f'{len(losses[0])} losses before, {len(losses[1])} now'
  apart = np.abs(losses[1] - losses[0]) / np.abs(losses[0])
  merit = max(abs(old['mrr'][width] - new['mrr'][width]) for width in old['mrr'])
  return f'losses differ by at most {apart.max():.1e}, relatively; MRR by at most {merit:.1e}; ' + (
    'equal tables' if old['tables'] == new['tables'] else 'other tables'
  )


def main():
  options = argparse.ArgumentParser('fingerprint', description=__doc__)
  options.add_argument('--output', type=pathlib.Path, help='the JSON file to write')
  options.add_argument('--against', type=pathlib.Path, help='a JSON file to compare with')
  options.add_argument('--only', default='', help='a regular expression of the cases to run')
  options.add_argument('--workdirs', type=pathlib.Path, help='where the runs are kept; a temporary folder if not given')
  arguments = options.parse_args()
  runtime.cache_compilations()
  found = {}
  with tempfile.TemporaryDirectory() as temporary:
    folder = arguments.workdirs or pathlib.Path(temporary)
    for name, fields in cases():
      if re.search(arguments.only, name):
        found[name] = fingerprint(fields, folder / name, folder)
        if arguments.output:
          arguments.output.write_text(json.dumps(found, indent=1) + '\n')
  if arguments.against:
    before = json.loads(arguments.against.read_text())
    told = {name: difference(before[name], new) for name, new in found.items()}
    print(f'{sum(not words for words in told.values())} of {len(told)} trainings are equal to the bit')
    print('\n'.join(f'{name}: {words}' for name, words in told.items() if words))


if __name__ == '__main__':
  main()
