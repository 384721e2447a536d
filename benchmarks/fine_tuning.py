"""What a training of a BERT costs on one core: seconds a step, compilation and arithmetic, beside one fine-tuning.

  python -m benchmarks.fine_tuning --lengths=16,48 --rounds=5 --output=docs/benchmarks

Rows are a step of MED, of HAT's training, of its sandwich, and of the direct fine-tuning of every width, on sentences of
one length, measured in turn; a step under HAT draws a sub-model, so a round has several steps, the same ones for all.
Weights are drawn in the shape of MiniLM of 6 layers, which changes no time. Seconds of compilation are those of the
whole program that a run has, with all lengths in it. FLOPs are those that XLA counts in the step of a length, of MED and
the direct ones; of a program with branches it counts each of them.
"""

import argparse
import os
import sys
import time

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()
  if hasattr(os, 'sched_setaffinity'):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before JAX counts them

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import common
from benchmarks.bert import drawn, MINILM
from medjax import config as config_lib
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


def training(params, name, widths, lengths, arguments):
  """Returns (state, data, dispatch) of the training of an objective."""
  config = settings_lib.filled(
    settings_lib.resolve(
      config_lib.updated(
        TextConfig(),
        {
          'objective.name': name,
          'bert.widths': widths,
          'bert.dtype': 'float32',
          'train.batch': arguments.batch,
          'train.steps': common.FOREVER,
        },
      )
    ),
    0,
  )
  given = settings_lib.widths_of(config)
  own = MINILM.cropped(given.full)
  small = task_lib.crop_lib.crop(params, MINILM, given.full)
  validate = lambda params: (0.0, {})
  task = task_lib.make_task(config, own, small, given, *examples(lengths, arguments.batch), 2, False, validate)
  return step_lib.prepare(task, config.train.loop())


class Training:
  """A training, one dispatch at a time."""

  def __init__(self, params, name, widths, lengths, arguments):
    self.state, self.data, dispatch = training(params, name, widths, lengths, arguments)
    begun = time.perf_counter()
    lowered = dispatch.lower(self.state, self.data, jnp.int32(1))
    self.trace_seconds = time.perf_counter() - begun
    self.compiled = lowered.compile()
    self.compile_seconds = time.perf_counter() - begun
    self.flops = (self.compiled.cost_analysis() or {}).get('flops')

  def seconds(self, steps):
    """Runs a dispatch and returns its seconds a step."""
    begun = time.perf_counter()
    self.state, _, loss = self.compiled(self.state, self.data, jnp.int32(steps))
    jax.block_until_ready((self.state, loss))
    return (time.perf_counter() - begun) / steps
