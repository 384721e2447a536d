"""Every command runs at a tiny shape, and its last line is JSON with finite positive figures."""

import ast
import importlib
import importlib.util
import json
import math
import pathlib
import sys

import numpy as np
import pytest

from benchmarks import (
  bert,
  damage,
  estimate,
  evaluation,
  funnel,
  graph_data,
  growth,
  loading,
  machine,
  memory,
  peer,
  prepare,
  running,
  sparse,
  startup,
  time_to_quality,
  timing,
  train_step,
  trainings,
  use,
  web,
)
import medjax
from medjax import scores
from medjax.core.widths import Widths
from medjax.scores.contract import score_triples
from tests import browser
from tests.bert import recorded

TINY = ['--dataset=synthetic:60:3:300', '--widths=4,8', '--batch=8', '--negatives=4', '--rounds=2']
NAMES = (
  'train_step',
  'evaluation',
  'memory',
  'startup',
  'growth',
  'machine',
  'prepare',
  'sparse',
  'scaling',
  'large',
  'estimate',
  'time_to_quality',
  'use',
  'funnel',
  'web',
  'bert',
  'damage',
  'loading',
)
FAKE_PEER = f"""#!{sys.executable}
import json, sys
print(json.dumps({{"pykeen": "0", "torch": "0", "threads": 1, "model": "Fake", "tunables": ""}}), flush=True)
for line in sys.stdin:
  print(json.dumps({{"seconds": 0.5, "seconds_of_one": 0.1}}), flush=True)
"""


@pytest.fixture
def run(capsys):
  """A function that runs a command and returns its last line, parsed."""

  def command(module, *options):
    module.main([*TINY, *options])
    return json.loads(capsys.readouterr().out.splitlines()[-1])

  return command


@pytest.fixture
def fake_peer(tmp_path):
  script = tmp_path / 'peer-python'
  script.write_text(FAKE_PEER)
  script.chmod(0o755)
  return f'--peer-python={script}'


def leaves(value):
  """All numbers of a tree of dicts and lists."""
  if isinstance(value, (dict, list)):
    return [number for part in (value.values() if isinstance(value, dict) else value) for number in leaves(part)]
  return [value] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def positive(value):
  numbers = leaves(value)
  return bool(numbers) and all(math.isfinite(number) and number > 0 for number in numbers)


def test_train_step(run, fake_peer):
  result = run(train_step, '--steps=2', '--copy-mib=1', fake_peer)
  assert positive(result['seconds_per_step']) and positive(result['ratios']) and positive(result['least_bytes'])
  assert len(result['seconds_per_step']) == 7 and result['seconds_per_step']['PyKEEN, width 8 alone']['median'] == 0.5
  assert '--peer-python=PATH' in result['command'] and str(pathlib.Path.home()) not in result['command']


def test_train_step_of_the_softmax(run, fake_peer):
  options = ['--objective=softmax', '--score=complex_reciprocal', '--widths=64:640:64', '--share-negatives=8']
  rows = '--rows=med,single,seven,sandwich,torch,torch-sparse,peer,peer-sampled'
  result = run(train_step, *options, rows, '--steps=2', '--copy-mib=1', fake_peer)
  assert positive(result['seconds_per_step']) and positive(result['compile_seconds']) and positive(result['arithmetic'])
  first, *_ = result['ratios']
  assert (first['of'], first['to']) == ('medjax, 10 widths in one pass', 'medjax, width 640 alone')
  of_peers = {name for name in result['seconds_per_step'] if not name.startswith('medjax')}
  assert of_peers == {
    'plain PyTorch, width 640 alone',
    'plain PyTorch, sparse gradients, width 640 alone',
    'PyKEEN, width 640 alone',
    'PyKEEN, negatives of each triple, width 640 alone',
  }


