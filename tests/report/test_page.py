"""The HTML page of runs: what it holds, against the saved files; that it is sound; that it works in a browser."""

import base64
import hashlib
from html import parser
import json
import re
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from medjax import cli, errors
from medjax import config as config_lib
from medjax.experiments import commands
from medjax.report.page import folders, html, numbers, questions, view
from medjax.saved import verification
from medjax.serve import loading
from tests import devtools

HOSTILE = '</script><script>alert(1)</script>&"\'<!--'
VOID = {'meta', 'link', 'input', 'br', 'img'}


class Reader(parser.HTMLParser):
  """Elements as (name, attributes, text in it), and the mistakes of their nesting."""

  def __init__(self, text):
    super().__init__()
    self.elements, self.mistakes, self._open = [], [], []
    self.feed(text)
    self.mistakes += [f'<{name}> is not closed' for name, *_ in self._open]

  def handle_starttag(self, tag, attrs):
    element = [tag, dict(attrs), '']
    self.elements.append(element)
    if tag not in VOID:
      self._open.append(element)

  def handle_startendtag(self, tag, attrs):
    self.elements.append([tag, dict(attrs), ''])

  def handle_endtag(self, tag):
    if not self._open or self._open[-1][0] != tag:
      self.mistakes.append(f'</{tag}> closes {self._open[-1][0] if self._open else "nothing"}')
    else:
      self._open.pop()

  def handle_data(self, data):
    for element in self._open:
      element[2] += data

  def all(self, name):
    return [element for element in self.elements if element[0] == name]

  def data(self):
    (text,) = (text for _, attributes, text in self.all('script') if attributes.get('id') == 'data')
    return json.loads(text)


def frame_of(data, name):
  return pd.DataFrame(data['rows'][name]['values'], columns=data['rows'][name]['columns'])


@pytest.fixture(scope='module')
def root(trained, tmp_path_factory):
  """A run with all that can be saved beside it, whose labels are hostile, and a crop of it without triples."""
  root = tmp_path_factory.mktemp('page')
  run = root / 'run'
  shutil.copytree(trained, run)
  commands.crop(run, 8, root / 'crop')
  for kind in ('entities', 'relations'):
    head, *lines = (run / f'{kind}.tsv').read_text().splitlines()
    named = [f'{line.split(chr(9))[0]}\t{HOSTILE} {i}' for i, line in enumerate(lines)]
    (run / f'{kind}.tsv').write_text('\n'.join([head, *named]) + '\n')
  cost = json.loads((run / 'cost.json').read_text())
  (run / 'cost.json').write_text(json.dumps(cost | {'command': f'python launch.py {HOSTILE}'}))
  widths = [4, 8, 12]
  pd.DataFrame({'width': widths, 'ms': [0.5, 1.25, 2], 'hardware': 'x'}).to_csv(run / 'speed.csv', index=False)
  pd.DataFrame({'width': widths, 'log_loss': [0.5, 0.4, 0.3], 'coin': 0.69}).to_csv(
    run / 'calibration.csv', index=False
  )
  bins = [{'width': w, 'said': s, 'true': s / 2, 'triples': 3} for w in widths for s in (0.2, 0.8)]
  pd.DataFrame(bins).to_csv(run / 'reliability.csv', index=False)
  verification.verify(run, accept=True)
  return root


@pytest.fixture(scope='module')
def page(root, tmp_path_factory):
  return html.write(root, tmp_path_factory.mktemp('out') / 'page.html')


@pytest.fixture(scope='module')
def read(page):
  return Reader(page.read_text())


def test_the_data_are_those_of_the_files(read, root):
  data, run = read.data(), root / 'run'
  results, quality = pd.read_csv(run / 'results.csv'), frame_of(data, 'quality-0')
  assert quality['width'].tolist() == results['width'].tolist() == data['widths']
  for name in numbers.MEASURES:
    np.testing.assert_allclose(quality[name], results[name], atol=1e-6)
  assert quality['bytes'].tolist() == (4 * results['params']).tolist() and quality['ms'].tolist() == [0.5, 1.25, 2]
  np.testing.assert_allclose(quality['kept'], pd.read_csv(run / 'widths.csv')['kept'], atol=1e-6)
  detail, found = pd.read_csv(run / 'results-detail.csv'), frame_of(data, 'categories-0')
  wanted = detail[(detail['category'] != 'all') & (detail['queries'] > 0)]
  assert len(found) == len(wanted) > 0
  np.testing.assert_allclose(sorted(found['mrr']), sorted(wanted['mrr']), atol=1e-6)
  lines = [json.loads(line) for line in (run / 'metrics.jsonl').read_text().splitlines()]
  curve = frame_of(data, 'loss-0-1').set_index(['step', 'width'])['value']
  for line in lines:
    for width, value in line.get('width_loss', {}).items():
      assert curve[line['step'], int(width)] == pytest.approx(value, abs=1e-6)
  assert frame_of(data, 'reliability-0-1')['true'].tolist() == [0.1, 0.4] * 3


