"""What trainings of a BERT cost on one core: seconds a step, compilation and arithmetic, beside one fine-tuning.

  python -m benchmarks.fine_tuning --output=docs/benchmarks

Rows are a step of MED, of HAT's training, of its sandwich, and of the direct fine-tuning of every width, measured in
turn on sentences of one length. A step under HAT and its sandwich draws sub-models, so a round of theirs has several.
Times are the CPU's: those of the process, which is kept on one core, so that other work of the machine adds little.
Compilation is that of the whole program of a training, without a cache. FLOPs are those that XLA's cost analysis counts
in the value and the gradient, of layers that are written out one after the other; the means over what is drawn for HAT
and its sandwich. Weights are drawn in the shape of MiniLM, which changes no time.
"""

import argparse
import dataclasses
import functools
import os
import sys
import time
from unittest import mock

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()
  if hasattr(os, 'sched_setaffinity'):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before JAX counts them

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import running, timing, trainings
from benchmarks.bert import drawn, MINILM
from medjax import config as config_lib
from medjax.bert import crop
from medjax.bert import examples as examples_lib
from medjax.bert import settings as settings_lib
from medjax.bert import task as task_lib
from medjax.bert.examples import Examples
from medjax.config.text import TextConfig
from medjax.training import step as step_lib

BATCHES = 4  # of every length that there are examples for


def examples(lengths, batch):
  """Returns examples of which `BATCHES` batches have each length, and how they are drawn."""
  draw = np.random.default_rng(0)
  tokens = np.repeat(lengths, BATCHES * batch)
  ids = draw.integers(1000, MINILM.vocab_size, (len(tokens), lengths[-1])).astype(np.uint16)
  labels = draw.integers(0, 2, len(tokens)).astype(np.int32)
  return examples_lib.by_length(Examples(ids, np.stack([tokens, tokens], 1).astype(np.int32), labels), lengths, batch)


def configured(name, widths, arguments):
  """Returns the resolved configuration of an objective."""
  fields = {
    'objective.name': name,
    'bert.widths': widths,
    'bert.dropout': arguments.dropout,
    'bert.dtype': 'float32',
    'train.batch': arguments.batch,
    'train.steps': trainings.FOREVER,
  }
  return settings_lib.filled(settings_lib.resolve(config_lib.updated(TextConfig(), fields)), 0)


def made(params, shape, config, lengths):
  """Returns the task of a configuration."""
  widths = settings_lib.widths_of(config)
  share = {'hidden_dropout_prob': config.bert.dropout, 'attention_probs_dropout_prob': config.bert.dropout}
  own = dataclasses.replace(shape.cropped(widths.full), **share)
  given, plan = examples(lengths, config.train.batch)
  no_validation = lambda params: (0.0, {})
  cropped = crop.crop(params, shape, widths.full)
  return task_lib.make_task(config, own, cropped, widths, given, plan, 2, False, no_validation)


class Training:
  """A training, one dispatch at a time.

  Attributes:
    compile_seconds: the CPU's, of tracing and compiling it.
  """

  def __init__(self, task, config):
    self.state, self.data, dispatch = step_lib.prepare(task, config.train.loop())
    begun = time.process_time()
    self.compiled = dispatch.lower(self.state, self.data, jnp.int32(1)).compile()
    self.compile_seconds = time.process_time() - begun

  def seconds(self, steps):
    """Runs a dispatch and returns the CPU's seconds a step."""
    begun = time.process_time()
    self.state, _, loss = self.compiled(self.state, self.data, jnp.int32(steps))
    jax.block_until_ready((self.state, loss))
    return (time.process_time() - begun) / steps


def flops(params, shape, config):
  """Returns the FLOPs of the value and gradient of a batch of the first length, without a draw of sub-models."""
  task = made(params, shape, config, (16,))
  key = jax.random.key(0)
  shapes = jax.eval_shape(task.init, key), jax.eval_shape(task.batch, key, jnp.int32(0), task.data)
  written_out = functools.partial(jax.lax.scan, unroll=True)  # of a loop, the analysis counts one turn
  with mock.patch.object(jax.lax, 'scan', written_out):
    return jax.jit(lambda p, b: task.value_and_grad(p, b, None, 0)).lower(*shapes).cost_analysis()['flops']


def measure(arguments):
  shape = dataclasses.replace(MINILM, num_hidden_layers=arguments.layers)
  params, every = drawn(shape), running.numbers(arguments.widths)
  cases = {name: (name, arguments.widths) for name in ('med', 'hat', 'sandwich')}
  cases |= {f'direct-{width}': ('direct', str(width)) for width in every}
  configs = {name: configured(*case, arguments) for name, case in cases.items()}
  counted = {name: flops(params, shape, config) for name, config in configs.items() if name not in ('hat', 'sandwich')}
  alone = [counted[f'direct-{width}'] for width in every]
  counted['hat'] = sum(alone) / len(alone)
  counted['sandwich'] = alone[0] + alone[-1] + sum(alone[1:-1]) / max(len(alone) - 2, 1)
  full = f'direct-{every[-1]}'
  shown = [name for name in cases if name in (full, *arguments.rows.split(',')) or not arguments.rows]
  begun = {name: Training(made(params, shape, configs[name], (arguments.tokens,)), configs[name]) for name in shown}
  steps = {name: arguments.draws if name in ('hat', 'sandwich') else 1 for name in shown}
  measured = timing.interleave(
    {name: lambda name=name: begun[name].seconds(steps[name]) for name in shown}, arguments.rounds + 1
  )
  timed = {name: values[1:] for name, values in measured.items()}  # the first round touches memory for the first time
  rows = [
    {
      'name': name,
      'step': timing.spread(timed[name]),
      'cost': timing.ratio(timed, name, full),
      'compile_seconds': begun[name].compile_seconds,
      'flops': counted[name],
    }
    for name in shown
  ]
  told = [
    {
      'training': row['name'],
      'step, ms': f'{1e3 * row["step"]["median"]:.0f}',
      'range': f'{1e3 * row["step"]["low"]:.0f} to {1e3 * row["step"]["high"]:.0f}',
      f'of {full}': f'{row["cost"]["paired_median"]:.2f}',
      'GFLOPs': f'{row["flops"] / 1e9:.1f}',
      f"of {full}'s": f'{row["flops"] / counted[full]:.2f}',
      'compilation, s': f'{row["compile_seconds"]:.0f}',
    }
    for row in rows
  ]
  return timing.table(told), {'layers': arguments.layers, 'trainings': rows}


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.fine_tuning',
    description=__doc__.split('\n')[0],
    allow_abbrev=False,
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--widths', default='96,192,288,384', help='hidden sizes of the sub-models')
  options.add_argument('--layers', type=running.positive, default=6, help='of the encoder')
  options.add_argument('--tokens', type=running.positive, default=16, help='tokens of a sentence')
  options.add_argument('--batch', type=running.positive, default=32, help='sentences of a step')
  options.add_argument('--dropout', type=float, default=0.1, help='share that a step drops')
  options.add_argument('--rows', default='', help='those of these names, and the full width; all if not given')
  options.add_argument('--rounds', type=running.positive, default=5, help='times that every row is measured, in turn')
  options.add_argument('--draws', type=running.positive, default=8, help='steps of a round under HAT and its sandwich')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files; fine_tuning if not given')
  argv = sys.argv[1:] if argv is None else list(argv)
  return running.conclude('fine_tuning', argv, options.parse_args(argv), measure, 'fine_tuning')


if __name__ == '__main__':
  main()
