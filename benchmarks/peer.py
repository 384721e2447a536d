"""PyKEEN's training step and evaluation, timed on request; run by a Python that has PyKEEN and PyTorch.

  PYTHON peer.py FOLDER

FOLDER holds spec.json and triples.npz (train, valid, test int [M, 3]; asked int [Q, 3]). The first line of the
answer tells versions and settings; then every line "round" is answered by {"seconds": ...}. Imports nothing of
medjax; the task 'plain' (plain_torch.py) is without PyKEEN. Whatever PyKEEN does in a step that ours does not
(normalising all entities, regularisers) is switched off.
"""

import json
import logging
import os
import pathlib
import sys
import time
import warnings

REAL = {
  'transe': ('TransE', {'scoring_fct_norm': 1, 'entity_constrainer': None}),
  'transe_l2': ('TransE', {'scoring_fct_norm': 2, 'entity_constrainer': None}),
  'rotate': ('RotatE', {}),
  'pairre': ('PairRE', {'p': 1}),
  'simple': ('SimplE', {}),
  'distmult': ('DistMult', {'entity_constrainer': None, 'regularizer': None}),
  'complex': ('ComplEx', {'regularizer': None}),
}
OF_SOFTMAX = {  # reciprocal relations are PyKEEN's inverse triples
  'simple': REAL['simple'],
  'distmult': REAL['distmult'],
  'distmult_reciprocal': REAL['distmult'],
  'complex': REAL['complex'],
  'complex_reciprocal': REAL['complex'],
}
TWO_NUMBERS = ('rotate', 'simple', 'complex')  # per component: PyKEEN's dimension counts components


def processors():
  return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def factory(triples, spec):
  """A triples factory of ids int [M, 3]."""
  from pykeen.triples import CoreTriplesFactory
  import torch

  return CoreTriplesFactory(
    torch.as_tensor(triples, dtype=torch.long),
    num_entities=spec['num_entities'],
    num_relations=spec['num_relations'],
    create_inverse_triples=spec['score'].endswith('_reciprocal'),
  )


def make_model(spec, train, **more):
  """PyKEEN's model of the score, as wide as ours in stored numbers per entity; `more` are options of its own."""
  from pykeen import losses, models

  softmax = spec['objective'] == 'softmax'
  name, options = (OF_SOFTMAX if softmax else REAL)[spec['score']]
  dimension = spec['width'] // (2 if spec['score'].startswith(TWO_NUMBERS) else 1)
  loss = losses.CrossEntropyLoss() if softmax else losses.NSSALoss(margin=spec['gamma'], adversarial_temperature=1.0)
  return getattr(models, name)(
    triples_factory=train, embedding_dim=dimension, loss=loss, random_seed=0, **options, **more
  )


def training(spec, arrays):
  """Returns a function to {'seconds': seconds per step} of PyKEEN's own loop.

  Under the log-sigmoid loss that is sLCWA; under the softmax it is LCWA, all entities against every query, or, sampled,
  sLCWA again, each triple with negatives of its own.
  """
  import numpy as np
  from pykeen.sampling import BasicNegativeSampler
  from pykeen.training import LCWATrainingLoop, SLCWATrainingLoop, TrainingCallback
  import torch

  model, softmax = make_model(spec, factory(arrays['train'], spec)), spec['objective'] == 'softmax'
  all_entities = softmax and not spec['sampled']
  optimizer = torch.optim.Adagrad if softmax else torch.optim.Adam
  sampling = {
    'negative_sampler': BasicNegativeSampler,
    'negative_sampler_kwargs': {'num_negs_per_pos': spec['negatives']},
  }
  loop = (LCWATrainingLoop if all_entities else SLCWATrainingLoop)(
    model=model,
    triples_factory=factory(arrays['train'], spec),
    automatic_memory_optimization=False,
    optimizer=optimizer(model.parameters(), lr=spec['learning_rate']),
    **({} if all_entities else sampling),
  )
  times, epochs, draw = [], [0], np.random.default_rng(0)

  class Clock(TrainingCallback):
    """Notes when each batch begins; the optimizer has moved the one before it by then."""

    def pre_batch(self, **kwargs):
      times.append(time.perf_counter())

  def seconds(steps):
    # one epoch over as many triples as the steps need, and one step more, which ends the last interval; LCWA counts
    # queries, of which there are fewer than triples, but two for each if there are inverse ones
    rows = draw.integers(0, len(arrays['train']), (steps + (2 if all_entities else 1)) * spec['batch'])
    times.clear()
    epochs[0] += 1
    loop.train(
      factory(arrays['train'][rows], spec),
      num_epochs=epochs[0],
      batch_size=spec['batch'],
      use_tqdm=False,
      drop_last=True,
      pin_memory=False,
      continue_training=epochs[0] > 1,
      callbacks=Clock(),
    )
    expected = (steps + 1) * (2 if spec['score'].endswith('_reciprocal') else 1)
    assert all_entities or len(times) == expected, f'{len(times)} batches instead of {expected}'
    return (times[-1] - times[0]) / (len(times) - 1)

  seconds(2)  # warm
  return lambda: {'seconds': seconds(spec['steps'])}


