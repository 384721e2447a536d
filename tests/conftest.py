"""Small graphs, configurations and trained runs that several tests share."""

import os
import pathlib

# Tests compile hundreds of programs and run each a few times: programs that are compiled quickly take a quarter of the
# time in all. Runs that a test starts as users do are compiled as for users, with the environment `as_users_run`.
QUICK = '--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false'
os.environ.setdefault('XLA_FLAGS', QUICK)

import jax
import pytest

from medjax import config as config_lib
from medjax.experiments import runs

jax.config.update('jax_numpy_rank_promotion', 'raise')
ENTITIES = 30
TINY = {
  'model.widths': '4,8,12',
  'train.steps': 40,
  'train.batch': 16,
  'train.negatives': 4,
  'train.checkpoint_every': 20,
  'train.log_every': 20,
  'eval.every': 20,
}


@pytest.fixture(scope='session', autouse=True)
def own_cache(tmp_path_factory):
  """Compiled programs go to a folder of the session, which its processes share."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
    yield


@pytest.fixture(scope='module', autouse=True)
def few_programs():
  """Programs of a module are forgotten after it: each takes maps of memory, of which a process may have 65,530."""
  yield
  jax.clear_caches()


@pytest.fixture(scope='session')
def as_users_run(own_cache):
  """The environment of a process that compiles its programs as it does for users."""
  return {name: value for name, value in os.environ.items() if name != 'XLA_FLAGS' or value != QUICK}


@pytest.fixture(scope='session')
def own_data(tmp_path_factory):
  """A folder with train, valid and test: 30 entities on a ring and three regular relations."""
  ring = range(ENTITIES)
  triples = [
    (f'e{i:02}', name, f'e{j % ENTITIES:02}')
    for i in ring
    for name, j in (('next', i + 1), ('third', i + 3), ('mirror', 2 * ENTITIES - 1 - i))
  ]
  held_out = {'valid': triples[4::9], 'test': triples[8::9]}
  splits = held_out | {'train': [t for t in triples if t not in held_out['valid'] + held_out['test']]}
  folder = tmp_path_factory.mktemp('own')
  for name, rows in splits.items():
    (folder / f'{name}.tsv').write_text(''.join('\t'.join(row) + '\n' for row in rows))
  return folder


@pytest.fixture(scope='session')
def tiny_config(own_data):
  """A function of {dotted field: value} to a Config on the small graph."""

  def make(fields=()):
    config = config_lib.Config(name='tiny')
    for field, value in {'data.path': str(own_data), **TINY, **dict(fields)}.items():
      config_lib.put(config, field, value)
    return config

  return make


@pytest.fixture(scope='session')
def trained(tiny_config, tmp_path_factory):
  """The workdir of a RotatE run, for reading only."""
  workdir = tmp_path_factory.mktemp('trained') / 'run'
  runs.train(tiny_config(), workdir)
  return workdir


@pytest.fixture(scope='session')
def trained_complex(tiny_config, tmp_path_factory):
  """The workdir of a ComplEx run, for reading only."""
  workdir = tmp_path_factory.mktemp('trained') / 'run'
  runs.train(tiny_config({'model.score': 'complex', 'eval.every': 0}), workdir)
  return workdir


@pytest.fixture(scope='session')
def repository():
  return pathlib.Path(__file__).parents[1]
