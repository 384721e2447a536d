"""Pages of models answer as Python does: the script in node for every score, the page itself in Chromium."""

import dataclasses
import html
import json
import pathlib
import re
import shutil
import subprocess

import numpy as np
import pytest

import medjax
from medjax import errors
from medjax.experiments import commands
from medjax.serve import answers, known, vectors
from medjax.serve.interop import exports, for_web
from tests import browser
from tests.serve.models import ENTITIES, make_graph, make_model, RELATIONS

WEB = pathlib.Path(for_web.__file__).with_name('web')
QUESTIONS = [
  {'side': side, 'anchor': anchor, 'relation': relation}
  for side in ('tail', 'head')
  for anchor in range(0, ENTITIES, 4)
  for relation in range(RELATIONS)
]
HOSTILE = ('<img src=x onerror="owned = 1">', '</script><script>owned = 2</script>', '<b>bold</b> &amp; "quoted"')
needs_node = pytest.mark.skipif(not shutil.which('node'), reason='there is no node')
needs_chromium = pytest.mark.skipif(not browser.CHROMIUM, reason='there is no chromium')


def run_node(script, given):
  """What a function's body of JavaScript returns, which knows two modules of a page and what is given as GIVEN."""
  text = f"""
    import {{ readFileSync }} from 'node:fs';
    import * as scoring from '{(WEB / 'scoring.mjs').as_uri()}';
    import * as labels from '{(WEB / 'labels.mjs').as_uri()}';
    const GIVEN = JSON.parse(readFileSync(0, 'utf8'));
    console.log(JSON.stringify((() => {{ {script} }})()));
  """
  done = subprocess.run(
    ['node', '--input-type=module', '-e', text],
    input=json.dumps(given),
    text=True,
    capture_output=True,
    check=False,
  )
  assert not done.returncode, done.stderr
  return json.loads(done.stdout)


def asked(data, fresh=False, k=ENTITIES):
  """(scores [Q, E], answers of each question) by the page's script."""
  script = """
    const model = scoring.load(GIVEN.data);
    return GIVEN.questions.map((q) => [
      scoring.answer(model, q, GIVEN.k, GIVEN.fresh), [...scoring.scores(model, q)],
    ]);
  """
  found, values = zip(*run_node(script, {'data': data, 'questions': QUESTIONS, 'fresh': fresh, 'k': k}))
  return np.array(values), found