def test_the_page_tells_the_figures_of_every_width(read, root):
  results = pd.read_csv(root / 'run' / 'results.csv').set_index('width')
  data = read.data()
  assert list(data['runs']['0-1']['shown']) == ['4', '8', '12']
  for width, said in data['runs']['0-1']['shown'].items():
    row = results.loc[int(width)]
    assert said['mrr'] == f'{row["mrr"]:.3f}' and said['hits10'] == f'{row["hits10"]:.1%}'
    assert said['bytes'] == f'{4 * row["params"]:,.0f}'
  text = {(a['data-run'], a['data-figure']): t for _, a, t in read.elements if 'data-figure' in a}
  start = data['runs']['0-1']['shown'][str(data['start'])]
  assert text['0-1', 'mrr'] == start['mrr'] and text['0-1', 'ms'] == start['ms']
  assert [said['ms'] for said in data['runs']['0-1']['shown'].values()] == ['0.50 ms', '1.25 ms', '2.00 ms']


def test_the_page_is_sound_and_can_be_read_by_all(read, page):
  assert not read.mistakes
  ids = [a['id'] for _, a, _ in read.elements if 'id' in a]
  assert len(set(ids)) == len(ids)
  assert {a['aria-labelledby'] for _, a, _ in read.elements if 'aria-labelledby' in a} <= set(ids)
  assert read.all('html')[0][1]['lang'] == 'en' and len(read.all('h1')) == len(read.all('main')) == 1
  assert all(a.get('scope') in ('row', 'col') for _, a, _ in read.all('th'))
  charts = [a for _, a, _ in read.elements if 'data-chart' in a]
  assert len(charts) >= 8 and all(a['role'] == 'img' and a['aria-label'] for a in charts)
  assert {a['data-chart'] for a in charts} == set(read.data()['specifications'])
  assert 'vega-lite' in read.all('pre')[-1][2] and 'Redistribution and use' in read.all('pre')[-1][2]
  assert len(page.read_bytes()) < 2_000_000


def test_a_page_loads_nothing_and_runs_only_its_own_scripts(read):
  assert not [a for _, a, _ in read.elements if 'src' in a or a.get('href', 'data:')[:5] not in ('data:', '#cont')]
  (policy,) = (a['content'] for _, a, _ in read.all('meta') if a.get('http-equiv') == 'Content-Security-Policy')
  scripts = [text for _, a, text in read.all('script') if a.get('id') != 'data']
  hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
  allowed = re.search('script-src ([^;]+);', policy)[1].split()
  assert allowed == [f"'sha256-{one}'" for one in hashes] and len(scripts) == 2
  assert policy.startswith("default-src 'none'") and 'connect-src' not in policy


def test_labels_are_text_wherever_they_stand(read):
  assert len(read.all('script')) == 3
  names = [
    name
    for one in read.data()['runs'].values()
    if one['questions']
    for q in one['questions']['questions']
    for name in q['names']
  ]
  assert any(name.startswith(HOSTILE) for name in names)
  assert any(text.startswith(HOSTILE) for name, _, text in read.all('li') + read.all('span'))
  assert any(text == f'python launch.py {HOSTILE}' for _, _, text in read.all('pre'))


def test_equal_files_give_equal_bytes(root, page, tmp_path):
  assert html.write(root, tmp_path / 'again').read_bytes() == page.read_bytes()


def test_what_is_missing_is_told_with_the_command_that_adds_it(read, root, trained, tmp_path):
  told = {text for _, _, text in read.all('code')}
  assert any('--with_triples' in text and str(root / 'crop') in text for text in told)
  for name in ('results.csv', 'results-detail.csv', 'widths.csv', 'metrics.jsonl'):
    (tmp_path / 'run').exists() or shutil.copytree(trained, tmp_path / 'run')
    (tmp_path / 'run' / name).unlink()
  told = [command for _, command in view.page(folders.find(tmp_path))['graphs'][0]['runs'][0]['missing']]
  for mode in ('evaluate', 'calibrate'):
    assert f'python launch.py --mode={mode} --workdir={tmp_path / "run"}' in told
  assert any('--config.eval.every' in command for command in told)
  shutil.copy(trained / 'results.csv', tmp_path / 'run')
  (shown,) = view.page(folders.find(tmp_path))['graphs']
  assert shown['choose'] == [f'python launch.py --mode=choose --workdir={tmp_path / "run"}']
  assert not Reader(html.render(view.page(folders.find(tmp_path)))).mistakes


