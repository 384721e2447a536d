"""What a stranger's files do: thousands of spoiled inputs and artifacts, each read and then asked a question.

  python -m benchmarks.hostile --inputs=10000 --artifacts=2000 --output=docs/benchmarks
  python -m benchmarks.hostile --again='crop 17'

Files of every kind that is read are spoiled (`spoiled`): bytes, lines, JSON, archives, headers and declared sizes, what
is nested, links, pipes, devices, names that lead elsewhere, files of others. Artifacts have no manifest then, or one of
their spoiled files, so that no hash finds what was done. A reader has to refuse what it reads by an error of medjax, or
to give something that answers a question. Anything else is told with the words that make it again: another error, no
end within a minute, the end of the process, more than 5 seconds of a processor, or memory beyond 96 MiB and 1.5 times
the bytes of the files.

Readers run in processes of their own, which are told that the machine has 2 GB (`MEDJAX_MEMORY`). What came of a file
is a line of hostile.jsonl in --workdir, so that the same command goes on from there.
"""

import argparse
import collections
import json
import os
import pathlib
import shutil
import sys
import tempfile

import numpy as np

from benchmarks import running, samples, sealed, timing, trainings, workers
from benchmarks.readers import BY_NAME, SAMPLES, SUBJECTS
from benchmarks.workers import FACTOR, FLOOR, MEMORY, Read, SLOW, Worker
from medjax import errors
from medjax.core import runtime

SHARES = {'text': 5, 'folder': 3, 'RDF': 4, 'arrays': 2, 'prepared': 0.3, 'BERT': 0.5, 'classifier': 0.5}  # others: 1


def plan(inputs, artifacts):
  """Returns [(subject, number)] of so many inputs and artifacts, mixed so that the first are of all subjects."""
  found = []
  for artifact, count in ((False, inputs), (True, artifacts)):
    shares = {each.name: SHARES.get(each.name, 1) for each in SUBJECTS if each.artifact == artifact}
    ends = np.round(np.cumsum([0, *shares.values()]) / sum(shares.values()) * count).astype(int)
    found += [((i + 0.5) / size, name, i) for name, size in zip(shares, np.diff(ends)) for i in range(size)]
  return [(name, i) for _, name, i in sorted(found)]


def samples_in(folder):
  """Returns the folder of the samples in a folder; they are written if they are not there."""
  place, whole = (folder / 'samples').resolve(), folder / 'whole'
  if not whole.exists() or whole.read_text() != str(place):  # some name the folder of another
    shutil.rmtree(place, ignore_errors=True)
    samples.write_all(place)
    whole.write_text(str(place))
  return place


def again(folder, words, seed):
  """Spoils and reads one file in this process, where its error is raised; leaves it in the folder `again`."""
  name, _, number = words.rpartition(' ')
  os.environ[SAMPLES], os.environ['MEDJAX_MEMORY'] = str(samples_in(folder)), MEMORY
  shutil.rmtree(folder / 'again', ignore_errors=True)
  (folder / 'again').mkdir()
  path = sealed.spoil(BY_NAME[name], int(number), seed, samples_in(folder), folder / 'again')
  try:
    return f'loaded: {BY_NAME[name].read(path)}'[:500], {}
  except errors.MedjaxError as error:
    return f'refused: {error}', {}


def read_all(folder, inputs, artifacts, seed):
  """Reads what is planned and was not read yet; returns {(subject, number): `Read`} of all that is planned."""
  path = folder / 'hostile.jsonl'
  text = path.read_text(encoding='utf-8') if path.exists() else ''
  known = {}
  for line in text[: text.rfind('\n') + 1].splitlines():
    seeded, *rest = json.loads(line)
    if seeded == seed:
      known[rest[0], rest[1]] = Read(*rest)
  planned = plan(inputs, artifacts)
  worker = Worker(samples_in(folder), seed)
  with path.open('w', encoding='utf-8') as file:
    file.writelines(json.dumps([seed, *each]) + '\n' for each in known.values())
    for subject, number in planned:
      if (subject, number) not in known:
        known[subject, number] = worker.read(subject, number)
        print(json.dumps([seed, *known[subject, number]]), file=file, flush=True)
  worker.close()
  return {key: known[key] for key in planned}


def row(name, reads):
  """The row of a table: how often what came, and the most that it took."""
  counts = collections.Counter(each.came for each in reads)
  return {
    'read': name,
    'files': len(reads),
    **{came: counts[came] for came in ('refused', 'loaded', 'error', 'late', 'ended')},
    'slow': sum(each.slow for each in reads),
    'above': sum(each.above for each in reads),
    'slowest s': f'{max(each.seconds for each in reads):.1f}',
    'most MiB': f'{max(each.growth for each in reads) / trainings.MIB:.0f}',
  }


def measure(arguments):
  with tempfile.TemporaryDirectory(prefix='medjax-hostile-') as name:
    place = pathlib.Path(arguments.workdir or name)
    place.mkdir(parents=True, exist_ok=True)
    if arguments.again:
      return again(place, arguments.again, arguments.seed)
    known = read_all(place, arguments.inputs, arguments.artifacts, arguments.seed)
  rows = []
  for artifact in (False, True):
    names = [each.name for each in SUBJECTS if each.artifact == artifact]
    of = {name: [each for each in known.values() if each.subject == name] for name in names}
    rows += [row(name, reads) for name, reads in of.items() if reads]
    if every := [each for reads in of.values() for each in reads]:
      rows.append(row('all artifacts' if artifact else 'all inputs', every))
  odd = [f'{each.subject} {each.number}: {each.came} {each.said}'.strip() for each in known.values() if each.odd]
  text = [
    timing.table(rows),
    '',
    f'slow: more than {SLOW} s of a processor. '
    f'above: more than {FLOOR // trainings.MIB} MiB and {FACTOR} bytes for each of the files.',
  ]
  return '\n'.join([*text, *odd]), {'seed': arguments.seed, 'rows': rows, 'odd': odd}


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.hostile',
    description=__doc__.split('\n')[0],
    allow_abbrev=False,
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--inputs', type=int, default=10_000, help='spoiled files of data')
  options.add_argument('--artifacts', type=int, default=2_000, help='spoiled folders that medjax wrote')
  options.add_argument('--seed', type=int, default=0, help='of what is spoiled')
  options.add_argument('--workdir', default='', help='folder that keeps what came of each, to go on from')
  options.add_argument('--again', default='', help="the words of one file, such as 'crop 17': its error is raised")
  options.add_argument('--worker', default='', help='read for another process, from these samples')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files; hostile if not given')
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = options.parse_args(argv)
  runtime.cache_compilations()
  if arguments.worker:
    return workers.work(pathlib.Path(arguments.worker), arguments.seed)
  return running.conclude('hostile', argv, arguments, measure, 'hostile')


if __name__ == '__main__':
  main()
