"""The dispatch of every score and objective as the program of an accelerator, lowered without having one."""

import re

import jax
from jax import export
import jax.numpy as jnp
import pytest

from benchmarks import graph_data
from medjax import config as config_lib
from medjax import scores
from medjax.kge import settings as settings_lib
from medjax.kge import task as task_lib
from medjax.training import step as step_lib

GRAPH = graph_data.synthetic(60, 3, 300)
FEW, MANY = 16, 64  # widths


def program(platform, score, loss, widths, **fields):
  """Returns the dispatch of a training as the text of its program."""
  config = config_lib.Config()
  small = {'model.score': score, 'objective.loss': loss, 'model.widths': f'4:{4 * widths}:4', 'train.batch': 16}
  for field, value in (small | {'train.negatives': 8, 'train.share_negatives': 8} | fields).items():
    config_lib.put(config, field, value)
  config = settings_lib.resolve(config)
  made = scores.make(config.model.score, settings_lib.model_constants(config))
  task = task_lib.make_task(config, made, settings_lib.model_widths(config), GRAPH)
  state, data, dispatch = step_lib.prepare(task, config.train)
  shapes = jax.eval_shape(lambda: (state, data, jnp.int32(1)))
  return export.export(dispatch, platforms=[platform])(*shapes).mlir_module()


@pytest.mark.parametrize('loss', ['logsigmoid', 'softmax'])
@pytest.mark.parametrize('score', scores.REGISTRY)
def test_a_dispatch_lowers_for_accelerators_and_does_not_grow_with_the_widths(score, loss):
  few, many = program('cuda', score, loss, FEW), program('tpu', score, loss, MANY)
  for text in (few, many):
    called = set(re.findall(r'custom_call @(\w+)', text))
    assert called <= {'Sharding', 'cu_threefry2x32_ffi'}, called  # nothing of LAPACK or of a host
  growth = (many.count('\n') - few.count('\n')) / (MANY - FEW)
  # the gradient of PairRE's norms is written out: the widths are fused into one loop over the components
  assert growth <= (250 if score == 'pairre' else 1)


@pytest.mark.parametrize(
  'fields', [{'objective.sub_models': 'sandwich:8'}, {'train.negatives': 0}, {'train.sparse_updates': True}], ids=str
)
def test_its_variants_lower_too(fields):
  for platform in ('cuda', 'tpu'):
    assert 'while' in program(platform, 'complex_reciprocal', 'softmax', FEW, **fields)
