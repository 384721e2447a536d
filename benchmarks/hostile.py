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
from collections.abc import Callable
import contextlib
import functools
import gc
import hashlib
import json
import os
import pathlib
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from typing import NamedTuple

import numpy as np

from benchmarks import common, memory, samples, spoiled
import medjax
from medjax import config as config_lib
from medjax import errors
from medjax.core import runtime
from medjax.data import arrays, datasets, download, labels, store
from medjax.experiments import asked, runs
from medjax.report import choice, collect, cost, metrics, summary
from medjax.saved import checkpoint, manifest, sealing, verification, workdir
from medjax.serve import queries
from medjax.serve.interop import imports

ROOT = pathlib.Path(__file__).parents[1]
FLOOR = 96 * common.MIB  # bytes of memory that reading anything may take: 1.5 times what any packed file may become
FACTOR = 1.5  # bytes of memory for a byte of the files, above that
SLOW = 5  # seconds of a processor that reading a file may take
SECONDS = 60  # of the clock, within which a reader has to end however busy the machine is
PATIENCE = 90  # after which its process is ended, where the alarm was not heard
MOST = 16 * 2**30  # bytes of addresses of a process
MEMORY = '2e9'
SAMPLES = 'MEDJAX_HOSTILE_SAMPLES'  # the variable by which a process knows where they are
OTHERS = ('.json', '.npz', '.safetensors', '.tsv')  # files that take the place of others
# what an allocator keeps for later would hide what the next reader takes
RETURNED = {'GLIBC_TUNABLES': '', 'MALLOC_MMAP_THRESHOLD_': str(2**18)}
TURN = 2000  # files that a process reads before another one begins
SHARES = {'text': 5, 'folder': 3, 'RDF': 4, 'arrays': 2, 'prepared': 0.3, 'BERT': 0.5, 'classifier': 0.5}  # others: 1


class Subject(NamedTuple):
  """Something that is read.

  Attributes:
    name: of it.
    read: a file or folder to nothing; reads it and asks a question.
    alone: whether one file of the sample is read, not all of them as a folder.
    artifact: whether medjax made it, so that it has a manifest.
  """

  name: str
  read: Callable[[pathlib.Path], object]
  alone: bool = False
  artifact: bool = False


class Read(NamedTuple):
  """What came of a file.

  Attributes:
    subject, number: what makes it again.
    came: 'refused', 'loaded', 'error', 'late' or 'ended' (the process did).
    said: the error.
    seconds: of processor.
    growth: bytes by which the peak of memory rose.
    size: bytes that the files say to have.
  """

  subject: str
  number: int
  came: str
  said: str = ''
  seconds: float = 0.0
  growth: int = 0
  size: int = 0

  @property
  def above(self):
    """Whether it took more memory than it may."""
    return self.growth > FLOOR + FACTOR * self.size

  @property
  def slow(self):
    """Whether it took more of a processor than it may."""
    return self.seconds > SLOW

  @property
  def odd(self):
    """Whether something came of it that should not."""
    return self.came not in ('refused', 'loaded') or self.above or self.slow


class Late(BaseException):
  """No end within `SECONDS`; no reader takes it for an error of a file."""


@functools.cache
def small_model():
  """The model that is asked, of this process's samples."""
  return medjax.load(pathlib.Path(os.environ[SAMPLES]) / 'crop')


def ask(model):
  """Asks a model for one answer, one score and one vector."""
  head, relation = (words.identifiers[0] for words in (model.entities, model.relations))
  model.predict_tails(head, relation, k=3)
  model.score(head, relation, head)
  model.entity_vectors([head])
  return model


def read_graph(path):
  """Reads triples of any form as a training does, and looks at all of it."""
  graph = datasets.load(config_lib.DataConfig(path=str(path)))
  return [len(part) for part in (graph.entities, graph.relations, *graph.splits)], graph.entities[0], graph.notes


def read_prepared(path):
  """Prepares triples, and opens what came of it."""
  with tempfile.TemporaryDirectory() as place:
    graph = datasets.prepare(config_lib.DataConfig(path=str(path)), pathlib.Path(place) / 'store')
    return len(graph.train), graph.entities[:1]


def read_arrays(path):
  """Reads arrays of numpy and torch."""
  return arrays.read_tensors(path) if path.suffix == '.pkl' else arrays.read(path)


