"""Trains the tiny PyKEEN models of tests/serve/pykeen, with PyKEEN's own scores of every query beside them.

Run by a Python that has PyKEEN (1.11.1 made those files); what PyKEEN saves is kept as it is:

  python tests/serve/make_pykeen.py tests/serve/pykeen
"""

import pathlib
import shutil
import sys

import numpy as np
from pykeen.pipeline import pipeline
from pykeen.triples import TriplesFactory
import torch

ENTITIES = 12
MODELS = {
  'complex': ('ComplEx', False, {}),
  'complex_reciprocal': ('ComplEx', True, {}),
  'distmult': ('DistMult', False, {}),
  'transe': ('TransE', False, {'scoring_fct_norm': 1}),
  'transe_l2': ('TransE', False, {'scoring_fct_norm': 2}),
  'simple': ('SimplE', False, {}),
  'rotate': ('RotatE', False, {}),
}


def triples():
  """The triples of a ring: identifiers [36, 3]."""
  ring = range(ENTITIES)
  return np.array(
    [
      (f'e{i:02}', name, f'e{j % ENTITIES:02}')
      for i in ring
      for name, j in (('next', i + 1), ('third', i + 3), ('mirror', 2 * ENTITIES - 1 - i))
    ]
  )


def make(folder, name, inverse, arguments):
  """Trains a model for a few epochs, saves it as PyKEEN does, and its scores [anchor, relation, candidate]."""
  training, testing = (
    TriplesFactory.from_labeled_triples(triples(), create_inverse_triples=i) for i in (inverse, False)
  )
  result = pipeline(
    training=training,
    testing=testing,
    model=name,
    model_kwargs={'embedding_dim': 4, **arguments},
    training_kwargs={'num_epochs': 5, 'use_tqdm': False},
    evaluation_kwargs={'use_tqdm': False, 'batch_size': 8},
    random_seed=1,
    device='cpu',
  )
  result.save_to_directory(folder)
  for file in ('results.json', 'metadata.json', 'training_triples/base.pth', 'training_triples/numeric_triples.tsv.gz'):
    (folder / file).unlink()
  relations = len(training.relation_to_id)
  asked = torch.cartesian_prod(torch.arange(ENTITIES), torch.arange(relations))
  model = result.model.eval()
  with torch.no_grad():
    tails, heads = model.predict_t(asked), model.predict_h(asked.flip(1))
  cube = lambda scores: scores.numpy().reshape(ENTITIES, relations, ENTITIES)
  np.savez_compressed(folder / 'scores.npz', tail=cube(tails), head=cube(heads))


if __name__ == '__main__':
  root = pathlib.Path(sys.argv[1])
  for score, given in MODELS.items():
    shutil.rmtree(root / score, ignore_errors=True)
    make(root / score, *given)