def test_train_step_of_the_best_configuration(run, fake_peer):
  options = ['--objective=best', '--score=complex_reciprocal', '--widths=64:640:64', '--share-negatives=8']
  result = run(train_step, *options, '--rows=single,ladder', '--steps=2', '--copy-mib=1', fake_peer)
  rows = ['medjax, width 640 alone', 'medjax, 8 of 10 widths a step, a factor apart']
  assert list(result['seconds_per_step'])[:2] == rows and positive(result['seconds_per_step'])


def test_use(run):
  options = ['--narrow=4', '--asked=4', '--questions=3', '--bulk=5']
  result = run(use, *options)
  rows = [(each['row'], each['score']) for each in result['ratios']]
  asked = ['question, p50', 'question, p99', 'bulk, width 4', 'bulk, width 8']
  assert rows == [(name, 'complex') for name in ('command', 'load', 'bytes')] + [
    (row, score) for score in ('complex', 'transe') for row in asked
  ]
  assert positive([each['ratio_of_medians'] for each in result['ratios']])
  with pytest.raises(SystemExit):
    run(use, '--rows=nothing')


@pytest.mark.skipif(not browser.CHROMIUM, reason='there is no chromium')
def test_web(trained, capsys):
  web.main([f'--workdir={trained}', '--widths=4,8', '--questions=20', '--entities=50', '--scores=transe', '--rounds=2'])
  result = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert [row['dtype'] for row in result['bytes']] == ['float32', 'float16', 'int8', 'float16']
  assert positive([row['milliseconds'] for row in result['times']]) and '--workdir=RUNS' in result['command']
  assert [row['case'] for row in result['times']] == ['width 4', 'width 8', 'transe, drawn']
  assert all(row['same_answers'] == 1 and row['largest_gap'] < 1e-5 for row in result['times'])
  with pytest.raises(SystemExit):
    web.main([])


def test_time_to_quality_goes_on_where_it_stopped(run, tmp_path, monkeypatch):
  options = ['--widths=4,8', '--share-negatives=8', '--steps=6', '--points=2', f'--output={tmp_path}']
  result = run(time_to_quality, *options)
  points = result['points']
  assert {point['training'] for point in points} == {time_to_quality.CROPPABLE, time_to_quality.APART}
  assert [point['width'] for point in points] == [4, 8, 4, 8, 4, 4, 8, 8]
  assert positive([point['mrr'] for point in points]) and list(tmp_path.glob('time_to_quality-*.png'))
  seconds = [point['seconds'] for point in points if point['training'] == time_to_quality.APART]
  assert seconds == sorted(seconds)
  monkeypatch.setattr(time_to_quality, 'points', None)  # all of it is measured already
  assert run(time_to_quality, *options)['points'] == points


def test_tables_of_the_peer_are_ours(tmp_path):
  random = np.random.default_rng(0)
  entity, relation = (random.normal(size=(n, 3)) + 1j * random.normal(size=(n, 3)) for n in (5, 4))
  np.savez(tmp_path / 'tables.npz', entity=entity, relation=relation)
  model = time_to_quality.tables(tmp_path / 'tables.npz')
  score = scores.make('complex_reciprocal', scores.default_constants(1.0, 6))
  ask = lambda side: float(score_triples(score, model, np.array([0, 1, 2]), Widths((6,), 2), side)[0])
  expected = [(entity[a] * relation[r] * entity[b].conj()).sum().real for a, r, b in ((0, 2, 2), (2, 3, 0))]
  np.testing.assert_allclose([ask('tail'), ask('head')], expected, rtol=1e-5)


@pytest.mark.parametrize(('objective', 'batch', 'negatives'), [('softmax', 1024, 1024), ('best', 256, 2048)])
def test_the_softmax_has_its_own_batch_unless_another_is_given(objective, batch, negatives, capsys):
  options = running.parser('train_step', '.')
  running.add_objective(options)
  seen = []
  for more in ([], ['--batch=8']):
    running.run(
      options,
      lambda a, data: seen.append((a.batch, a.negatives, a.share_negatives)) or ('', {}),
      [f'--objective={objective}', '--score=complex', '--dataset=synthetic:60:3:300', '--share-negatives=8', *more],
    )
  assert seen == [(batch, negatives, 8), (8, negatives, 8)]