def quality(spec, arrays, folder):
  """Returns a function to {'seconds': of one epoch more of LCWA, 'tables': path of the tables after it}."""
  import numpy as np
  from pykeen.training import LCWATrainingLoop
  import torch

  train = factory(arrays['train'], spec)
  # PyKEEN's own configurations of ComplEx begin so; normal numbers of variance 1, its default, give large logits
  first = dict.fromkeys(('entity_initializer', 'relation_initializer'), 'xavier_uniform')
  model = make_model(spec, train, **first)
  optimizer = torch.optim.Adagrad(model.parameters(), lr=spec['learning_rate'])
  loop, epochs = LCWATrainingLoop(model=model, triples_factory=train, optimizer=optimizer), [0]

  def epoch():
    epochs[0] += 1
    begun = time.perf_counter()
    loop.train(train, num_epochs=epochs[0], batch_size=spec['batch'], use_tqdm=False, continue_training=epochs[0] > 1)
    seconds, path = time.perf_counter() - begun, folder / 'tables.npz'
    with torch.no_grad():
      entity, relation = (
        x[0](indices=None).numpy() for x in (model.entity_representations, model.relation_representations)
      )
    np.savez(path, entity=entity, relation=relation)
    return {'seconds': seconds, 'tables': str(path)}

  return epoch


def evaluation(spec, arrays):
  """Returns a function to the seconds of PyKEEN's filtered evaluation of all asked triples, and of one alone.

  The one alone costs what does not grow with the number of triples: the index of known answers.
  """
  from pykeen.evaluation import RankBasedEvaluator
  import torch

  model = make_model(spec, factory(arrays['train'], spec))
  known = [torch.as_tensor(arrays[split], dtype=torch.long) for split in ('train', 'valid', 'test')]
  asked = torch.as_tensor(arrays['asked'], dtype=torch.long)

  def seconds(triples):
    begun = time.perf_counter()
    RankBasedEvaluator(filtered=True).evaluate(
      model, triples, batch_size=spec['eval_batch'] or None, use_tqdm=False, additional_filter_triples=known
    )
    return time.perf_counter() - begun

  seconds(asked[:2])  # warm
  return lambda: {'seconds_of_one': seconds(asked[:1]), 'seconds': seconds(asked)}


def main(folder):
  answers = os.fdopen(os.dup(1), 'w', encoding='utf-8')
  os.dup2(2, 1)  # what libraries print goes to stderr: stdout carries answers only
  folder = pathlib.Path(folder)
  spec = json.loads((folder / 'spec.json').read_text(encoding='utf-8'))
  answer = lambda value: print(json.dumps(value), file=answers, flush=True)
  logging.disable(logging.WARNING)
  warnings.simplefilter('ignore')
  import numpy as np
  import torch

  torch.set_num_threads(processors())
  torch.manual_seed(0)
  arrays = dict(np.load(folder / 'triples.npz', allow_pickle=False))
  about = {
    'torch': torch.__version__,
    'threads': torch.get_num_threads(),
    'tunables': os.environ.get('GLIBC_TUNABLES', ''),
  }
  if spec['task'] == 'plain':
    import plain_torch

    measure = plain_torch.training(spec, arrays['train'])
  else:
    import pykeen

    of_folder = lambda spec, arrays: quality(spec, arrays, folder)
    measure = {'train': training, 'evaluate': evaluation, 'quality': of_folder}[spec['task']](spec, arrays)
    about |= {'pykeen': pykeen.get_version(), 'model': (REAL | OF_SOFTMAX)[spec['score']][0]}
  answer(about)
  for line in sys.stdin:
    if line.strip() == 'round':
      answer(measure())


if __name__ == '__main__':
  main(sys.argv[1])
