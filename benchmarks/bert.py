"""What the sub-models of a BERT weigh and take on one core, and how much a crop without training keeps.

  python -m benchmarks.bert --model=FOLDER --output=docs/benchmarks

Parameters and bytes are those of the saved crop (model.safetensors, float32). Milliseconds are of one sentence of
`--tokens` tokens through the encoder, compiled, and of `--batch` of them at once, for a sentence; the process is kept
on one core. CPU milliseconds are what the process itself took, so that other work of the machine adds little. Without
`--model` the weights are drawn, in the shape of MiniLM of 6 layers, which changes no time.

With `--model` a second table tells what a crop keeps before it is trained: the rank correlation (Spearman) of the
similarities of sentences with those by the full width, as the folder has its numbers and reordered by importance. The
sentences are those of this repository's pages; importance is measured on every second one, and the others are compared.
Last come the crops that have the full width and fewer layers.
"""

import argparse
import os
import pathlib
import re
import sys
import tempfile
import time

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()
  if hasattr(os, 'sched_setaffinity'):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # before JAX counts them

import jax
import numpy as np
from scipy import stats

from benchmarks import running, timing
from medjax import bert
from medjax.bert import crop, weights
from medjax.core import axes as axes_lib

CLOCKS = {'wall': time.perf_counter, 'cpu': time.process_time}
PAGES = pathlib.Path(__file__).parents[1] / 'docs'
MINILM = bert.BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
SHORTEST, LONGEST, SENTENCES = 40, 200, 400  # characters of a sentence, and how many of them


def drawn(config):
  """Returns parameters of a configuration, drawn."""
  ids = np.zeros((1, 4), np.int32)
  return jax.jit(bert.Bert(config).init)(jax.random.key(0), ids, ids)['params']


def sentences():
  """Returns sentences of this repository's pages, in order: those of plain words."""
  found = []
  for page in sorted(PAGES.glob('*.md')):
    text = re.sub(r'^```.*?^```|^[|#<].*?$', '', page.read_text(encoding='utf-8'), flags=re.DOTALL | re.MULTILINE)
    for paragraph in text.split('\n\n'):
      plain = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', ' '.join(paragraph.split())).replace('**', '')
      found += [each for each in re.split(r'(?<=[.:;?!]) ', plain) if SHORTEST <= len(each) <= LONGEST]
  return [each for each in dict.fromkeys(found) if not re.search(r'[`$|_\\]', each)][:SENTENCES]


def stored_bytes(config, params):
  """Bytes of the file of weights."""
  with tempfile.TemporaryDirectory() as folder:
    weights.write(folder, config, params)
    return (pathlib.Path(folder) / weights.WEIGHTS).stat().st_size


def forward(config, params, batch, tokens):
  """Returns a function that runs `batch` sentences of as many tokens: milliseconds of one, by both clocks."""
  draw = np.random.default_rng(0)
  ids = jax.device_put(draw.integers(0, config.vocab_size, (batch, tokens)).astype(np.int32))
  mask = jax.device_put(np.ones((batch, tokens), np.int32))
  module = bert.Bert(config, 'pooler' in params)
  run = jax.jit(lambda params: module.apply({'params': params}, ids, mask).hidden)
  params = jax.device_put(params)
  run(params).block_until_ready()

  def milliseconds():
    begun = [clock() for clock in CLOCKS.values()]
    run(params).block_until_ready()
    return [(clock() - start) * 1e3 / batch for clock, start in zip(CLOCKS.values(), begun)]

  return milliseconds


def sizes_and_times(config, params, widths, arguments):
  """[{width, heads, neurons, parameters, bytes, one, batch}] of every sub-model."""
  rows, timed = [], {}
  for width in widths:
    small, own = config.cropped(width), crop.crop(params, config, width)
    shape = {'width': width, 'heads': small.num_attention_heads, 'neurons': small.intermediate_size}
    rows.append(shape | {'parameters': axes_lib.num_numbers(own), 'bytes': stored_bytes(small, own)})
    timed[width, 'one'] = forward(small, own, 1, arguments.tokens)
    timed[width, 'batch'] = forward(small, own, arguments.batch, arguments.tokens)
  measured = timing.interleave(timed, arguments.rounds)
  spreads = lambda times: {clock: timing.spread(values) for clock, values in zip(CLOCKS, zip(*times))}
  return [row | {of: spreads(measured[row['width'], of]) for of in ('one', 'batch')} for row in rows]


def similarities(vectors):
  """The similarities of all pairs of vectors."""
  vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
  return (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]


def kept(encoder, widths):
  """[{width, layers, stored, reordered}]: rank correlations with the similarities by the full model."""
  texts = sentences()
  reordered, asked = encoder.reorder(texts[::2]), texts[1::2]
  full = similarities(encoder.encode(asked))
  agreement = lambda small: float(stats.spearmanr(full, similarities(small.encode(asked))).statistic)
  row = lambda width, layers: {
    'width': width,
    'layers': layers,
    'stored': agreement(encoder.crop(width, layers)),
    'reordered': agreement(reordered.crop(width, layers)),
  }
  layers = encoder.config.num_hidden_layers
  return [row(width, layers) for width in widths] + [row(encoder.width, fewer) for fewer in range(layers - 1, 0, -1)]


def measure(arguments):
  encoder = bert.load(arguments.model) if arguments.model else None
  config, params = (encoder.config, encoder.params) if encoder else (MINILM, drawn(MINILM))
  widths = running.numbers(arguments.widths)
  rows = sizes_and_times(config, params, widths, arguments)
  number = lambda row, of, clock, which='median': f'{row[of][clock][which]:.2f}'
  told = [
    {'width': row['width']}
    | {name: f'{row[name]:,}' for name in ('heads', 'neurons', 'parameters', 'bytes')}
    | {f'{arguments.tokens} tokens, ms': number(row, 'one', 'wall'), 'low': number(row, 'one', 'wall', 'low')}
    | {'CPU ms': number(row, 'one', 'cpu'), f'CPU ms, {arguments.batch} at once': number(row, 'batch', 'cpu')}
    for row in rows
  ]
  text, result = timing.table(told), {'layers': config.num_hidden_layers, 'sub_models': rows}
  if encoder:
    result['kept'] = kept(encoder, widths)
    own = [row | {name: f'{row[name]:.3f}' for name in ('stored', 'reordered')} for row in result['kept']]
    text += f'\n\nrank correlation of similarities, without training\n{timing.table(own)}'
  return text, result


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.bert',
    description=__doc__.split('\n')[0],
    allow_abbrev=False,
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--model', default='', help='a folder of Hugging Face, whose place is not told')
  options.add_argument('--widths', default='96,192,288,384', help='hidden sizes of the sub-models')
  options.add_argument('--tokens', type=running.positive, default=32, help='tokens of a sentence')
  options.add_argument('--batch', type=running.positive, default=32, help='sentences at once, of the last column')
  options.add_argument('--rounds', type=running.positive, default=20, help='times that every row is measured, in turn')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files; bert if not given')
  argv = sys.argv[1:] if argv is None else list(argv)
  return running.conclude('bert', argv, options.parse_args(argv), measure, 'bert')


if __name__ == '__main__':
  main()