def test_saved_results_without_their_model_are_shown(trained, tmp_path):
  for name in ('config.json', 'cost.json', 'results.csv'):
    shutil.copy(trained / name, tmp_path)
  shown = view.page(folders.find(tmp_path))
  (run,) = shown['graphs'][0]['runs']
  assert run['missing'][0][0].startswith('Only results') and 'model.json is missing' in run['missing'][1][0]
  assert shown['widths'] == [4, 8, 12] and run['questions'] is None
  assert not Reader(html.render(shown)).mistakes


def test_ranks_of_the_questions_are_those_of_the_evaluation(trained):
  model, results = loading.load(trained), pd.read_csv(trained / 'results.csv').set_index('width')
  asked = [questions.Question(model, side, triple) for triple in model.graph.test for side in ('tail', 'head')]
  for width in model.widths.values:
    for question in asked:
      question.answer(model.crop(width))
  ranks = np.array([question.told()['ranks'] for question in asked])
  np.testing.assert_allclose((1 / ranks).mean(0), results['mrr'], rtol=1e-6)
  first = asked[0].told()
  expected = model.crop(4).predict_tails(first['given'], first['relation'], k=questions.ANSWERS)
  assert [first['names'][place] for place in first['best'][0]] == expected['label'].tolist()
  assert [first['known'][place] for place in first['best'][0]] == expected['known'].tolist()


def test_what_cannot_be_written_is_refused(tmp_path, trained, capsys, monkeypatch):
  with pytest.raises(errors.NothingSaved, match='no run and no model below'):
    html.write(tmp_path)
  given = {'format': 'pdf'}
  assert cli.run('report', config_lib.Config(), str(trained), given) == 2
  assert '--format=pdf: a report is written as' in capsys.readouterr().err
  monkeypatch.setitem(sys.modules, 'jinja2', None)
  with pytest.raises(errors.FormatError, match=r"pip install 'medjax\[page\]'"):
    html.write(trained, tmp_path / 'a.html')


@pytest.mark.skipif(devtools.CHROMIUM is None, reason='chromium is not installed')
def test_the_slider_changes_numbers_answers_and_charts(page, read):
  data = read.data()
  shown = lambda key: f'document.querySelector(\'.card [data-run="0-1"][data-figure="{key}"]\').textContent'
  with devtools.page(f'file://{page}#width=4', width=390, dark=True) as opened:
    said = {}
    for key, width in (('', 4), ('End', 12), ('ArrowLeft', 8)):
      if key:
        opened.evaluate("document.getElementById('slider').focus()")
        opened.press(key)
      opened.wait(f"document.getElementById('picked').textContent === '{width}'")
      said[width] = [opened.evaluate(shown(name)) for name in ('mrr', 'size', 'ms')]
      expected = data['runs']['0-1']['shown'][str(width)]
      assert said[width] == [expected[name] for name in ('mrr', 'size', 'ms')]
      answers = opened.evaluate("document.querySelector('.column.picked h5').textContent")
      assert answers.startswith(f'width {width} ')
    assert opened.evaluate('location.hash') == '#width=8'
    opened.wait("document.querySelector('[data-chart=quality] svg')")
    rule = "document.querySelector('[data-chart=quality] .mark-rule.role-mark line').getAttribute('transform') ?? ''"
    before = opened.evaluate(rule)
    opened.evaluate("document.getElementById('slider').focus()")
    opened.press('ArrowRight')
    opened.wait(f'({rule}) !== {json.dumps(before)}')
    opened.evaluate("document.querySelector('input[value=hits10]').click()")
    assert opened.evaluate("document.querySelector('[data-measure-name]').textContent") == 'Hits@10'
    opened.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")  # draws what is not seen yet
    opened.wait("[...document.querySelectorAll('.chart')].every(one => one.dataset.drawn)")
    assert opened.evaluate('document.documentElement.scrollWidth') <= 390
    assert not opened.problems and opened.requests == [f'file://{page}#width=4'.split('#')[0]]
