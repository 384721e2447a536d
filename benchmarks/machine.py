"""What this machine can do at most: bytes copied and float32 multiply-adds per second, with all cores.

  python -m benchmarks.machine

The other commands set their figures against these.
"""

import concurrent.futures
import time

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import running, timing, trainings
from medjax.evaluation import ranking

COPY_MIB = 512  # far more than any cache holds


class Copy:
  """Copies a big array, one slice per core."""

  def __init__(self, mib=COPY_MIB):
    self.source = np.ones(mib * trainings.MIB // 4, np.float32)
    self.target = np.zeros_like(self.source)  # written once here, so that no page is missing later
    self.target[:] = self.source

  @property
  def bytes(self):
    """Bytes that a copy reads and writes."""
    return 2 * self.source.nbytes

  def seconds(self):
    workers = ranking.processors()
    parts = list(zip(np.array_split(self.target, workers), np.array_split(self.source, workers)))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
      list(pool.map(lambda part: None, parts))  # the threads are there
      begun = time.perf_counter()
      list(pool.map(lambda part: np.copyto(*part), parts))
      return time.perf_counter() - begun


def multiply(size):
  """Returns a function that multiplies two float32 matrices [size, size] and returns its seconds."""
  left = jnp.ones((size, size), jnp.float32)
  product = jax.jit(lambda a, b: jnp.matmul(a, b, precision='highest')).lower(left, left).compile()
  jax.block_until_ready(product(left, left))

  def seconds():
    begun = time.perf_counter()
    jax.block_until_ready(product(left, left))
    return time.perf_counter() - begun

  return seconds


def exponentials(count):
  """Returns a function that takes `count` float32 exponentials, 2^19 at a time, and returns its seconds."""
  some = jnp.broadcast_to(jnp.linspace(-5, 0, 1 << 10, dtype=jnp.float32), (1 << 9, 1 << 10))
  repeat = lambda x: jax.lax.fori_loop(0, count >> 19, lambda _, x: -jnp.exp(x), x)
  taken = jax.jit(repeat).lower(some).compile()
  jax.block_until_ready(taken(some))

  def seconds():
    begun = time.perf_counter()
    jax.block_until_ready(taken(some))
    return time.perf_counter() - begun

  return seconds


def step_traffic(model, batch, negatives):
  """Returns {part: bytes} that a training step moves if every array of it passes memory once each way.

  P bytes of parameters, G bytes of gathered rows: rows are gathered (read G, write G); scores and gradients read the
  rows and write as many gradients (2 G); those are added into the dense gradient (read G, read and write G), which
  was set to zero (P); Adam reads the gradient, the parameters and two moments and writes the last three (7 P).
  """
  tables, rows = trainings.table_bytes(model), trainings.gathered_bytes(model, batch, negatives)
  return {'gather': 2 * rows, 'scores and gradients': 2 * rows, 'scatter': 3 * rows + tables, 'adam': 7 * tables}


def measure(arguments, data):
  del data
  copy, product = Copy(arguments.copy_mib), multiply(arguments.size)
  copy.seconds()
  measured = timing.interleave({'copy': copy.seconds, 'multiply': product}, arguments.rounds)
  rates = {
    'copy': [copy.bytes / s for s in measured['copy']],
    'multiply': [arguments.size**3 / s for s in measured['multiply']],
  }
  names = {
    'copy': f'memory, bytes read and written by a copy of {arguments.copy_mib} MiB',
    'multiply': f'float32 multiply-adds of a product of {arguments.size} x {arguments.size}',
  }
  cells = lambda values: {key: f'{value / 1e9:.2f}' for key, value in timing.spread(values).items()}
  text = timing.table([{'billions per second': names[key], **cells(rates[key])} for key in rates])
  return text, {
    'bytes_per_second': timing.spread(rates['copy']),
    'multiply_adds_per_second': timing.spread(rates['multiply']),
  }


def main(argv=None):
  options = running.parser('machine', __doc__)
  options.set_defaults(dataset='synthetic:2:1:2')
  options.add_argument('--copy-mib', type=running.positive, default=COPY_MIB, help='size of the array that is copied')
  options.add_argument('--size', type=running.positive, default=4096, help='rows and columns of the matrices')
  return running.run(options, measure, argv)


if __name__ == '__main__':
  main()