def test_a_score_that_the_peer_lacks_is_refused(run, fake_peer, capsys):
  with pytest.raises(SystemExit):
    run(train_step, '--score=complex_reciprocal', fake_peer)
  assert '--score=complex_reciprocal: the peer has nothing like it' in capsys.readouterr().err


def test_train_step_without_a_peer_and_of_chosen_rows(run):
  result = run(train_step, '--steps=2', '--copy-mib=1', '--rows=med,naive-rows', '--score=pairre')
  assert len(result['seconds_per_step']) == 2 and result['peer'] is None
  assert [ratio['to'] for ratio in result['ratios']] == ['medjax, 2 widths in one pass']


def test_evaluation_extrapolates_what_was_sampled(run, fake_peer):
  result = run(evaluation, '--peer-triples=10', fake_peer)
  assert positive(result['whole_test_seconds']) and positive(result['ratios'])
  theirs = 'PyKEEN, width 8 alone'
  assert result['extrapolated'] == {name: name == theirs for name in result['seconds']}
  assert result['whole_test_seconds'][theirs]['median'] == pytest.approx(0.1 + 0.4 * 29 / 9)


def test_memory(run):
  result = run(memory, '--rounds=1', '--entities=100', '--triples=20')
  assert positive(
    {name: [r['parameters'], r['state'], r['xla_above'], r['batch']] for name, r in result['training'].items()}
  )
  assert positive(
    {name: [r['parameters'], r['xla_above'], r['score_table']] for name, r in result['evaluation'].items()}
  )
  assert all(math.isfinite(number) for number in leaves(result))
  assert list(result['evaluation']) == ['60', '100 (synthetic)']


def test_memory_of_a_known_size():
  peak, how = memory.peak_above(lambda: bytearray(b'x' * (64 * trainings.MIB)))
  assert how != 'VmHWM' or 60 * trainings.MIB < peak < 140 * trainings.MIB


def test_startup(run):
  result = run(startup, '--rounds=1')
  assert positive(result['seconds']) and positive(result['ratios'])


def test_growth(run, tmp_path):
  result = run(
    growth,
    '--axes=widths,negatives,entities',
    '--counts=1,2',
    '--negative-counts=2,4',
    '--entities=50,100',
    '--entity-widths=2,4',
    '--sample=100',
    '--steps=2',
    '--triples=10',
    f'--output={tmp_path}',
    '--name=g',
  )
  assert positive([[line['median'], line['low'], line['high']] for line in result['points']])
  assert {axis: list(each) for axis, each in result['exponents'].items()} == {
    'widths': ['step', 'evaluation'],
    'negatives': ['step'],
    'entities': ['step', 'evaluation'],
  }
  assert {path.name for path in tmp_path.iterdir()} == {'g.csv', 'g.png', 'g.json', 'g.txt'}
  assert str(tmp_path) not in (tmp_path / 'g.txt').read_text()


def test_the_points_of_growth():
  arguments = growth.make_options().parse_args([])
  each = growth.points(arguments, graph_data.load_data('synthetic:60:3:300'))
  assert list(each) == list(growth.AXES)
  assert [changed['widths'] for _, changed, _ in each['widths']] == [
    '640:640:640',
    '160:640:160',
    '40:640:40',
    '10:640:10',
  ]
  assert [changed['widths'] for _, changed, _ in each['full width']][::4] == ['10:40:10', '160:640:160']
  assert {changed['widths'] for _, changed, _ in each['entities']} == {'8:64:8'}


def test_machine(run):
  result = run(machine, '--copy-mib=1', '--size=32')
  assert positive(result['bytes_per_second']) and positive(result['multiply_adds_per_second'])


def test_sparse(run):
  result = run(sparse, '--entities=50,100', '--dense-entities=50', '--sample=100', '--steps=2')
  assert positive(result['points']) and result['slowest_to_fastest'] >= 1
  assert [(p['entities'], p['updates']) for p in result['points']] == [(50, 'sparse'), (50, 'dense'), (100, 'sparse')]


