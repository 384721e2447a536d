"""A training on a graph of millions of entities with row-sparse updates, killed and resumed: seconds, peak memory.

  python -m benchmarks.large --output=docs/benchmarks

Writes and prepares a synthetic graph (see benchmarks.prepare), starts `launch.py`, kills it when the checkpoint of half
of the steps is there, starts it again, and ranks among --candidates entities at the end. Needs about 5 times the
tables' bytes on disk.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from benchmarks import prepare, running, timing
from medjax.core import widths as widths_lib

ROOT = pathlib.Path(__file__).parents[1]


def training(arguments, store, workdir):
  """The command that trains on a store."""
  return [
    sys.executable,
    str(ROOT / 'launch.py'),
    f'--workdir={workdir}',
    f'--config.data.path={store}',
    f'--config.model.score={arguments.score}',
    f'--config.model.widths={arguments.widths}',
    '--config.train.sparse_updates=true',
    f'--config.train.steps={arguments.steps}',
    f'--config.train.checkpoint_every={arguments.steps // 2}',
    '--config.train.keep=1',
    '--config.eval.every=0',
    f'--config.eval.candidates={arguments.candidates}',
  ]


def killed(command, sign):
  """Starts a command, kills it when the path `sign` is there, and returns {'seconds', 'mib': its peak memory}."""
  begun = time.perf_counter()
  with subprocess.Popen(
    command,
    cwd=ROOT,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.PIPE,
    text=True,
    env=os.environ | {'PYTHONPATH': str(ROOT)},
  ) as process:
    while not sign.exists():
      if process.poll() is not None:
        raise ValueError(f'the training ended before {sign.name}: {process.stderr.read()[-2000:]}')
      time.sleep(0.2)
    process.kill()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = -9
  return {'seconds': time.perf_counter() - begun, 'mib': usage.ru_maxrss / 1024}


def measure(arguments):
  place = pathlib.Path(tempfile.mkdtemp(prefix='medjax-large-', dir=arguments.folder or None))
  folder, store, workdir = place / 'synthetic', place / 'store', place / 'run'
  folder.mkdir()
  try:
    prepare.write_graph(folder, arguments.triples, arguments.entities, arguments.relations)
    result = {
      'prepare': prepare.measured(
        [sys.executable, str(ROOT / 'launch.py'), '--mode=prepare', f'--config.data.path={folder}', f'--output={store}']
      )[0]
    }
    shutil.rmtree(folder)
    command = training(arguments, store, workdir)
    result['until killed'] = killed(command, workdir / 'checkpoints' / str(arguments.steps // 2))
    result['resumed to the end'] = prepare.measured(command)[0]
    lines = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
    counts = json.loads((store / 'store.json').read_text())
    disk = sum(path.stat().st_size for path in (workdir / 'checkpoints').rglob('*') if path.is_file())
  finally:
    shutil.rmtree(place)
  tables = counts['entities'] * widths_lib.parse_widths(arguments.widths)[-1] * 4
  rows = [{'': name} | prepare.figures(usage) for name, usage in result.items()]
  text = [
    f'{counts["entities"]:,} entities, {counts["splits"]["train"]:,} training triples; one table of entities: '
    f'{tables / 2**20:,.0f} MiB; checkpoints at the end: {disk / 2**20:,.0f} MiB',
    '',
    timing.table(rows),
    '',
    f'loss {lines[0]["loss"]:.4f} at step {lines[0]["step"]}, {lines[-1]["loss"]:.4f} at '
    f'{lines[-1]["step"]}; {1 / lines[-1]["steps_per_second"]:.3f} s a step, the compilation included',
  ]
  return '\n'.join(text), result | {
    'checkpoint_bytes': disk,
    'entity_table_bytes': tables,
    'losses': {line['step']: line['loss'] for line in lines},
  }


def make_options():
  options = argparse.ArgumentParser('python -m benchmarks.large', description=__doc__.split('\n')[0])
  options.add_argument('--triples', type=running.positive, default=20_000_000)
  options.add_argument('--entities', type=running.positive, default=5_000_000)
  options.add_argument('--relations', type=running.positive, default=1000)
  options.add_argument('--score', default='transe')
  options.add_argument('--widths', default='8:64:8')
  options.add_argument('--steps', type=running.positive, default=200, help='the run is killed after half of them')
  options.add_argument('--candidates', type=running.positive, default=100, help='entities that compete at the end')
  options.add_argument('--folder', default='', help='where graph and run are written, and removed again')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files')
  return options


def main(argv=None):
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = make_options().parse_args(argv)
  return running.conclude('large', argv, arguments, measure, f'large-{arguments.entities}')


if __name__ == '__main__':
  main()