def check(model, found, values, fresh=False, k=ENTITIES):
  """The page's scores and answers are the model's."""
  for question, rows, own_values in zip(QUESTIONS, found, values):
    own = model.score_all(*question.values())
    np.testing.assert_allclose(own_values, own, rtol=2e-5, atol=2e-5)
    ids = np.array([question['anchor']]), np.array([question['relation']])
    expected = answers.of_entities(model, question['side'], *ids, model.asking(k, fresh))
    assert len(rows) == len(expected.ids)
    np.testing.assert_allclose(own[[row['id'] for row in rows]], expected.scores, rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose([row['score'] for row in rows], expected.scores, rtol=2e-5, atol=2e-5)
    if expected.splits is not None:
      places = dict(zip(expected.ids.tolist(), expected.splits.tolist()))
      assert [row.get('split', answers.UNKNOWN) for row in rows] == [places[row['id']] for row in rows]


@needs_node
@pytest.mark.parametrize('name', vectors.LEAVES)
def test_a_page_scores_and_answers_as_the_model_does(name):
  model = make_model(name)
  values, found = asked(for_web.data(model))
  check(model, found, values)
  values, found = asked(for_web.data(model.crop(4)), fresh=True, k=5)
  check(model.crop(4), found, values, fresh=True, k=5)


@needs_node
@pytest.mark.parametrize('dtype', ['float16', 'int8'])
@pytest.mark.parametrize('name', ['pairre', 'rotate', 'simple'])
def test_small_numbers_are_those_of_a_small_model(name, dtype, tmp_path):
  model = make_model(name).crop(8)
  stored = medjax.load(exports.export(model, tmp_path, 'safetensors', dtype))
  # relations are few, so a page has them whole
  expected = dataclasses.replace(model, params=model.params | {'entity': stored.params['entity']})
  values, found = asked(for_web.data(model, dtype))
  check(expected, found, values)


@needs_node
def test_half_precision_is_read_to_the_bit():
  numbers = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
  numbers = numbers[np.isfinite(numbers)]
  data = for_web.data(make_model('distmult'))
  data['arrays']['entity'] = for_web.packed(numbers)
  found = run_node('return [...scoring.load(GIVEN).entity];', data)
  np.testing.assert_array_equal(np.array(found, np.float32), numbers.astype(np.float32))


@needs_node
def test_without_triples_nothing_is_known_and_no_entity_answers_itself():
  model = make_model('complex')
  bare = dataclasses.replace(model, graph=model.graph.without_triples())
  values, found = asked(for_web.data(bare))
  check(bare, found, values)
  assert all(len(rows) == ENTITIES - 1 for rows in found)
  loops = known.reflexive(model.graph)
  assert len(loops) > 0 and for_web.data(model)['loops'] == sorted(loops)


@needs_node
def test_the_best_come_in_order_whatever_is_equal_or_no_number():
  draw = np.random.default_rng(0)
  rows = [draw.integers(0, 5, 40).tolist() for _ in range(20)] + [draw.normal(size=300).tolist()]
  found = run_node('return GIVEN.map((row) => scoring.best(Float32Array.from(row), 7, new Set([3, 8])));', rows)
  for row, ids in zip(rows, found):
    left = [i for i in np.argsort(-np.array(row), kind='stable') if i not in (3, 8)]
    assert ids == left[:7]
  assert run_node('return scoring.best(Float32Array.of(NaN, 1, NaN, 2), 3);', None) == [3, 1]


@needs_node
def test_labels_are_found_without_case_and_accents():
  labels = [
    'Rio',
    'São Paulo',
    'Saint Paul',
    'Łódź',
    'Straße',
    'Østfold',
    'new_york',
    'Paulo',
    'Pau',
    '北京',
    'Tao Sao',
  ]
  script = 'return GIVEN[1].map((t) => labels.find(GIVEN[0], GIVEN[0].map(labels.fold), t, 3));'
  typed = {
    'sao': ['São Paulo', 'Tao Sao'],
    'PAU': ['Pau', 'Paulo', 'São Paulo'],
    'aul': ['Paulo', 'São Paulo', 'Saint Paul'],
    'lodz': ['Łódź'],
    'strasse': ['Straße'],
    'ostf': ['Østfold'],
    'new york': ['new_york'],
    '京': ['北京'],
    'nothing': [],
    '': ['Rio', 'São Paulo', 'Saint Paul'],
  }
  found = run_node(script, [labels, list(typed)])
  assert {text: [labels[i] for i in one['places']] for text, one in zip(typed, found)} == typed
  assert [one['total'] for one in found] == [2, 4, 3, 1, 1, 1, 1, 1, 0, len(labels)]


def test_a_folder_is_one_page_and_what_keeps_it(trained, tmp_path, capsys):
  commands.export(trained, 'web', tmp_path / 'site', 8, 'float16')
  assert {path.name for path in (tmp_path / 'site').iterdir()} == {
    'index.html', 'sw.js', 'manifest.webmanifest', 'icon.svg', 'icon-192.png', 'icon-512.png', 'manifest.json'
  }  # fmt: skip
  assert 'width 8 of' in capsys.readouterr().out
  page = (tmp_path / 'site' / 'index.html').read_text(encoding='utf-8')
  data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])
  assert data['splits'] is None and 'heads' not in data['arrays'] and data['arrays']['entity']['type'] == 'float16'
  assert not re.search(r'\{\{\w+\}\}', page + (tmp_path / 'site' / 'sw.js').read_text())  # all is filled in
  addresses = set(re.findall(r'(?:https?:)?//[\w.]+', re.sub(r'<script type="application/json".*?</script>', '', page)))
  assert not addresses  # nothing comes from anywhere else
  commands.export(trained, 'web', tmp_path / 'known', 8, with_triples=True)
  page = (tmp_path / 'known' / 'index.html').read_text(encoding='utf-8')
  assert '"splits":[' in page and '"splits":null' not in page
  versions = {(tmp_path / name / 'sw.js').read_text() for name in ('site', 'known')}
  assert len(versions) == 2  # so that a browser takes the new one


def test_triples_travel_in_the_fewest_bytes():
  graph = make_graph()
  data = for_web.data(make_model('complex', graph))
  assert [data['arrays'][name]['type'] for name in ('heads', 'links', 'tails')] == ['uint8'] * 3
  assert data['splits'] == [60, 10, len(graph.test)]
  assert for_web.least(np.array([65536])).dtype == np.uint32


