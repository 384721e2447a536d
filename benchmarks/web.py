"""What a page of a model weighs, and what a question takes in a browser beside Python, on the same crop.

  python -m benchmarks.web --workdir=RUNS/fb-64-2000 --output=docs/benchmarks
  python -m benchmarks.web --workdir=RUNS/med --relation=likes --entities=0 --output=docs/benchmarks --name=web-shop

Bytes are those of index.html, which is all that a browser loads to answer, and of the same compressed by gzip, as hosts
send it. Milliseconds are means over the test questions (head, relation, ?), one after the other, in headless Chromium
and in Python, both of which give ids and scores of the 10 best; `predict_tails` gives a DataFrame of labels. `opens` is
the time from the page's data as text to a model that can be asked, with the labels ready to be searched. Drawn tables
show what many entities cost, under each of several scores.
"""

import argparse
import dataclasses
import gzip
import html
import json
import pathlib
import re
import shutil
import sys
import tempfile

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

import numpy as np

from benchmarks import graph_data, running, timing, use
from medjax.serve import answers, loading
from medjax.serve.interop import for_web
from tests import browser

WEB = pathlib.Path(for_web.__file__).with_name('web')
K = 10
DTYPES = ('float32', 'float16', 'int8')
PAGE = """<!doctype html><meta charset="utf-8"><img src="/held"><pre id="out"></pre><script type="module">
import { answer, load } from './scoring.mjs';
import { fold } from './labels.mjs';
const result = {};
for (const name of CASES) {
  const { questions, text, rounds } = await (await fetch(`${name}.json`)).json();
  let begun = performance.now();
  const model = load(JSON.parse(text));
  model.entities.map(fold);
  const opens = performance.now() - begun;
  const found = questions.map((question) => answer(model, question, 10));  // and the script is warm
  const times = [];
  for (let round = 0; round < rounds; round++) {
    let asked = 0;
    begun = performance.now();
    do {  // long enough for a clock that goes by tenths of a millisecond
      for (const question of questions) answer(model, question, 10);
      asked += questions.length;
    } while (performance.now() - begun < 10);
    times.push((performance.now() - begun) / asked);
  }
  result[name] = { opens, times, found: found.map((rows) => rows.map(({ id, score }) => [id, score])) };
}
document.getElementById('out').textContent = JSON.stringify(result);
fetch('/done');
</script>"""


def weight(model):
  """[{dtype, triples, bytes, ...}] of the pages of a model that carries triples."""
  bare = dataclasses.replace(model, graph=model.graph.without_triples())
  rows = []
  for one, dtype in [*((bare, dtype) for dtype in DTYPES), (model, DTYPES[1])]:
    content = for_web.data(one, dtype)
    text = for_web.page(content).encode()
    labels = json.dumps(content['entities'] + content['relations'], ensure_ascii=False).encode()
    rows.append(
      {
        'dtype': dtype,
        'triples': sum(content['splits'] or ()),
        'numbers': content['stored'],
        'labels': len(labels),
        'page': len(text),
        'gzipped': len(gzip.compress(text, 6)),
      }
    )
  return rows


def in_browser(cases, rounds):
  """{name: {opens, times, found}} of {name: (model, questions)}, by the scripts of a page."""
  with tempfile.TemporaryDirectory() as place:
    folder = pathlib.Path(place)
    for name in ('scoring.mjs', 'labels.mjs'):
      shutil.copy(WEB / name, folder)
    for name, (model, questions) in cases.items():
      asked = [{'side': 'tail', 'anchor': head, 'relation': relation} for head, relation in questions]
      text = json.dumps(for_web.data(model))
      (folder / f'{name}.json').write_text(json.dumps({'questions': asked, 'text': text, 'rounds': rounds}))
    (folder / 'index.html').write_text(PAGE.replace('CASES', json.dumps(list(cases))))
    with browser.serving(folder) as address:
      document, console = browser.dump(f'{address}/index.html', seconds=600)
  found = re.search(r'<pre id="out">(.+?)</pre>', document, re.DOTALL)
  if not found:
    raise ValueError(f'Chromium measured nothing: {"; ".join(console)}')
  return json.loads(html.unescape(found[1]))


