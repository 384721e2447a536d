"""Run by test_parallel.py in a process with four devices: every layout trains as one device does.

Prints a line of JSON: {case: {layout: [largest difference of losses, of tables, bytes of collectives, the formula's]}}.
"""

import json
import sys

import jax
import numpy as np

from benchmarks import graph_data, scaling, trainings
from medjax import config as config_lib
from medjax import scores
from medjax.kge import settings as settings_lib
from medjax.kge import task as task_lib
from medjax.training import step as step_lib

ENTITIES, RELATIONS, STEPS = 40, 5, 20
TRIPLES = np.unique(np.random.default_rng(0).integers(0, [ENTITIES, RELATIONS, ENTITIES], (200, 3)), axis=0)
LAYOUTS = {
  'jit': {},
  'pmap': {'mode': 'pmap'},
  '1x4': {'mode': 'mesh'},
  '2x2': {'mode': 'mesh', 'data': 2},
  '4x1': {'mode': 'mesh', 'data': 4, 'width': 1},
}
SOFTMAX = {
  'objective.loss': 'softmax',
  'train.optimizer': 'adagrad',
  'objective.regularizer': 'n3',
  'train.negatives': 0,
}
CASES = {
  'rotate': {'train.share_negatives': 2},
  'complex softmax': {'model.score': 'complex'} | SOFTMAX | {'train.negatives': 6, 'train.share_negatives': 2},
  'reciprocal softmax': {'model.score': 'complex_reciprocal'} | SOFTMAX,
  'pairre': {'model.score': 'pairre', 'objective.evolutionary': True},
  'sparse': {'train.sparse_updates': True, 'train.filter_negatives': True, 'model.width_gamma': 'learned'},
}


def make(fields, layout):
  """Returns (config, score, widths) of a small model."""
  config = config_lib.Config()
  small = {
    'model.widths': '4,8,16',
    'train.batch': 16,
    'train.negatives': 4,
    'train.steps': 1000,
    'train.learning_rate': 1e-2,
  }
  for field, value in (small | fields | {f'parallel.{name}': value for name, value in layout.items()}).items():
    config_lib.put(config, field, value)
  config = settings_lib.resolve(config)
  widths = settings_lib.model_widths(config)
  return config, scores.make(config.model.score, scores.default_constants(6.0, widths.full)), widths


def trained(fields, layout):
  """Returns ([losses of the first step and of the rest], tables, bytes of a step, the formula's) after 20 steps."""
  config, score, widths = make(fields, layout)
  layout, triples = task_lib.make_layout(config, widths), TRIPLES.astype(np.int32)
  data = graph_data.Data('', triples, triples, triples, ENTITIES, RELATIONS)
  task = task_lib.make_task(config, score, widths, data, layout)
  state, given, dispatch = step_lib.prepare(task, config.train, layout)
  losses, crossing = [], None
  if hasattr(dispatch, 'lower'):
    dispatch = dispatch.lower(state, given, np.int32(1)).compile()
    crossing = scaling.crossing(dispatch.as_text())
  setup = trainings.Setup(config, score, widths)
  for count in (1, STEPS - 1):
    state, own, loss = dispatch(state, given, np.int32(count))
    losses += [float(loss), *np.asarray(own)]
  tables = [leaf for leaf in jax.tree.leaves(state) if leaf.ndim == 2]
  shares = {leaf.addressable_shards[0].data.shape[1] / leaf.shape[1] for leaf in tables}
  assert bool(state.ok) and int(state.step) == STEPS and shares == {1 / layout.width}, (shares, layout)
  return (
    np.array(losses),
    jax.tree.map(np.asarray, layout.gather_tables(state.params)),
    crossing,
    scaling.formula(setup, data, layout),
  )


def main(cases):
  result = {}
  for case in cases:
    losses, tables, *_ = trained(CASES[case], {})
    for name, layout in LAYOUTS.items():
      if name != 'jit' and (case != 'sparse' or name == '2x2'):
        other_losses, other, *crossing = trained(CASES[case], layout)
        gaps = jax.tree.map(lambda a, b: np.abs(a - b).max(), tables, other)
        result.setdefault(case, {})[name] = [
          float(np.abs(losses - other_losses).max()),
          float(max(jax.tree.leaves(gaps))),
          *crossing,
        ]
  print(json.dumps(result))


if __name__ == '__main__':
  main(sys.argv[1:] or CASES)