def read_archive(path):
  """Unpacks two files of an archive."""
  with tempfile.TemporaryDirectory() as place:
    unpack = download.unpack_zip if path.suffix == '.zip' else download.unpack
    unpack(path, ['train.txt', 'valid.txt'], pathlib.Path(place))
    inner = {found.name for found in pathlib.Path(place).rglob('*')}
    if inner - {'train.txt', 'valid.txt'}:
      raise AssertionError(f'it unpacked {inner}')


def read_foreign(format):
  """Returns what imports a model of another library and asks it."""

  def read(path):
    graph = samples.foreign_graph() if format == 'pykeen' else samples.small_graph()
    with tempfile.TemporaryDirectory() as place:
      imports.import_model(path, format, graph, pathlib.Path(place) / 'out', 'complex' if format == 'kbc' else '')
      ask(medjax.load(pathlib.Path(place) / 'out'))

  return read


def read_queries(path):
  """Reads questions and has a model answer them."""
  frame = queries.read(path)
  small_model().predict(frame, k=2)


def read_asked(path):
  """Reads triples that are to be ranked by a model."""
  return asked.read_triples(small_model(), path)


def read_sentences(task):
  """Returns what reads labelled sentences: the files of a task of GLUE, or ('') a table of one's own."""

  def read(path):
    from medjax.bert import glue

    source = glue.find(config_lib.updated(config_lib.TextConfig(), {'data.task': task, 'data.path': str(path)}).data)
    return [len(source.read(split).sentences) for split in ('train', 'dev')]

  return read


def read_bert(path):
  """Loads a BERT and asks it for the vector of a sentence."""
  from medjax.bert import model

  return model.load(path).encode(['the river is wide'])


def read_classifier(path):
  """Loads a classifier and asks it about a sentence."""
  from medjax.bert import classifier

  return classifier.load(path).predict(['the river is wide'])


def read_shop(path):
  """Reads a shop from atomic files."""
  from medjax.applications import recbole

  return recbole.read(path, 'shop').notes


def read_movielens(path):
  """Reads MovieLens from atomic files."""
  from medjax.applications import movielens

  return movielens.read('shop', path).notes


def read_wikikg2(path):
  """Prepares ogbl-wikikg2 from its published files."""
  from medjax.data import wikikg2

  with tempfile.TemporaryDirectory() as place:
    wikikg2.prepare(path, pathlib.Path(place) / 'store', ())
    graph = store.open_graph(pathlib.Path(place) / 'store')
    return len(graph.train), graph.entities[0]


def read_model(path):
  """Loads a model and asks it."""
  return ask(medjax.load(path))


def read_run(path):
  """Reads all that commands read of a run, and what a training that goes on looks at."""
  model = read_model(path)
  ask(medjax.load(path, width=model.widths.values[0]))
  workdir.read_source(path)
  collect.collect(path)
  choice.read(path)
  choice.read_speed(path)
  cost.read(path)
  config = workdir.read_config(path)
  if config is not None:
    runs.made_ready(path)
    checkpoints = checkpoint.Checkpoints(path / 'checkpoints', read_only=True, beside=path / metrics.FILE)
    latest = checkpoints.latest
    recorded = None if latest is None else checkpoints.grown(latest)
    checkpoints.close()
    metrics.Writer(path, latest or 0, recorded=recorded).close()


def read_store(path):
  """Opens a prepared graph, checks it, and reads all of it."""
  graph = store.open_graph(path)
  store.check(graph)
  names = [list(words) for words in (graph.entities, graph.relations, graph.entity_labels)]
  return names, np.asarray(graph.train).sum()


def read_study(path):
  """Collects the runs of a study and writes a report of them."""
  found = collect.collect(path)
  collect.unevaluated(path)
  with tempfile.TemporaryDirectory() as place:
    summary.write(collect.grouped(found), place)


def read_verified(path):
  """Looks at all files of an export by their manifest; what other programs read of it is not loaded here."""
  found = verification.verify(path)
  str(found)
  if damaged := found.damaged:
    raise errors.ArtifactError(damaged[0])