def test_an_estimate_is_its_arithmetic(capsys, tmp_path):
  measured = {
    'score': 'transe',
    'widths': '4,8',
    'batch': 10,
    'negatives': 5,
    'share_negatives': 1,
    'bytes_per_second': {'median': 100.0},
    'least_bytes': {'all': 50},
    'seconds_per_step': {'med': {'median': 2.0}, 'single': {'median': 1.0}},
  }
  (tmp_path / 'measured.json').write_text(json.dumps(measured))
  # so a single model takes twice its bound, and a score of a width (2.0 - 1.0) * 100 / (10 * 5 * 2) = 1 byte
  options = {
    'entities': 90,
    'relations': 10,
    'triples': 200,
    'width': 8,
    'sub-models': 2,
    'batch': 20,
    'negatives': 4,
    'epochs': 3,
    'devices': 2,
    'bandwidth': 1000,
    'link': 100,
  }
  estimate.main([f'--{name}={value}' for name, value in options.items()] + [f'--measured={tmp_path}/measured.json'])
  result = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert result['tables and moments, GiB a device'] == pytest.approx(3 * 100 * 4 * 4 / 2**30)
  rows, losses, scores = 2 * 27 * 20 * 7 * 4 * 4 / 1000, 20 * 5 * 2 * 1 / 1000, 2 * 0.5 * 4 * 20 * 5 * 2 / 100
  assert result['rows, ms a step'] == pytest.approx(1e3 * rows)
  assert result['losses of all widths, ms a step'] == pytest.approx(1e3 * losses)
  assert result['scores between devices, ms a step'] == pytest.approx(1e3 * scores)
  assert result['hours'] == pytest.approx(30 * (rows + losses + scores) / 3600)
  assert result['device hours'] == pytest.approx(2 * result['hours'])


def test_prepare(capsys, tmp_path):
  pytest.importorskip('duckdb', reason='prepared graphs need DuckDB (the extra "big")')
  prepare.main(['--triples=3000', '--entities=500', '--relations=5', f'--folder={tmp_path}'])
  result = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert positive([result['prepare'], result['open'], result['text_bytes'], result['store_bytes']])
  assert str(tmp_path) not in result['command'] and not list(tmp_path.iterdir())


def test_loading(capsys, trained):
  loading.main([f'--workdir={trained}', '--rounds=1'])
  result = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert len(result['loads']) == 2 * 5 and all(positive([row['seconds'], row['ratio']]) for row in result['loads'])
  assert '--workdir=RUNS' in result['command'] and not (trained / 'wide').exists()


def test_damage(capsys, monkeypatch, trained):
  def write(folder):
    medjax.load(trained, width=4).save(folder / 'crop')
    (folder / 'other').mkdir()
    (folder / 'other' / 'unread').write_text('x')
    return {folder / 'crop': medjax.load, folder / 'other': lambda folder: None}

  monkeypatch.setattr(damage, 'write', write)
  damage.main(['--flips=24', '--seed=3'])
  result = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert (result['flips'], result['files'], result['crash']) == (24, 8, 0)
  assert {row['file']: row['silent'] for row in result['rows'] if row['silent']} == {'unread': 3}


def test_bert(capsys, monkeypatch):
  monkeypatch.setattr(bert, 'SENTENCES', 8)
  bert.main([f'--model={recorded.TINY}', '--widths=8,32', '--tokens=6', '--batch=2', '--rounds=2'])
  result = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert [(row['width'], row['heads'], row['neurons']) for row in result['sub_models']] == [(8, 1, 16), (32, 4, 64)]
  assert positive(result['sub_models']) and '--model=FOLDER' in result['command']
  assert [(row['width'], row['layers']) for row in result['kept']] == [(8, 2), (32, 2), (32, 1)]
  full = result['kept'][1]
  assert full['stored'] == pytest.approx(1) and full['reordered'] == pytest.approx(1, abs=1e-3)
  with pytest.raises(SystemExit):
    bert.main(['--widths=10'])


