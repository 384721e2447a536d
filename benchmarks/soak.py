"""Kills, full disks and damaged files in the middle of every mode, and whether what comes of it is the same to a bit.

  python -m benchmarks.soak --kills=200
  python -m benchmarks.soak --kills=20 --modes=crop,export --seed=1

Every mode first runs undisturbed. Then it runs again and again as a process of its own that is killed at a random
moment, meets a full disk, or finds a flipped bit in one of the files that it has to read, until it ends by itself; what
it leaves has to be what the undisturbed one left. An attempt that ends with one line about the damage or the disk has
told it, and gets the file or the room back. One that ends well with other bits has been damaged silently.

Full disks are real ones where a file system of a few MiB can be mounted in memory (as root); elsewhere no file may grow
beyond a few KiB.
"""

import argparse
import collections
import contextlib
import hashlib
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from benchmarks import common
import medjax

ROOT = pathlib.Path(__file__).parents[1]
MODES = ('train', 'prepare', 'study', 'distill', 'compare', 'crop', 'export')
OF_MODELS = {'crop': ('--width=4',), 'export': ('--format=safetensors',)}
EVENTS = ('kill', 'kill', 'kill', 'disk', 'damage')  # what an attempt meets, one of them by chance
DISK = 96 * 2**20  # bytes of the small file system
LARGEST = 4096  # bytes of a file where none can be mounted
PATIENCE = 900  # seconds that an attempt may take
# what differs between any two runs: times, places, and the hashes of such files
VOLATILE = {'.lock', 'config.json', 'cost.json', 'extraction.json', 'manifest.json', 'source.json', 'speed.csv'}
VOLATILE |= {'study.csv', 'trackers.json', 'tensorboard', 'report', 'checkpoints'}
SECONDS = ('seconds', 'steps_per_second')
SIZES = {
  'model.widths': '4,8',
  'train.steps': 300,
  'train.batch': 32,
  'train.negatives': 4,
  'train.checkpoint_every': 50,
  'train.log_every': 25,
  'train.steps_per_dispatch': 5,
  'eval.every': 100,
}
RUN = """
from medjax import config as config_lib

def get_config():
  return config_lib.from_flat({fields!r})
"""
STUDY = """
from medjax import config as config_lib
from medjax.experiments import study

def get_config():
  base = config_lib.from_flat({fields!r})
  arms = {{'low': [{{'train.learning_rate': 0.01}}], 'high': [{{'train.learning_rate': 0.02}}]}}
  return study.Study('soak', base, arms, seeds=(0, 1))
"""


class Scene(NamedTuple):
  """What is disturbed.

  Attributes:
    mode: its name.
    words: the command line's, without the place of what it writes.
    flag: the name of the flag for that place.
    reads: a folder that it reads, a copy of which may be damaged, or None where what it writes may be.
  """

  mode: str
  words: tuple[str, ...]
  flag: str
  reads: pathlib.Path | None


def graph(folder, entities=40):
  """Writes a small graph of rings; returns its folder."""
  folder.mkdir(parents=True)
  rows = [
    f'e{i:02}\t{name}\te{j % entities:02}\n'
    for i in range(entities)
    for name, j in (('next', i + 1), ('third', i + 3), ('mirror', 2 * entities - 1 - i))
  ]
  for split, part in (('valid', rows[4::9]), ('test', rows[8::9])):
    (folder / f'{split}.tsv').write_text(''.join(part))
  (folder / 'train.tsv').write_text(''.join(row for i, row in enumerate(rows) if i % 9 not in (4, 8)))
  return folder


def scenes(folder, modes):
  """Returns the `Scene` of each mode; the model that crops and exports read is trained first."""
  data = graph(folder / 'data')
  fields = {'data.path': str(data), **SIZES}
  config = folder / 'run.py'
  config.write_text(RUN.format(fields=fields))
  flags = (f'--config={config}',)
  study = folder / 'study.py'
  study.write_text(STUDY.format(fields=fields))
  model = folder / 'model'
  if set(modes) & set(OF_MODELS):
    whole = folder / 'whole'
    for words in (
      ('train', *flags, f'--workdir={whole}'),
      ('crop', f'--workdir={whole}', '--width=8', '--with_triples'),
    ):
      out = () if words[0] == 'train' else (f'--output={model}',)
      check_ended(attempt((*words, *out)))
  found = {
    'train': Scene('train', flags, '--workdir', None),
    'prepare': Scene('prepare', (f'--config.data.path={data}',), '--output', None),
    'study': Scene('study', (f'--config={study}',), '--workdir', None),
    'distill': Scene('distill', (*flags, '--widths=8,4', '--config.distill.method=bkd'), '--workdir', None),
    'compare': Scene('compare', (*flags, '--widths=8,4'), '--workdir', None),
    **{mode: Scene(mode, words, '--output', model) for mode, words in OF_MODELS.items()},
  }
  return [found[mode] for mode in modes]


