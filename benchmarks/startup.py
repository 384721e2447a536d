"""Seconds from starting `launch.py` to its first finished training step, with and without compiled programs.

  python -m benchmarks.startup --score=transe --dataset=fb15k237

The run logs every step, and a dispatch holds one step, so the first line of metrics.jsonl is on disk as soon as
the first dispatch has ended; the process is then killed. What is in between: Python, imports, reading the graph,
writing it into the workdir, making and saving the first state, compiling or loading the step, and the step.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

from benchmarks import running, timing, trainings

ROOT = pathlib.Path(__file__).parents[1]
PAUSE = 0.005  # seconds between two looks at metrics.jsonl


def data_option(arguments, data, folder):
  """Returns the option that names the graph; a synthetic one is written into the folder."""
  if not arguments.dataset.startswith('synthetic'):
    return f'--config.data.name={arguments.dataset}'
  folder.mkdir()
  names = lambda triples: ''.join(f'e{h}\tr{r}\te{t}\n' for h, r, t in triples)
  for split in ('train', 'valid', 'test'):
    (folder / f'{split}.tsv').write_text(names(getattr(data, split)))
  return f'--config.data.path={folder}'


def command(arguments, graph):
  """Returns the command, but for its workdir."""
  return [
    sys.executable,
    str(ROOT / 'launch.py'),
    f'--config={ROOT / "configs" / "umls.py"}:{arguments.score}',
    graph,
    f'--config.model.widths={arguments.widths}',
    f'--config.train.batch={arguments.batch}',
    f'--config.train.negatives={arguments.negatives}',
    f'--config.train.steps={trainings.FOREVER}',
    '--config.train.steps_per_dispatch=1',
    '--config.train.log_every=1',
    '--config.eval.every=0',
    '--config.train.filter_negatives=false',
  ]


def until_first_step(arguments, graph, folder, programs):
  """Starts a training in a new workdir, waits for its first step, kills it, and returns the seconds.

  Args:
    arguments, graph: of the command.
    folder: for the workdir.
    programs: the folder of compiled programs.
  """
  environment = {name: value for name, value in os.environ.items() if name != 'GLIBC_TUNABLES'} | {
    'JAX_COMPILATION_CACHE_DIR': str(programs),
    'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0.5',
  }
  new_folder = tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True)
  with new_folder as workdir, tempfile.TemporaryFile('w+') as log:
    metrics = pathlib.Path(workdir) / 'run' / 'metrics.jsonl'
    begun = time.perf_counter()
    process = subprocess.Popen(
      [*command(arguments, graph), f'--workdir={metrics.parent}'], stdout=log, stderr=log, env=environment
    )
    try:
      while not (metrics.exists() and metrics.stat().st_size):
        if process.poll() is not None:
          log.seek(0)
          raise ValueError(f'launch.py ended before its first step: {log.read()[-2000:].strip()}')
        if time.perf_counter() - begun > arguments.patience:
          raise ValueError(f'no training step within {arguments.patience} s; allow more with --patience')
        time.sleep(PAUSE)
      return time.perf_counter() - begun
    finally:
      process.kill()
      process.wait()


def import_jax():
  """Returns the seconds of a Python that imports JAX and makes an array: the floor."""
  begun = time.perf_counter()
  subprocess.run([sys.executable, '-c', 'import jax; jax.block_until_ready(jax.numpy.zeros(1))'], check=True)
  return time.perf_counter() - begun


def measure(arguments, data):
  with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    folder = pathlib.Path(folder)
    graph = data_option(arguments, data, folder / 'graph')
    warm = folder / 'programs'

    def cold():
      with tempfile.TemporaryDirectory(dir=folder) as programs:
        return until_first_step(arguments, graph, folder, programs)

    until_first_step(arguments, graph, folder, warm)  # fills the cache of programs and that of files
    import_jax()
    names = ('first step, programs cached', 'first step, nothing cached', 'importing JAX alone')
    cases = {names[0]: lambda: until_first_step(arguments, graph, folder, warm), names[1]: cold, names[2]: import_jax}
    measured = timing.interleave(cases, arguments.rounds)
  ratios = [timing.ratio(measured, names[0], names[1]), timing.ratio(measured, names[0], names[2])]
  rows = [
    {'seconds': name, **{key: f'{value:.2f}' for key, value in timing.spread(seconds).items()}}
    for name, seconds in measured.items()
  ]
  return f'{timing.table(rows)}\n\n{timing.ratio_table(ratios)}', {
    'seconds': {name: timing.spread(seconds) for name, seconds in measured.items()},
    'rounds_seconds': measured,
    'ratios': ratios,
  }


def main(argv=None):
  options = running.parser('startup', __doc__)
  options.add_argument('--patience', type=float, default=600.0, help='seconds to wait for the first step')
  return running.run(options, measure, argv)


if __name__ == '__main__':
  main()