def test_what_cannot_be_a_page_is_refused(trained, tmp_path, monkeypatch):
  model = make_model('complex')
  with pytest.raises(errors.UsageError, match='only --format=web'):
    commands.export(trained, 'numpy', tmp_path / 'other', 4, with_triples=True)
  commands.crop(trained, 4, tmp_path / 'bare')
  with pytest.raises(errors.UsageError, match='carries none; export the run itself'):
    commands.export(tmp_path / 'bare', 'web', tmp_path / 'other', with_triples=True)
  monkeypatch.setattr(for_web, 'LARGEST', 1 << 10)
  with pytest.raises(errors.FormatError, match='crop the model narrower'):
    for_web.write(model, tmp_path, 'float32')
  monkeypatch.delitem(for_web.FORMS, 'complex')
  with pytest.raises(errors.FormatError, match='complex scores cannot be asked in a browser; .*rotate'):
    for_web.data(model)


DRIVER = """<!doctype html><meta charset="utf-8"><body>{frames}<pre id="out"></pre><script>
const frame = (name) => document.querySelector(`[name=${{name}}]`).contentWindow;
const $ = (page, id) => page.document.getElementById(id);
const rows = (page) => [...$(page, 'answers').children].map((row) => [
  row.querySelector('.label').textContent, row.querySelector('.score').textContent,
  row.querySelector('.known')?.textContent ?? '',
]);
const type = (page, id, text) => {{
  $(page, id).value = text;
  $(page, id).dispatchEvent(new page.Event('input'));
}};
const press = (page, id, ...keys) => {{
  for (const key of keys) $(page, id).dispatchEvent(new page.KeyboardEvent('keydown', {{ key }}));
}};
const listed = (page, id) => [...$(page, `${{id}}-list`).querySelectorAll('[role=option]')].map((x) => x.textContent);
const marked = (page, id) => {{
  const active = $(page, id).getAttribute('aria-activedescendant');
  return active && $(page, active).getAttribute('aria-selected') === 'true' ? $(page, active).textContent : null;
}};
addEventListener('load', () => {{
  try {{ $(window, 'out').textContent = JSON.stringify((() => {{ {steps} }})()); }}
  catch (error) {{ $(window, 'out').textContent = JSON.stringify(String(error.stack)); }}
}});
</script>"""


def drive(folder, frames, steps):
  """(What the steps return, of pages in frames that are served from a folder; what they wrote to the console)."""
  tags = ''.join(f'<iframe name="{name}" src="{address}"></iframe>' for name, address in frames.items())
  (folder / 'drive.html').write_text(DRIVER.format(frames=tags, steps=steps), encoding='utf-8')
  with browser.serving(folder) as address:
    document, console = browser.dump(f'{address}/drive.html')
  return json.loads(html.unescape(re.search(r'<pre id="out">(.*?)</pre>', document, re.DOTALL)[1])), console


@needs_chromium
def test_pages_answer_in_a_browser_as_the_models_do(tmp_path):
  models = {name: make_model(name) for name in ('complex', 'rotate', 'transe')}
  for name, model in models.items():
    exports.export(model, tmp_path / name, 'web')
  frames = {name: f'{name}/#head=New+York&relation=r1' for name in models}
  frames |= {f'{name}_heads': f'{name}/#tail=S%C3%A3o%20Paulo&relation=r2' for name in models}
  found, console = drive(tmp_path, frames, f'return {list(frames)}.map((name) => rows(frame(name)));')
  expected = [model.predict_tails('New York', 'r1') for model in models.values()]
  expected += [model.predict_heads('r2', 'São Paulo') for model in models.values()]
  assert len(found) == len(expected) == 6
  for rows, own in zip(found, expected):
    assert [label for label, _, _ in rows] == [label or '(no name)' for label in own['label']]
    assert [known for _, _, known in rows] == own['known'].tolist()
    np.testing.assert_allclose([float(score) for _, score, _ in rows], own['score'], atol=6e-4)
  assert not console