@pytest.mark.parametrize(
  'options, words',
  [
    (['--score=transee'], "unknown score 'transee'; did you mean 'transe'"),
    (['--dataset=fb15k'], 'fb15k237'),
    (['--dataset=synthetic:5'], 'synthetic:ENTITIES:RELATIONS:TRIPLES'),
    (['--score=rotate', '--widths=5'], 'multiples of 2'),
    (['--batch=3'], 'must be even'),
    (['--rows=meed'], "no row 'meed'"),
    (['--peer-python=/nowhere/python'], '/nowhere/python'),
  ],
)
def test_mistakes_give_one_clear_line(options, words, capsys):
  with pytest.raises(SystemExit) as end:
    train_step.main([*TINY, *options])
  error = capsys.readouterr().err
  assert end.value.code == 2 and words in error and error.startswith('error: ') and error.count('\n') == 1


@pytest.mark.skipif(importlib.util.find_spec('torch') is not None, reason='needs a Python without PyTorch')
def test_a_peer_without_its_packages_is_told(capsys):
  with pytest.raises(SystemExit):
    train_step.main([*TINY, '--rows=med', f'--peer-python={sys.executable}'])
  assert "No module named 'torch'" in capsys.readouterr().err


def test_rounds_are_interleaved():
  order = []
  timing.interleave({name: lambda name=name: order.append(name) for name in 'abc'}, 2)
  assert ''.join(order) == 'abcabc'


def test_the_peer_imports_nothing_of_ours():
  text = ''.join(pathlib.Path(peer.__file__).with_name(name).read_text() for name in ('peer.py', 'plain_torch.py'))
  tree = ast.parse(text)
  names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
  names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
  assert {name.split('.')[0] for name in names} <= {'pykeen', 'torch', 'numpy', 'plain_torch', *sys.stdlib_module_names}


def test_the_funnel_finds_what_brute_force_finds(capsys):
  shape = ['--entities=300', '--width=32', '--questions=3', '--rounds=1', '--k=3', '--keep=20']
  funnel.main([*shape, '--scores=transe,distmult,rotate'])
  result = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert [row['model'] for row in result['shares']] == [f'{x}, croppable' for x in ('transe', 'distmult', 'rotate')]
  assert {row['same'] for row in result['times'] if row['by'] in ('funnel', 'brute force', 'faiss')} == {1.0}
  assert max(row['differ'] for row in result['times'] if row['by'] != 'shortlist') < 1e-5
  assert all(row['median'] > 0 for row in result['times'])
  assert all(0 < row['read'] < 3 and min(row['recall'].values()) >= 0 for row in result['shares'])


def test_the_funnel_is_asked_about_trained_runs(trained, capsys):
  funnel.main([f'--workdir={trained},{trained}', '--entities=0', '--rounds=0', '--stages=6', '--k=3', '--keep=1000'])
  result = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert '--workdir=RUNS' in result['command'] and str(trained) not in result['command'] and not result['times']
  assert [row['stages'][0] for row in result['shares']] == [6, 6] and result['shares'][0]['recall'] == {
    '2': 1.0,
    '4': 1.0,
  }


def test_entities_are_drawn_around_trained_ones(trained):
  model, draw = medjax.load(trained), np.random.default_rng(0)
  drawn = funnel.enlarged(model, 200, 0.0, draw)
  rows = {row.tobytes() for row in model.entity_vectors()}
  assert len(drawn.entities.labels) == 200 and {row.tobytes() for row in drawn.entity_vectors()} <= rows
  assert not np.array_equal(drawn.entity_vectors(), funnel.enlarged(model, 200, 0.5, draw).entity_vectors())
  assert funnel.enlarged(model, 0, 0.5, draw) is model


@pytest.mark.parametrize('name', NAMES)
def test_a_command_says_how_it_is_run(name):
  module = importlib.import_module(f'benchmarks.{name}')
  assert f'python -m benchmarks.{name}' in module.__doc__
