"""Starts benchmarks/peer.py under the peer's Python and asks it for rounds."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np

from benchmarks import peer as peer_side
from benchmarks import trainings

PLAIN = ('complex', 'complex_reciprocal', 'distmult', 'distmult_reciprocal')  # those of plain_torch.py
SCRIPT = pathlib.Path(__file__).with_name('peer.py')


class PeerError(ValueError):
  """The peer could not be started or failed; the message ends with what it wrote."""


class Peer:
  """A running peer.

  Attributes:
    about: its versions and settings.
  """

  def __init__(self, process, errors):
    self._process, self._errors = process, errors
    self.about = self._answer()

  def _answer(self):
    line = self._process.stdout.readline()
    if not line:
      self._process.wait()
      self._errors.seek(0)
      raise PeerError(f'--peer-python: the peer ended without an answer: {self._errors.read()[-2000:].strip()}')
    return json.loads(line)

  def round(self, field='seconds'):
    """Has the peer measure once and returns a field of its answer."""
    return self.rounds()[field]

  def rounds(self):
    """Has the peer measure once and returns its whole answer."""
    self._process.stdin.write('round\n')
    self._process.stdin.flush()
    return self._answer()


@contextlib.contextmanager
def peer(arguments, task, data, more, asked=()):
  """Yields a `Peer` that is ready and warm, or None if the command names no Python for it.

  Args:
    arguments: of the command.
    task: 'train', 'evaluate', 'quality' or 'plain', see peer.py.
    data: the `graph_data.Data`.
    more: {name: value} for the task: steps, or eval_batch.
    asked: triples to evaluate, int [Q, 3].
  """
  if not arguments.peer_python:
    yield None
    return
  softmax = trainings.is_softmax(arguments)
  scores = PLAIN if task == 'plain' else peer_side.OF_SOFTMAX if softmax else peer_side.REAL
  if arguments.score not in scores:
    raise PeerError(
      f'--score={arguments.score}: the peer has nothing like it; take one of {", ".join(scores)}, '
      'or leave --peer-python out'
    )
  setup = trainings.setup(arguments)
  spec = {
    'task': task,
    'score': arguments.score,
    'objective': 'softmax' if softmax else 'logsigmoid',
    'regularizer': setup.config.objective.regularizer,
    'regularization': setup.config.objective.regularization,
    'width': setup.widths.full,
    'gamma': setup.config.model.gamma * setup.score.margin,
    'batch': arguments.batch,
    'negatives': arguments.negatives,
    'negative_power': setup.config.train.negative_power,
    'weigh_negatives': setup.config.train.weigh_negatives,
    'num_entities': data.num_entities,
    'num_relations': data.num_relations,
    'learning_rate': setup.config.train.learning_rate,
  } | more
  environment = dict(os.environ)
  if arguments.peer_plain:
    environment.pop('GLIBC_TUNABLES', None)
  with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile('w+') as errors:
    (pathlib.Path(folder) / 'spec.json').write_text(json.dumps(spec), encoding='utf-8')
    np.savez(pathlib.Path(folder) / 'triples.npz', train=data.train, valid=data.valid, test=data.test, asked=asked)
    try:
      process = subprocess.Popen(
        [arguments.peer_python, str(SCRIPT), folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env=environment,
      )
    except OSError as error:
      raise PeerError(f'--peer-python={arguments.peer_python}: {error.strerror}') from None
    with process:
      try:
        yield Peer(process, errors)
      finally:
        process.kill()


def words(about):
  """Returns lines about the peer."""
  if not about:
    return ['PyKEEN is left out: name a Python that has it with --peer-python.']
  pykeen = f'PyKEEN {about["pykeen"]} ({about["model"]}), ' if 'pykeen' in about else ''
  return [
    f'{pykeen}PyTorch {about["torch"]}, {about["threads"]} threads'
    + ('' if about['tunables'] else ', without the allocator setting')
    + '.'
  ]
