"""Kills, full disks and damaged files in the middle of every mode, and whether what comes of it is the same to a bit.

  python -m benchmarks.soak --kills=200 --workdir=soak
  python -m benchmarks.soak --kills=20 --modes=crop,export --seed=1

Every mode first runs undisturbed, twice. Then come episodes: it runs again and again as a process that is killed at a
random moment, meets a full disk, or finds a flipped bit in one of the files that it has to read, until it ends by
itself; what it leaves has to be what the undisturbed ones left. An attempt that ends with one line about the damage or
the disk has told it, and gets the file or the room back; so has a file that an attempt did not read, where loading it
afterwards tells. One that ends well with other bits has been damaged silently.

What happens in an episode hangs on the seed, the mode and the number of the episode alone. The next one is of the mode
whose kills have taken the least time, so that quick ones are killed more often. What it counted is a line of soak.jsonl
in --workdir, once it is over: the same command goes on from there, and one with fewer --kills prints what there is.

Processes are forked from one that has imported the program (`forked`), and find their programs compiled, so that kills
meet what a mode does and not its imports. Full disks are real ones where a file system of a few MiB can be mounted in
memory (as root); elsewhere no file may grow beyond a few KiB.
"""

import argparse
import collections
import json
import pathlib
import random
import shutil
import signal
import sys
import tempfile
from typing import NamedTuple

from benchmarks import forked, running, timing
from benchmarks.disturbances import digest, DISK, fill, flip, small_disk
from medjax import errors

MODES = ('train', 'prepare', 'study', 'distill', 'compare', 'crop', 'export')
OF_MODELS = {'crop': ('--width=4',), 'export': ('--format=safetensors',)}
EVENTS = ('kill', 'kill', 'kill', 'disk', 'damage')  # what an attempt meets, one of them by chance
LEFT = (
  2**14,
  2**18,
  2**22,
)  # bytes that a full disk has left at most: for nothing, for little, for a checkpoint or two
LARGEST = 4096  # bytes of a file where none can be mounted
MOST = 9  # disturbances of an episode
NOTES = 'soak.jsonl'
CACHE = {'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0'}  # every program is compiled once
SIZES = {
  'model.widths': '4,8',
  'train.steps': 120,
  'train.batch': 32,
  'train.negatives': 4,
  'train.checkpoint_every': 30,
  'train.log_every': 15,
  'train.steps_per_dispatch': 5,
  'eval.every': 60,
}
SHORT = ('--config.train.steps=40', '--config.train.checkpoint_every=20', '--config.eval.every=20')  # for six trainings
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
  return study.Study('soak', base, {{'rate': [{{'train.learning_rate': rate}} for rate in (0.01, 0.02)]}}, seeds=(0,))
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


def scenes(folder, modes, program):
  """Returns {mode: its `Scene`} in a new folder; the model that crops and exports read is trained first."""
  shutil.rmtree(folder, ignore_errors=True)
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
      check_ended(program.run((*words, *out)))
  found = {
    'train': Scene('train', flags, '--workdir', None),
    'prepare': Scene('prepare', (f'--config.data.path={data}',), '--output', None),
    'study': Scene('study', (f'--config={study}',), '--workdir', None),
    'distill': Scene('distill', (*flags, '--widths=8,4', '--config.distill.method=bkd'), '--workdir', None),
    'compare': Scene('compare', (*flags, *SHORT, '--widths=8,4'), '--workdir', None),
    **{mode: Scene(mode, words, '--output', model) for mode, words in OF_MODELS.items()},
  }
  return {mode: found[mode] for mode in modes}


def check_ended(ended):
  """Raises ValueError for an undisturbed run that did not end well."""
  if ended.code:
    raise ValueError(f'an undisturbed run ended with {ended.code}: {ended.said[-1000:]}')


class Undisturbed(NamedTuple):
  """What a mode leaves, as a `digest`, and the seconds of processor that it takes with compiled programs."""

  digest: str
  seconds: float


class Episode(NamedTuple):
  """What happened until a mode ended by itself: how often what, and what attempts said that ended otherwise."""

  mode: str
  number: int
  counts: dict[str, int]
  odd: list[str]


