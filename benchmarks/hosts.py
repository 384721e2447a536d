"""A training on two hosts, one of which is killed in the middle of a checkpoint: what the other says, and what is left.

  python -m benchmarks.hosts --kills=4 --output=docs/benchmarks

Two processes of one device each train one model (`parallel.mode='mesh'`), as two hosts would. One of them, in turn, is
killed while a checkpoint that is drawn is half written. The other has to end by itself, with one line and exit code 2.
Then both are begun again, to the end; what they leave has to be what two processes left that nobody disturbed.
"""

import argparse
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

from benchmarks import disturbances, running, soak, timing

ROOT = pathlib.Path(__file__).parents[1]
PATIENCE = 600  # seconds that a process may take
FIELDS = ('--config.parallel.mode=mesh', '--config.parallel.data=2', '--config.parallel.distributed=True')


class Hosts:
  """Two processes of one training.

  Args:
    config: the file of its configuration.
    place: its workdir.
    cache: folder of compiled programs.
  """

  def __init__(self, config, place, cache):
    with socket.socket() as free:
      free.bind(('localhost', 0))
      port = free.getsockname()[1]
    own = {'JAX_NUM_PROCESSES': '2', 'JAX_COORDINATOR_ADDRESS': f'localhost:{port}', 'XDG_CACHE_HOME': str(cache)}
    self.place = place
    self.both = [
      subprocess.Popen(
        [sys.executable, 'launch.py', 'train', f'--config={config}', f'--workdir={place}', *FIELDS],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | soak.CACHE | own | {'JAX_PROCESS_ID': str(i)},
      )
      for i in range(2)
    ]

  def end(self):
    """Waits for both; raises ValueError where one does not end well."""
    for process in self.both:
      _, said = process.communicate(timeout=PATIENCE)
      if process.returncode:
        raise ValueError(f'a process that nobody disturbed ended with {process.returncode}: {said[-1000:]}')

  def kill(self, victim, step):
    """Kills one while the checkpoint of a step is half written; returns (code, lines, seconds) of the other's end."""
    half = self.place / 'checkpoints'
    while not any(path.name.startswith(f'{step}.') for path in half.glob('*')):
      if any(process.poll() is not None for process in self.both):
        raise ValueError(f'the training ended before its checkpoint of step {step}')
      time.sleep(0.001)
    self.both[victim].kill()
    begun = time.perf_counter()
    _, said = self.both[1 - victim].communicate(timeout=PATIENCE)
    self.both[victim].communicate()
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith('training:')]
    return self.both[1 - victim].returncode, lines, time.perf_counter() - begun


def measure(arguments):
  draw = random.Random(arguments.seed)
  every = soak.SIZES['train.checkpoint_every']
  rows = []
  with tempfile.TemporaryDirectory(prefix='medjax-hosts-') as name:
    folder = pathlib.Path(name)
    config = folder / 'run.py'
    config.write_text(soak.RUN.format(fields={'data.path': str(soak.graph(folder / 'data')), **soak.SIZES}))
    cache = folder / 'cache'
    Hosts(config, folder / 'whole', cache).end()
    expected = disturbances.digest(folder / 'whole')
    for number in range(arguments.kills):
      place, victim = folder / str(number), number % 2
      step = every * draw.randint(1, soak.SIZES['train.steps'] // every)
      code, lines, seconds = Hosts(config, place, cache).kill(victim, step)
      Hosts(config, place, cache).end()
      rows.append(
        {
          'killed': f'process {victim}, at step {step}',
          'the other': signal.Signals(-code).name if code < 0 else f'exit code {code}',
          'lines': len(lines),
          'seconds': f'{seconds:.1f}',
          'same bits in the end': 'yes' if disturbances.digest(place) == expected else 'no',
          'said': lines,
        }
      )
  shown = [{key: value for key, value in row.items() if key != 'said'} for row in rows]
  odd = [line for row in rows if row['lines'] != 1 for line in row['said']]
  return '\n'.join([timing.table(shown), *odd]), {'seed': arguments.seed, 'kills': rows}


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.hosts',
    description=__doc__.split('\n')[0],
    allow_abbrev=False,
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--kills', type=running.positive, default=4, help='trainings that are disturbed')
  options.add_argument('--seed', type=int, default=0, help='of the checkpoints')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files; hosts if not given')
  argv = sys.argv[1:] if argv is None else list(argv)
  return running.conclude('hosts', argv, options.parse_args(argv), measure, 'hosts')


if __name__ == '__main__':
  main()