@needs_chromium
def test_a_page_is_used_by_keyboard_and_is_safe_from_labels(tmp_path):
  graph = make_graph()
  labels = (*graph.entity_labels[:3], *HOSTILE, *graph.entity_labels[6:])
  graph = dataclasses.replace(graph, entity_labels=labels, relation_labels=(HOSTILE[0], 'r1', 'r2', 'r3'))
  graph = dataclasses.replace(graph, name='</title><img src=x onerror="owned = 3">', notes=(f'licence: {HOSTILE[1]}',))
  exports.export(make_model('distmult', graph), tmp_path / 'site', 'web', 'int8')
  found, console = drive(
    tmp_path,
    {'site': 'site/'},
    """
    const page = frame('site'), result = {}, out = $(page, 'outcome');
    result.begin = [out.hidden, $(page, 'anchor').getAttribute('aria-expanded')];
    type(page, 'anchor', 'sao');
    result.open = [listed(page, 'anchor'), marked(page, 'anchor'), $(page, 'anchor').getAttribute('aria-expanded')];
    press(page, 'anchor', 'Enter');
    result.chosen = [$(page, 'anchor').value, $(page, 'anchor').getAttribute('aria-expanded')];
    press(page, 'relation', 'ArrowDown');
    result.relations = [listed(page, 'relation'), marked(page, 'relation')];
    press(page, 'relation', 'ArrowDown', 'ArrowDown', 'ArrowUp', 'Enter');
    result.answered = [$(page, 'relation').value, out.hidden, rows(page).length, page.location.hash];
    $(page, 'fresh').click();
    result.fresh = rows(page).map((row) => row[2]).join('');
    $(page, 'count').value = '50';
    $(page, 'count').dispatchEvent(new page.Event('change'));
    result.all = rows(page).map((row) => row[0]);
    type(page, 'anchor', '<');
    result.hostile = listed(page, 'anchor');
    press(page, 'anchor', 'Escape');
    result.closed = [listed(page, 'anchor').length, $(page, 'anchor').getAttribute('aria-expanded')];
    $(page, 'anchor').dispatchEvent(new page.Event('blur'));
    result.kept = $(page, 'anchor').value;
    page.document.querySelector('[name=side][value=head]').click();
    result.side = [...$(page, 'triple').children].map((field) => field.id).join();
    const first = page.document.querySelector('#answers button');
    result.next = [first.querySelector('.label').textContent];
    first.click();
    result.next.push($(page, 'anchor').value);
    press(page, 'anchor', 'Escape');
    result.emptied = [$(page, 'anchor').value, out.hidden, $(page, 'lacking').textContent];
    $(page, 'example').click();
    result.example = out.hidden;
    const script = page.document.createElement('script');
    script.textContent = 'owned = 4';
    page.document.body.append(script);
    const markup = page.document.querySelectorAll('ol img, ul img, h1 img, #notes li *, b b');
    result.owned = [typeof page.owned, markup.length];
    return result;
    """,
  )
  assert isinstance(found, dict), found
  assert found['begin'] == [True, 'false'] and found['open'] == [['São Paulo'], 'São Paulo', 'true']
  assert found['chosen'] == ['São Paulo', 'false']
  assert found['relations'] == [[HOSTILE[0], 'r1', 'r2', 'r3'], HOSTILE[0]]
  assert found['answered'][:3] == ['r1', False, 10] and found['answered'][3] == '#head=S%C3%A3o+Paulo&relation=r1'
  assert found['fresh'] == '' and 10 < len(found['all']) < ENTITIES
  assert sorted(found['hostile']) == sorted(HOSTILE) and found['closed'] == [0, 'false']
  assert found['kept'] == 'São Paulo'
  assert found['side'] == 'asked-field,relation-field,anchor-field'
  assert found['next'][0] == found['next'][1] != 'São Paulo'
  assert found['emptied'][:2] == ['', True] and found['emptied'][2].startswith('Type the tail')
  assert found['example'] is False and found['owned'] == ['undefined', 0]
  assert len(console) == 1 and 'Content Security Policy' in console[0]  # of the script that the test put in


@needs_chromium
def test_a_page_opens_as_a_file_and_without_the_network(tmp_path):
  model = make_model('rotate')
  exports.export(model, tmp_path / 'site', 'web')
  first = model.predict_tails('New York', 'r1')['label'][0]
  assert first
  question, answer = '#head=New+York&relation=r1', f'>{first}</span>'
  document, console = browser.dump((tmp_path / 'site' / 'index.html').as_uri() + question)
  assert answer in document and not console
  (tmp_path / 'wait.html').write_text(
    """<iframe src="site/"></iframe><img src="/held"><script>
    const wait = async () => {
      const kept = await navigator.serviceWorker.getRegistration('/site/');
      kept?.active ? fetch('/done') : setTimeout(wait, 20);
    };
    wait();
    </script>"""
  )
  profile = str(tmp_path / 'profile')
  with browser.serving(tmp_path) as address:
    browser.dump(f'{address}/wait.html', profile)
  document, _ = browser.dump(f'{address}/site/{question}', profile)  # nobody serves it any more
  assert answer in document