class Soak:
  """Modes that are disturbed.

  Args:
    program: a `forked.Program`.
    folder: where they write; that of a file system of its own if `mounted`.
    seed: of all that happens.
  """

  def __init__(self, program, folder, mounted, seed):
    self.program, self.folder, self.mounted, self.seed = program, folder, mounted, seed

  def words(self, scene, output, reads):
    """The words of an attempt."""
    read = () if reads is None else (f'--workdir={reads}',)
    return (scene.mode, *scene.words, *read, f'{scene.flag}={output}')

  def undisturbed(self, scene):
    """Runs a mode twice; returns what it leaves."""
    found = []
    for number in range(2):
      output = self.folder / f'{scene.mode}-{number}'
      ended = self.program.run(self.words(scene, output, scene.reads))
      check_ended(ended)
      found.append(Undisturbed(digest(output), ended.seconds))
      shutil.rmtree(output)
    if found[0].digest != found[1].digest:
      raise ValueError(f'{scene.mode} leaves other bits in a second undisturbed run')
    return found[1]

  def episode(self, scene, expected, number, kills=MOST):
    """Runs a mode through what happens to its end, with so many kills at most; returns the `Episode`."""
    draw, found = random.Random(f'{self.seed}-{scene.mode}-{number}'), Episode(scene.mode, number, {}, [])
    place = self.folder / scene.mode
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    output, reads = place / 'output', None
    if scene.reads is not None:
      reads = shutil.copytree(scene.reads, place / 'model')
    events = [draw.choice(EVENTS) for _ in range(draw.randint(2, MOST))]
    for event in [*events, '']:
      if event == 'kill' and found.counts.get('kills', 0) == kills:
        continue
      if self.over(scene, expected, found, event, draw, output, reads):
        break
    shutil.rmtree(place)
    return found

  def over(self, scene, expected, found, event, draw, output, reads):
    """Makes one attempt, counts how it ended and mends what was disturbed; whether it was the last one."""
    damaged, filler = None, None
    if event == 'damage':
      damaged = flip(reads or output, draw) if (reads or output).exists() else None
      event = 'damage' if damaged else 'kill'
    largest = LARGEST if event == 'disk' and not self.mounted else None
    if event == 'disk' and self.mounted:
      filler = fill(self.folder, draw.randrange(draw.choice(LEFT)))
    after = expected.seconds * draw.uniform(0.02, 0.95) if event == 'kill' else None
    ended = self.program.run(self.words(scene, output, reads), after, largest)
    if filler is not None:
      filler.unlink()
    count = lambda name: found.counts.update({name: found.counts.get(name, 0) + 1})
    if event == 'kill' and ended.code == -signal.SIGKILL:
      count('kills')
      if scene.flag != '--output' or not output.exists():
        return False
      count('equal' if digest(output) == expected.digest else 'different')  # it was whole before the kill
      return True
    if event in ('disk', 'damage'):
      count({'disk': 'full disks', 'damage': 'damaged'}[event])
    what = f'{scene.mode}, episode {found.number}, after {event or "nothing"}'
    if damaged:
      what += f' in {damaged[0].relative_to(reads or output)}'
    if ended.code == 0 and 'Traceback' not in ended.said:
      aside = event == 'damage' and ' is damaged (' in ended.said  # a checkpoint, put aside with a warning
      try:
        remains = digest(output)
      except errors.MedjaxError:
        if event != 'damage':
          raise
        aside = True  # what the attempt had no need to read tells whoever loads it
        damaged[0].write_bytes(damaged[1])
        remains = digest(output)
      same = remains == expected.digest
      if aside:
        count('damage told')
      count('equal' if same else 'silent' if event == 'damage' and not aside else 'different')
      if not same:
        found.odd.append(f'{what}: other bits')
      return True
    told = [line for line in ended.said.splitlines() if line.startswith('error: ')]
    if ended.code == 2 and len(told) == 1 and 'Traceback' not in ended.said and event in ('disk', 'damage'):
      count(f'{event} told')
    else:
      count('faults')
      found.odd.append(f'{what}: {ended.code} {ended.said.strip()[-1500:]}')
      if not event:
        return True  # what was told of nothing will not mend itself
    if damaged is not None and damaged[0].parent.exists():
      damaged[0].write_bytes(damaged[1])
    return False