class Ended(NamedTuple):
  """How an attempt ended: its exit code (negative: the signal), what it said of errors, and its seconds."""

  code: int
  said: str
  seconds: float


def attempt(words, kill_after=None, largest=None):
  """Runs the program on these words as a process; kills it after so many seconds, or lets no file grow."""
  limit = None if largest is None else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
  begun = time.perf_counter()
  process = subprocess.Popen(
    [sys.executable, 'launch.py', *words],
    cwd=ROOT,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.PIPE,
    text=True,
    preexec_fn=limit,
    start_new_session=True,
  )
  try:
    _, said = process.communicate(timeout=PATIENCE if kill_after is None else kill_after)
  except subprocess.TimeoutExpired:
    os.killpg(process.pid, signal.SIGKILL)
    _, said = process.communicate()
    if kill_after is None:
      raise ValueError(f'{" ".join(words)} did not end in {PATIENCE} s') from None
  return Ended(process.returncode, said, time.perf_counter() - begun)


def check_ended(ended):
  """Raises ValueError for an undisturbed run that did not end well."""
  if ended.code:
    raise ValueError(f'an undisturbed run ended with {ended.code}: {ended.said[-1000:]}')


def digest(folder):
  """Returns the sha256 of what a mode left, without what differs between any two runs.

  Of checkpoints the arrays of the model count, not how they are stored.
  """
  found = hashlib.sha256()
  for path in sorted(path for path in folder.rglob('*') if path.is_file()):
    parts = path.relative_to(folder).parts
    if not VOLATILE & {*parts} and path.suffix not in ('.png', '.tmp'):
      content = steps(path) if path.name == 'metrics.jsonl' else path.read_bytes()
      found.update('/'.join(parts).encode() + b'\0' + content)
  for run in sorted(path.parent for path in folder.rglob('checkpoints')):
    for table in medjax.load(run).params.values():
      for leaf in table.values():
        found.update(leaf.tobytes())
  return found.hexdigest()


def steps(path):
  """The lines of metrics without their seconds."""
  lines = map(json.loads, path.read_text().splitlines())
  return json.dumps([{name: value for name, value in line.items() if name not in SECONDS} for line in lines]).encode()


@contextlib.contextmanager
def small_disk(folder):
  """Yields whether a folder is a file system of its own, of `DISK` bytes, now."""
  folder.mkdir()
  command = ['mount', '-t', 'tmpfs', '-o', f'size={DISK}', 'tmpfs', str(folder)]
  try:
    mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
  except OSError:
    mounted = False
  try:
    yield mounted
  finally:
    if mounted:
      subprocess.run(['umount', '-l', str(folder)], check=True)


def fill(disk, left):
  """Fills a file system but for so many bytes; returns the file that does."""
  path = disk / 'filler'
  with contextlib.suppress(OSError), path.open('wb', buffering=0) as file:
    size = shutil.disk_usage(disk).free - left
    while size > 0:
      size -= file.write(bytes(min(size, 2**20)))
  return path


def flip(folder, draw):
  """Flips a bit of a file of a folder; returns (the file, its former content), or None where there is none."""
  files = sorted(path for path in folder.rglob('*') if path.is_file() and path.stat().st_size and path.name != '.lock')
  if not files:
    return None
  path = draw.choice(files)
  content = path.read_bytes()
  place, bit = draw.randrange(len(content)), 1 << draw.randrange(8)
  path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
  return path, content


