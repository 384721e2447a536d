"""Flips single bits of every file that is written, and tells which of them are read without a word.

  python -m benchmarks.damage --flips=1000 --output=docs/benchmarks

A small run is trained, evaluated and calibrated, cropped, and exported in every format, and its graph is prepared.
Files take turns, so that each has as many flips as the others, at bits that are drawn. A flip is found where what reads
the file raises an error of medjax that names it; it is silent where that returns, and a crash where it raises another.
Files that medjax itself does not read are found by `medjax.verify`.
"""

import argparse
import collections
import contextlib
import io
import pathlib
import random
import sys
import tempfile

from benchmarks import running, timing
from medjax import config as config_lib
from medjax import errors
from medjax.data import datasets, store
from medjax.experiments import calibration, choosing, commands, runs
from medjax.report import choice, collect, metrics
from medjax.saved import checkpoint_folders, verification, workdir
from medjax.serve import loading
from medjax.serve import model as model_lib
from medjax.serve.interop import exports

FIELDS = {
  'model.score': 'distmult',  # which every format takes
  'model.widths': '4,8',
  'train.steps': 40,
  'train.batch': 16,
  'train.negatives': 4,
  'train.checkpoint_every': 20,
  'train.log_every': 20,
  'train.tracker': '',
  'eval.every': 20,
}
HOW = ('found', 'silent', 'crash')
LEFT = ('.lock', 'graph.json')  # no content, and what a person may change


def write(folder):
  """Writes everything that medjax writes; returns {folder of an artifact: what reads its files}."""
  draw = random.Random(0)
  names = [f'entity {i}' for i in range(30)]
  facts = [(draw.choice(names), draw.choice(('near', 'part of')), draw.choice(names)) for _ in range(300)]
  (folder / 'facts.tsv').write_text(''.join('\t'.join(fact) + '\n' for fact in facts), encoding='utf-8')
  config = config_lib.from_flat(FIELDS | {'data.path': str(folder / 'facts.tsv')})
  runs.train(config, folder / 'run')
  calibration.calibrate(folder / 'run')
  choosing.choose(folder / 'run')
  commands.crop(folder / 'run', 8, folder / 'crop', with_triples=True)
  calibrated = loading.load(folder / 'run')
  for name, format in exports.FORMATS.items():
    exports.export(calibrated, folder / f'export, {name}', name, format.dtypes[-1])
  datasets.prepare(config.data, folder / 'prepared graph')
  readers = {'run': read_run, 'crop': model_lib.load, 'prepared graph': read_store}
  readers |= {'export, safetensors': model_lib.load, 'export, hub': read_hub}
  return {path: readers.get(path.name, read_verified) for path in sorted(folder.iterdir()) if path.is_dir()}


def read_run(folder):
  """Reads what a command reads of a run, and of its checkpoints what a training that goes on looks at."""
  for step in checkpoint_folders.steps_in(folder / 'checkpoints'):
    if said := checkpoint_folders.damage(folder / 'checkpoints' / str(step)):
      raise errors.CheckpointError(f'{folder / "checkpoints" / str(step)}: {said}')
  workdir.read_config(folder)
  workdir.read_source(folder)
  metrics.read(folder)
  collect.read_results(folder / 'results.csv')
  choice.read(folder)
  choice.read_speed(folder)
  loading.load(folder)
  read_verified(folder)  # results-detail.csv, figures and curves


def read_hub(folder):
  """Loads a folder for the Hub, whose README.md is not read for that."""
  loading.load(folder)
  read_verified(folder)


def read_store(folder):
  """Reads a prepared graph as a training does."""
  store.check(store.open_graph(folder))


def read_verified(folder):
  """Raises for damage that `medjax.verify` finds."""
  if damaged := verification.verify(folder).damaged:
    raise errors.ArtifactError(f'{folder / damaged[0]} is damaged')


def flipped(path, bit, read):
  """Returns what became of a flipped bit: 'found', 'silent' or 'crash'."""
  content = path.read_bytes()
  changed = bytearray(content)
  changed[bit // 8] ^= 1 << bit % 8
  path.write_bytes(changed)
  try:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
      read()
    return 'silent'
  except errors.MedjaxError:
    return 'found'
  except Exception:
    return 'crash'
  finally:
    path.write_bytes(content)


def files_of(folder):
  """The files of an artifact that have content, but for the events of a tracker."""
  every = (path for path in folder.rglob('*') if path.is_file() and path.stat().st_size and path.name not in LEFT)
  return sorted(every)


def measure(arguments):
  draw, counts = random.Random(arguments.seed), collections.defaultdict(collections.Counter)
  with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(io.StringIO()):
    readers = write(pathlib.Path(place))
    files = [(folder, path) for folder in readers for path in files_of(folder)]
    draw.shuffle(files)
    for number in range(arguments.flips):
      folder, path = files[number % len(files)]
      name = path.relative_to(folder).as_posix()
      if name.startswith('checkpoints/'):
        name = f'checkpoints: {"/".join(name.split("/")[2:3])}'
      bit = draw.randrange(path.stat().st_size * 8)
      counts[folder.name, name][flipped(path, bit, lambda folder=folder: readers[folder](folder))] += 1
    for folder in readers:
      readers[folder](folder)  # everything is as it was
  rows = [
    {'artifact': artifact, 'file': name, 'flips': sum(of.values())} | {how: of[how] for how in HOW}
    for (artifact, name), of in sorted(counts.items())
  ]
  total = {how: sum(row[how] for row in rows) for how in ('flips', *HOW)}
  text = f'{timing.table([*rows, {"artifact": "all", "file": f"{len(files)} files"} | total])}'
  return text, {'seed': arguments.seed, 'files': len(files)} | total | {'rows': rows}


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.damage',
    description=__doc__.split('\n')[0],
    allow_abbrev=False,
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--flips', type=running.positive, default=1000, help='bits that are flipped, one at a time')
  options.add_argument('--seed', type=int, default=0, help='of the bits')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files; damage if not given')
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = options.parse_args(argv)
  return running.conclude('damage', argv, arguments, measure, 'damage')


if __name__ == '__main__':
  main()