def in_python(model, questions, rounds):
  """({row: [milliseconds a question of each round]}, (ids, scores) of every question)."""
  asking, labels, names = model.asking(K), model.entities.labels, model.relations.labels
  ask = lambda head, relation: answers.of_entities(model, 'tail', np.array([head]), np.array([relation]), asking)
  found = [(one.ids, one.scores) for one in (ask(*question) for question in questions)]
  model.predict_tails(labels[questions[0][0]], names[questions[0][1]])
  cases = {
    'Python, ids': lambda: [ask(*question) for question in questions],
    'Python, predict_tails': lambda: [model.predict_tails(labels[h], names[r], k=K) for h, r in questions],
  }
  timed = {name: lambda run=run: use.timed(run) * 1e3 / len(questions) for name, run in cases.items()}
  return timing.interleave(timed, rounds), found


def compare(page, own):
  """(share of questions with the same answers, the largest difference of their scores)."""
  same = [[id for id, _ in rows] == ids.tolist() for rows, (ids, _) in zip(page, own)]
  gaps = [np.abs(np.array([score for _, score in rows]) - scores).max() for rows, (_, scores) in zip(page, own)]
  return float(np.mean(same)), float(np.max(gaps))


def drawn(score, entities, width):
  """A model of random tables, without triples."""
  data = graph_data.synthetic(entities, 8, 1)
  model = use.make_model(score, width, data)
  return dataclasses.replace(model, graph=model.graph.without_triples())


def measure(arguments):
  if not browser.CHROMIUM:
    raise ValueError('there is no chromium on the PATH; install one, such as the package chromium')
  if not arguments.workdir:
    raise ValueError('--workdir names a trained run')
  models = {f'width {w}': loading.load(arguments.workdir, w) for w in running.numbers(arguments.widths)}
  narrow = next(iter(models.values()))
  if not narrow.has_triples:
    raise ValueError(f'--workdir={arguments.workdir} carries no triples, of which the questions are')
  asked = narrow.graph.test
  if arguments.relation:
    asked = asked[asked[:, 1] == narrow.relations.find(arguments.relation)]
  test = graph_data.sample(asked, arguments.questions)[:, :2].tolist()
  bytes_of = weight(narrow)
  cases = {
    name: (dataclasses.replace(model, graph=model.graph.without_triples()), test) for name, model in models.items()
  }
  draw = np.random.default_rng(0)
  if arguments.entities:
    questions = draw.integers(0, (arguments.entities, 8), (max(1, arguments.questions // 10), 2)).tolist()
    for score in arguments.scores.split(','):
      cases[f'{score}, drawn'] = drawn(score, arguments.entities, narrow.width), questions
  pages = in_browser(cases, arguments.rounds)
  rows, told = [], []
  for name, (model, questions) in cases.items():
    python, own = in_python(model, questions, arguments.rounds)
    same, gap = compare(pages[name]['found'], own)
    spreads = {of: timing.spread(values) for of, values in ({'Chromium': pages[name]['times']} | python).items()}
    size = len(model.entities.labels)
    opens = pages[name]['opens']
    rows.append(
      {'case': name, 'score': model.description.score, 'width': model.width, 'entities': size, 'opens': opens}
      | {'milliseconds': spreads, 'same_answers': same, 'largest_gap': gap}
    )
    for of, values in spreads.items():
      line = {'case': name, 'entities': f'{size:,}', 'ms a question': of} | {k: f'{v:.3f}' for k, v in values.items()}
      page = {'opens, ms': f'{opens:.0f}', 'same answers': f'{same:.4f}', 'largest gap': f'{gap:.1e}'}
      told.append(line | (page if of == 'Chromium' else {}))
  shown = [{name: f'{x:,}' if isinstance(x, int) else x for name, x in row.items()} for row in bytes_of]
  title = f'{narrow.graph.name}, {narrow.description.score} of width {narrow.width}, bytes'
  return f'{title}\n{timing.table(shown)}\n\n{timing.table(told)}', {'bytes': bytes_of, 'times': rows}


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.web',
    description=__doc__.split('\n')[0],
    allow_abbrev=False,
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--workdir', default='', help='a trained run, whose folders before the last are not told')
  options.add_argument('--widths', default='10,40,160', help='crops that are asked; of the first one pages are weighed')
  options.add_argument('--relation', default='', help='ask test questions of this relation alone')
  options.add_argument('--questions', type=running.positive, default=1000, help='test questions; a tenth of drawn ones')
  options.add_argument('--entities', type=int, default=100_000, help='entities of drawn tables; 0: none are drawn')
  options.add_argument('--scores', default='complex,transe,rotate,pairre', help='scores of drawn tables')
  options.add_argument('--rounds', type=running.positive, default=5, help='times that all questions are asked')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files; web if not given')
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = options.parse_args(argv)
  return running.conclude('web', argv, arguments, measure, 'web')


if __name__ == '__main__':
  main()