class Notes:
  """The lines of soak.jsonl: what was begun, and its episodes so far."""

  def __init__(self, path, begun):
    """Reads them; raises ValueError where something else was begun there."""
    self.path, self.begun = path, begun
    lines = path.read_text(encoding='utf-8').splitlines() if path.exists() else []
    try:
      lines = [json.loads(line) for line in lines]
    except ValueError:
      lines = [json.loads(line) for line in lines[:-1]]  # a kill cut the last one short
    if lines and lines[0]['begun'] != begun:
      raise ValueError(f'{path} is of {lines[0]["begun"]}, not of {begun}; name another --workdir')
    self.undisturbed = {mode: Undisturbed(*of) for mode, of in lines[0]['undisturbed'].items()} if lines else {}
    self.episodes = [Episode(**line) for line in lines[1:]]

  def save(self):
    """Writes them; what was written by halves is gone."""
    lines = [{'begun': self.begun, 'undisturbed': self.undisturbed}, *(each._asdict() for each in self.episodes)]
    partial = self.path.with_suffix('.tmp')
    partial.write_text(''.join(json.dumps(line) + '\n' for line in lines), encoding='utf-8')
    partial.replace(self.path)

  def add(self, episode):
    """Notes an episode that is over."""
    self.episodes.append(episode)
    with self.path.open('a', encoding='utf-8') as file:
      file.write(json.dumps(episode._asdict()) + '\n')

  def next(self, mode):
    """The number of a mode's first episode that is not over."""
    over = {episode.number for episode in self.episodes if episode.mode == mode}
    return min({*range(len(over) + 1)} - over)

  def counts(self, mode):
    """How often what happened to a mode."""
    found = collections.Counter()
    for episode in self.episodes:
      if episode.mode == mode:
        found.update(episode.counts | {'episodes': 1})
    return found


def soak(folder, modes, kills, seed):
  """Disturbs modes until so many kills have happened in all episodes in a folder; returns (`Notes`, mounted)."""
  folder.mkdir(parents=True, exist_ok=True)
  with small_disk(folder / 'disk') as mounted:
    notes = Notes(folder / NOTES, {'seed': seed, 'modes': modes, 'mounted': mounted})
    counts = {mode: notes.counts(mode) for mode in modes}
    left = lambda: kills - sum(of['kills'] for of in counts.values())
    if left() > 0:
      with forked.Program(CACHE | {'XDG_CACHE_HOME': str(folder.resolve() / 'cache')}) as program:
        disturbed = Soak(program, folder.resolve() / 'disk', mounted, seed)
        there = scenes(folder.resolve() / 'scenes', modes, program)
        for mode in modes:
          if mode not in notes.undisturbed:
            notes.undisturbed[mode] = disturbed.undisturbed(there[mode])
          notes.save()
        while left() > 0:
          mode = min(modes, key=lambda mode: counts[mode]['kills'] * notes.undisturbed[mode].seconds)
          notes.add(disturbed.episode(there[mode], notes.undisturbed[mode], notes.next(mode), left()))
          counts[mode] = notes.counts(mode)
  return notes, mounted


def measure(arguments):
  modes = arguments.modes.split(',')
  if unknown := [mode for mode in modes if mode not in MODES]:
    raise ValueError(f'--modes: there is no {unknown[0]!r}; modes are {", ".join(MODES)}')
  with tempfile.TemporaryDirectory(prefix='medjax-soak-') as name:
    notes, mounted = soak(pathlib.Path(arguments.workdir or name), modes, arguments.kills, arguments.seed)
  rows = []
  for mode in modes:
    counts = notes.counts(mode)
    rows.append({'mode': mode} | {name: counts[name] for name in COLUMNS})
  total = {name: sum(row[name] for row in rows) for name in COLUMNS}
  disk = f'a file system of {DISK // 2**20} MiB that is filled' if mounted else f'no file beyond {LARGEST} bytes'
  odd = [line for episode in notes.episodes for line in episode.odd]
  text = [timing.table([*rows, {'mode': 'all'} | total]), '', f'Full disks: {disk}.', *odd]
  return '\n'.join(text), {'seed': arguments.seed, 'modes': rows, **total, 'odd': odd}


COLUMNS = (
  'episodes',
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
  options.add_argument('--kills', type=running.positive, default=70, help='processes that are killed, over all modes')
  options.add_argument('--seed', type=int, default=0, help='of the moments, the bits, and what happens')
  options.add_argument('--modes', default=','.join(MODES), help='that are disturbed')
  options.add_argument('--workdir', default='', help='folder that keeps what was counted, to go on from')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files')
  argv = sys.argv[1:] if argv is None else list(argv)
  return running.conclude('soak', argv, options.parse_args(argv), measure, 'soak')


if __name__ == '__main__':
  main()
