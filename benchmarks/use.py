"""What asking a model costs, beside what it cannot cost less than: NumPy alone, BLAS, a plain read of the files.

  python -m benchmarks.use --output=docs/benchmarks

Tables are random. Rows: `command`, CPU seconds of a question on the command line, and of a Python that imports NumPy;
`question`, seconds of `predict_tails`, and of the same scores and top 10 in NumPy; `bulk`, seconds of many questions
at once, and of the scores alone; `load`, seconds of loading a crop, and of reading its tables and labels; `bytes`,
those of the crop's files, and of its tables and labels.
"""

import dataclasses
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

import numpy as np
from safetensors import numpy as safetensors_numpy

from benchmarks import running, timing, trainings
from medjax import scores
from medjax.core.widths import Widths
from medjax.data.graph import Graph
from medjax.saved import artifact
from medjax.serve import loading, vectors
from medjax.serve import model as model_lib

ROOT = pathlib.Path(__file__).parents[1]
ROWS = ('command', 'question', 'bulk', 'load', 'bytes')
OURS, LEAST = 'medjax', 'at least'


def make_model(score, width, data):
  """Returns a model of random tables, with the triples of the data; its entities are called e0, e1, ..."""
  rows = {'entity': data.num_entities, 'relation': data.num_relations}
  draw, components = np.random.default_rng(0), scores.make(score, scores.default_constants(1.0, width)).components
  params = {
    table: {name: draw.normal(size=(rows[table], width // components)).astype(np.float32) for name in names}
    for table, names in zip(rows, vectors.LEAVES[score])
  }
  entities, relations = (tuple(f'{letter}{i}' for i in range(n)) for letter, n in zip('er', rows.values()))
  graph = Graph('benchmark', entities, relations, data.train, data.valid, data.test, entities, relations)
  block = Widths((width,), components).block
  description = artifact.Description(
    score, scores.default_constants(1.0, width), (width,), block, (0.0,), (1.0,), 'benchmark'
  )
  return model_lib.Model(description, params, graph)


def plain_scores(table, score, query):
  """Scores [E] of one query [D] in plain NumPy."""
  if vectors.metric(score) == 'ip':
    return table @ query
  if score == 'rotate':
    return -np.hypot(*np.moveaxis((table - query).reshape(len(table), -1, 2), -1, 0)).sum(1)
  return -np.abs(table - query).sum(1)


def processor_seconds(command):
  """CPU seconds of a process and its children."""
  spent = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
  before = spent()
  subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
  return spent() - before


def timed(function):
  """Seconds of one call."""
  begun = time.perf_counter()
  function()
  return time.perf_counter() - begun


def question_cases(model, count):
  """{row: () -> seconds of each question} of the same questions, asked of the model and of NumPy."""
  test = model.graph.test[np.linspace(0, len(model.graph.test) - 1, count).astype(int)]
  labels, names = model.entities.labels, model.relations.labels
  table, score = vectors.entity_vectors(model), model.description.score
  queries = vectors.side_by_side(
    {
      name: leaf
      for name, leaf in vectors.query_rows(model, 'tail', test[:, 0], test[:, 1]).items()
      if name in vectors.LEAVES[score][0]
    },
    vectors.LEAVES[score][0],
  )

  def least(query):
    found = plain_scores(table, score, query)
    best = np.argpartition(-found, 10)[:10]
    return best[np.argsort(-found[best])]

  return {
    OURS: lambda: [timed(lambda row=row: model.predict_tails(labels[row[0]], names[row[1]])) for row in test.tolist()],
    LEAST: lambda: [timed(lambda query=query: least(query)) for query in queries],
  }


def bulk_cases(model, count):
  """{row: () -> seconds} of many questions at once, and of their scores alone."""
  chosen = model.graph.train[np.linspace(0, len(model.graph.train) - 1, count).astype(int)]
  labels, names = model.entities.labels, model.relations.labels
  heads, relations = [labels[i] for i in chosen[:, 0]], [names[i] for i in chosen[:, 1]]
  table, score = vectors.entity_vectors(model), model.description.score
  if vectors.metric(score) == 'ip':
    queries = vectors.query_vectors(model, 'tail', chosen[:, 0], chosen[:, 1])
    least = lambda: timed(lambda: [part @ table.T for part in np.array_split(queries, max(1, count // 256))])
  else:
    few = vectors.query_vectors(model, 'tail', chosen[:: max(1, count // 64), 0], chosen[:: max(1, count // 64), 1])
    least = lambda: timed(lambda: [plain_scores(table, score, query) for query in few]) * count / len(few)
  return {OURS: lambda: timed(lambda: model.predict_tails(heads, relations)), LEAST: least}


def load_cases(folder):
  """{row: () -> seconds} of loading a crop, and of reading its tables and labels."""

  def least():
    safetensors_numpy.load_file(folder / artifact.WEIGHTS)
    for name in ('entities.tsv', 'relations.tsv'):
      [line.split('\t') for line in (folder / name).read_text(encoding='utf-8').splitlines()]

  return {OURS: lambda: timed(lambda: loading.load(folder)), LEAST: lambda: timed(least)}


def byte_rows(folder):
  """{row: bytes} of a crop's folder, and of its tables and labels in it."""
  sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
  return {OURS: sum(sizes.values()), LEAST: sum(sizes[n] for n in (artifact.WEIGHTS, 'entities.tsv', 'relations.tsv'))}


def measure(arguments, data):
  wanted = list(ROWS) if arguments.rows == 'all' else arguments.rows.split(',')
  if unknown := sorted(set(wanted) - set(ROWS)):
    raise ValueError(f'--rows: there is no row {unknown[0]!r}; rows are {", ".join(ROWS)}')
  lines, ratios = [], []

  def add(row, score, measured, unit, scale=1.0):
    for name, values in measured.items():
      spread = timing.spread([value * scale for value in values])
      lines.append({'row': row, 'score': score, 'of': name, 'unit': unit} | {k: f'{v:,.3f}' for k, v in spread.items()})
    ratios.append({'row': row, 'score': score} | timing.ratio(measured, OURS, LEAST))

  model = make_model('complex', arguments.narrow, data)
  with tempfile.TemporaryDirectory() as place:
    folder = pathlib.Path(place) / 'crop'
    dataclasses.replace(model, graph=model.graph.without_triples()).save(folder)  # as a crop is by default
    if 'command' in wanted:
      ask = ['launch.py', '--mode=predict', f'--workdir={folder}', '--head=e1', '--relation=r1']
      cases = {
        OURS: lambda: processor_seconds([sys.executable, *ask]),
        LEAST: lambda: processor_seconds([sys.executable, '-c', 'import numpy']),
      }
      add('command', 'complex', timing.interleave(cases, arguments.rounds), 'CPU s')
    if 'load' in wanted:
      cases = load_cases(folder)
      [run() for run in cases.values()]
      add('load', 'complex', timing.interleave(cases, arguments.rounds), 'ms', 1e3)
    if 'bytes' in wanted:
      add('bytes', 'complex', {name: [size] for name, size in byte_rows(folder).items()}, 'KiB', 2**-10)
  for score in arguments.scores.split(','):
    if 'question' in wanted:
      cases = question_cases(make_model(score, arguments.asked, data), arguments.questions)
      [run() for run in cases.values()]
      measured = timing.interleave(cases, arguments.rounds)
      for name, share in (('p50', 50), ('p99', 99)):
        of_rounds = {case: [float(np.percentile(each, share)) for each in rounds] for case, rounds in measured.items()}
        add(f'question, {name}', score, of_rounds, 'ms', 1e3)
    if 'bulk' in wanted:
      for width in (arguments.asked, trainings.full_width(arguments)):
        cases = bulk_cases(make_model(score, int(width), data), arguments.bulk)
        [run() for run in cases.values()]
        add(f'bulk, width {width}', score, timing.interleave(cases, arguments.rounds), 's')
  shown = [
    {
      'row': each['row'],
      'score': each['score'],
      'medjax : at least': f'{each["ratio_of_medians"]:.3f}',
      'paired': f'{each["paired_median"]:.3f}',
      'range': f'{each["paired_low"]:.3f} to {each["paired_high"]:.3f}',
    }
    for each in ratios
  ]
  return f'{timing.table(lines)}\n\n{timing.table(shown)}', {'rows': lines, 'ratios': ratios}


def main(argv=None):
  options = running.parser('use', __doc__)
  options.add_argument('--rows', default='all', help=', '.join(ROWS))
  options.add_argument('--scores', default='complex,transe', help='scores that are asked')
  options.add_argument(
    '--narrow', type=running.positive, default=10, help='width of the crop that is started and loaded'
  )
  options.add_argument('--asked', type=running.positive, default=40, help='width of the models that are asked')
  options.add_argument('--questions', type=running.positive, default=300, help='questions, one after the other')
  options.add_argument('--bulk', type=running.positive, default=2000, help='questions at once')
  return running.run(options, measure, argv)


if __name__ == '__main__':
  main()