SUBJECTS = (
  Subject('text', read_graph, alone=True),
  Subject('RDF', read_graph, alone=True),
  Subject('Parquet', read_graph, alone=True),
  Subject('folder', read_graph),
  Subject('OpenKE', read_graph),
  Subject('labels', labels.read_file, alone=True),
  Subject('prepared', read_prepared, alone=True),
  Subject('arrays', read_arrays, alone=True),
  Subject('archives', read_archive, alone=True),
  Subject('PyKEEN', read_foreign('pykeen')),
  Subject('DGL-KE', read_foreign('dglke')),
  Subject('RotatE', read_foreign('rotate')),
  Subject('kbc', read_foreign('kbc')),
  Subject('wikikg2', read_wikikg2),
  Subject('queries', read_queries, alone=True),
  Subject('asked triples', read_asked, alone=True),
  Subject('SST-2', read_sentences('sst2')),
  Subject('RTE', read_sentences('rte')),
  Subject('own sentences', read_sentences('')),
  Subject('BERT', read_bert),
  Subject('classifier', read_classifier),
  Subject('shop', read_shop),
  Subject('MovieLens', read_movielens),
  Subject('crop', read_model, artifact=True),
  Subject('export, safetensors', read_model, artifact=True),
  Subject('export, hub', read_model, artifact=True),
  Subject('export, pykeen', read_verified, artifact=True),
  Subject('run', read_run, artifact=True),
  Subject('run, checkpoints', read_run, artifact=True),
  Subject('prepared graph', read_store, artifact=True),
  Subject('model of a prepared graph', read_model, artifact=True),
  Subject('study', read_study, artifact=True),
)
BY_NAME = {subject.name: subject for subject in SUBJECTS}


# What reading spoiled JSON as it should be can raise.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


def seal(folder, draw, chosen):
  """Takes the manifests of an artifact away, or writes them over what is there, as far as that goes."""
  paths = [path for path in folder.rglob('*') if path.name in (manifest.FILE, store.MANIFEST)]
  small = all(path.stat().st_size < 2**24 for path in folder.rglob('*') if path.is_file())
  again = draw.random() < 0.5 and small
  for path in paths:
    if path in chosen and again:
      continue  # a spoiled manifest
    with contextlib.suppress(*UNREADABLE, errors.MedjaxError):
      if path.name == store.MANIFEST:  # without which it is no prepared graph
        reseal(path)
      elif again:
        sealing.write(path.parent, below='checkpoints' in path.parts)
      else:
        path.unlink()


def reseal(path):
  """Writes store.json with the sizes and hashes of the files that are there."""
  found = json.loads(path.read_bytes())
  for name, file in found['files'].items():
    if not (path.parent / name).is_file():
      raise ValueError(f'{name} is no file')  # a pipe would be waited for
    file['bytes'] = (path.parent / name).stat().st_size
    if file['bytes'] <= min(spoiled.SPARSE):  # a terabyte would be hashed for an hour: the reader has to see it first
      with (path.parent / name).open('rb') as content:  # which may be of a size that no memory holds
        file['sha256'] = hashlib.file_digest(content, 'sha256').hexdigest()
  found['hash'] = store.digest(found)
  found['whole'] = store.whole_digest(found)
  path.write_text(json.dumps(found))


@functools.cache
def files_of(source):
  """The files of all samples, but for those in folders of folders."""
  return sorted(file for file in source.glob('*/*') if file.is_file())


def spoil(subject, number, seed, source, place):
  """Copies a sample to a new place and spoils it, by the seed and number alone; returns what is to be read."""
  draw = random.Random(f'{seed}-{subject.name}-{number}')
  whole = source / subject.name
  if subject.alone:
    path = draw.choice(sorted(whole.iterdir()))
    others = [draw.choice(files_of(source)).read_bytes()]
    (place / path.name).write_bytes(spoiled.content(path.read_bytes(), path.suffix, draw, others))
    return place / path.name
  shutil.copytree(whole, place / 'it')
  others = [file for file in files_of(source) if file.suffix in OTHERS]
  inner = place / 'it' / 'checkpoints' if subject.name == 'run, checkpoints' else place / 'it'
  chosen = spoiled.folder(inner, draw, others)
  if subject.artifact:
    seal(place / 'it', draw, chosen)
  return place / 'it'


