"""Every command runs at a tiny shape, and its last line is JSON with finite positive figures."""

import importlib
import importlib.util
import json
import math

import pytest

from benchmarks import (
  estimate,
  evaluation,
  graph_data,
  growth,
  machine,
  memory,
  prepare,
  sparse,
  startup,
  timing,
  train_step,
  trainings,
)
from tests.benchmarks.figures import leaves, positive, TINY

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


def test_rounds_are_interleaved():
  order = []
  timing.interleave({name: lambda name=name: order.append(name) for name in 'abc'}, 2)
  assert ''.join(order) == 'abcabc'


@pytest.mark.parametrize('name', NAMES)
def test_a_command_says_how_it_is_run(name):
  module = importlib.import_module(f'benchmarks.{name}')
  assert f'python -m benchmarks.{name}' in module.__doc__
