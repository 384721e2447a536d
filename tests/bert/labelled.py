"""A task that the recorded BERT learns in a minute: whether a sentence has a river or a bed in it."""

import numpy as np

from medjax import config as config_lib
from tests.bert import recorded

WORDS = ('the', 'holds', 'wide', 'narrow', 'and', 'is', 'in', 'that', 'cut', 'sea', 'one')
FIELDS = {
  'data.task': '',
  'data.max_length': 24,
  'data.hold_out': 0.25,
  'bert.weights': str(recorded.TINY),
  'bert.widths': '16,32',
  'train.lengths': '24',
  'train.batch': 16,
  'train.epochs': 10.0,
  'train.learning_rate': 3e-3,
  'train.log_every': 20,
  'train.steps_per_dispatch': 5,
  'train.checkpoint_every': 20,
  'train.tracker': '',
  'eval.every': 60,
}


def sentences(size, seed):
  """[(sentence, class)] of a seed."""
  random = np.random.default_rng(seed)
  found = []
  for _ in range(size):
    words = random.choice(WORDS, random.integers(2, 12)).tolist()
    label = int(random.integers(2))
    words.insert(int(random.integers(len(words))), ('bed', 'river')[label])
    found.append((' '.join(words), ('dry', 'wet')[label]))
  return found


def write(folder):
  """Writes train.tsv and dev.tsv."""
  folder.mkdir(exist_ok=True)
  for name, size, seed in (('train', 256, 0), ('dev', 64, 1)):
    lines = ['sentence\tlabel', *('\t'.join(row) for row in sentences(size, seed))]
    (folder / f'{name}.tsv').write_text('\n'.join(lines) + '\n')
  return folder


def config(folder, fields=()):
  """The configuration of a run on them."""
  return config_lib.updated(config_lib.TextConfig(), {**FIELDS, 'data.path': str(folder), **dict(fields)})