def once(subject, number, seed, source):
  """Spoils and reads one file or folder; returns the `Read`."""
  with tempfile.TemporaryDirectory() as name:
    path = spoil(subject, number, seed, source, pathlib.Path(name))
    size = spoiled.size(path)
    memory.trim()
    before = memory.status('VmRSS')
    memory.reset_peak()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    begun, came, said = time.process_time(), 'loaded', ''
    try:
      with open(os.devnull, 'w') as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        subject.read(path)
    except errors.MedjaxError:
      came = 'refused'
    except Late:
      came = 'late'
    except BaseException as error:
      where = traceback.extract_tb(error.__traceback__)[-1]
      came, said = (
        'error',
        f'{type(error).__name__}: {str(error)[:150]} ({pathlib.Path(where.filename).name}:{where.lineno})',
      )
    finally:
      signal.setitimer(signal.ITIMER_REAL, 0)
    seconds = time.process_time() - begun
    return Read(subject.name, number, came, said, seconds, max(memory.status('VmHWM') - before, 0), size)


def late(number, frame):
  """Ends what an alarm finds running."""
  raise Late


def work(source, seed):
  """Reads lines of a subject and a number, and tells what came of each; every subject is first read whole."""
  os.environ[SAMPLES] = str(source)
  resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))
  signal.signal(signal.SIGALRM, late)
  answers = os.fdopen(os.dup(1), 'w')
  os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
  known = set()
  for line in sys.stdin:
    name, number = json.loads(line)
    subject = BY_NAME[name]
    if name not in known:
      known.add(name)
      check_whole(subject, source)
      gc.freeze()  # what is loaded by now is no garbage, and looking at it takes longer than most files
    print(json.dumps(once(subject, number, seed, source)), file=answers, flush=True)


def check_whole(subject, source):
  """Reads a whole sample, so that modules are loaded and programs compiled before anything is measured."""
  with tempfile.TemporaryDirectory() as name:
    copy = shutil.copytree(source / subject.name, pathlib.Path(name) / 'it')
    for path in sorted(copy.iterdir()) if subject.alone else [copy]:
      with open(os.devnull, 'w') as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        try:
          subject.read(path)
        except errors.MedjaxError as error:
          if not path.name.startswith(('up.', 'link.')):  # archives that are to be refused
            raise ValueError(f'{subject.name}: a whole {path.name} is refused: {error}') from error


class Worker:
  """A process that reads for this one."""

  def __init__(self, source, seed):
    self.source, self.seed, self.process, self.turns = source, seed, None, 0

  def read(self, subject, number):
    """Has a file read; returns the `Read`."""
    if self.turns == 0:
      self.close()
      self.process = subprocess.Popen(
        [sys.executable, '-m', 'benchmarks.hostile', f'--worker={self.source}', f'--seed={self.seed}'],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | RETURNED | {'MEDJAX_MEMORY': MEMORY},
      )
      self.turns = TURN
    self.turns -= 1
    self.process.stdin.write(json.dumps([subject, number]).encode() + b'\n')
    self.process.stdin.flush()
    if select.select([self.process.stdout], [], [], PATIENCE)[0] and (line := self.process.stdout.readline()):
      return Read(*json.loads(line))
    self.turns = 0
    try:
      code = self.process.wait(5)
    except subprocess.TimeoutExpired:
      self.process.kill()
      return Read(subject, number, 'ended', f'no end in {PATIENCE} s')
    if code == 1:  # Python's own end: no file is to blame
      raise ChildProcessError(f'{subject} {number}: the process that reads failed of itself, as told above')
    return Read(subject, number, 'ended', f'the exit code of the process is {code}')

  def close(self):
    """Ends the process."""
    if self.process is not None:
      self.process.stdin.close()
      self.process.wait()


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
  path = spoil(BY_NAME[name], int(number), seed, samples_in(folder), folder / 'again')
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
    'most MiB': f'{max(each.growth for each in reads) / common.MIB:.0f}',
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
    common.table(rows),
    '',
    f'slow: more than {SLOW} s of a processor. '
    f'above: more than {FLOOR // common.MIB} MiB and {FACTOR} bytes for each of the files.',
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
    return work(pathlib.Path(arguments.worker), arguments.seed)
  return common.conclude('hostile', argv, arguments, measure, 'hostile')


if __name__ == '__main__':
  main()