class Soak:
  """One mode that is disturbed until so many kills have happened.

  Attributes:
    counts: how often what happened.
    odd: what attempts said that ended otherwise than well or with one line.
  """

  def __init__(self, scene, folder, disk, mounted, draw):
    self.scene, self.folder, self.disk, self.mounted, self.draw = scene, folder, disk, mounted, draw
    self.counts, self.odd = collections.Counter(), []
    output = folder / f'{scene.mode}-undisturbed'
    ended = attempt(self.words(output, scene.reads))
    check_ended(ended)
    self.expected = digest(output)
    shutil.rmtree(output)
    self.seconds = attempt(self.words(output, scene.reads)).seconds  # with programs that are compiled already

  def words(self, output, reads):
    """The words of an attempt."""
    read = () if reads is None else (f'--workdir={reads}',)
    return (self.scene.mode, *self.scene.words, *read, f'{self.scene.flag}={output}')

  def run(self, kills):
    """Disturbs it until `kills` processes were killed."""
    while self.counts['kills'] < kills:
      self.once(kills)

  def once(self, kills):
    """Runs it to its end through what happens."""
    place = self.disk / self.scene.mode
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    output, reads = place / 'output', None
    if self.scene.reads is not None:
      reads = place / 'model'
      shutil.copytree(self.scene.reads, reads)
    while True:
      event = self.draw.choice(EVENTS) if self.counts['kills'] < kills else ''
      damaged, filler = None, None
      if event == 'damage':
        damaged = flip(reads or output, self.draw) if (reads or output).exists() else None
        event = 'damage' if damaged else 'kill'
      largest = LARGEST if event == 'disk' and not self.mounted else None
      if event == 'disk' and self.mounted:
        filler = fill(self.disk, self.draw.randrange(2**18))
      after = self.seconds * self.draw.uniform(0.1, 0.95) if event == 'kill' else None
      ended = attempt(self.words(output, reads), after, largest)
      if filler is not None:
        filler.unlink()
      if self.over(event, ended, damaged, output):
        return

  def over(self, event, ended, damaged, output):
    """Counts how an attempt ended, and mends what was disturbed; whether it was the last one."""
    one_line = ended.code == 2 and 'Traceback' not in ended.said and ended.said.strip().count('\n') <= 2
    if event == 'kill' and ended.code == -signal.SIGKILL:
      self.counts['kills'] += 1
      if self.scene.flag != '--output' or not output.exists():
        return False
      self.counts['equal' if digest(output) == self.expected else 'different'] += 1  # it was whole before the kill
      return True
    if event == 'disk':
      self.counts['full disks'] += 1
    if event == 'damage':
      self.counts['damaged'] += 1
    if ended.code == 0:
      same = digest(output) == self.expected
      self.counts['equal' if same else 'silent' if event == 'damage' else 'different'] += 1
      if not same:
        self.odd.append(
          f'{self.scene.mode}: other bits after {event or "nothing"} {damaged[0].name if damaged else ""}'
        )
      return True
    if one_line and event in ('disk', 'damage'):
      self.counts[f'{event} told'] += 1
    else:
      self.counts['faults'] += 1
      self.odd.append(f'{self.scene.mode} after {event or "nothing"}: {ended.code} {ended.said.strip()[-400:]}')
      return not event  # what was told of nothing will not mend itself
    if damaged is not None:
      damaged[0].write_bytes(damaged[1])
    return False


def measure(arguments):
  draw = random.Random(arguments.seed)
  modes = arguments.modes.split(',')
  if unknown := [mode for mode in modes if mode not in MODES]:
    raise ValueError(f'--modes: there is no {unknown[0]!r}; modes are {", ".join(MODES)}')
  rows, odd = [], []
  with tempfile.TemporaryDirectory(prefix='medjax-soak-') as name, small_disk(pathlib.Path(name) / 'disk') as mounted:
    folder = pathlib.Path(name)
    for i, scene in enumerate(scenes(folder, modes)):
      soak = Soak(scene, folder, folder / 'disk', mounted, draw)
      soak.run(arguments.kills // len(modes) + (i < arguments.kills % len(modes)))
      counts, odd = soak.counts, odd + soak.odd
      rows.append({'mode': scene.mode} | {name: counts[name] for name in COLUMNS})
  total = {name: sum(row[name] for row in rows) for name in COLUMNS}
  disk = f'a file system of {DISK // 2**20} MiB that is filled' if mounted else f'no file beyond {LARGEST} bytes'
  text = [common.table([*rows, {'mode': 'all'} | total]), '', f'Full disks: {disk}.', *odd]
  return '\n'.join(text), {'seed': arguments.seed, 'modes': rows, **total}


COLUMNS = (
  'kills',
  'full disks',
  'disk told',
  'damaged',
  'damage told',
  'equal',
  'different',
  'silent',
  'faults',
)


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.soak',
    description=__doc__.split('\n')[0],
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--kills', type=common.positive, default=70, help='processes that are killed, over all modes')
  options.add_argument('--seed', type=int, default=0, help='of the moments, the bits, and what happens')
  options.add_argument('--modes', default=','.join(MODES), help='that are disturbed')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files')
  argv = sys.argv[1:] if argv is None else list(argv)
  return common.conclude('soak', argv, options.parse_args(argv), measure, 'soak')


if __name__ == '__main__':
  main()
