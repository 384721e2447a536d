"""Commands that time a training step, or trainings, beside another library's."""

import ast
import importlib
import importlib.util
import pathlib
import sys

import numpy as np
import pytest

from benchmarks import (
  peer,
  running,
  time_to_quality,
  train_step,
)
from medjax import scores
from medjax.core.widths import Widths
from medjax.scores.contract import score_triples
from tests.benchmarks.figures import positive, TINY


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


def test_train_step_without_a_peer_and_of_chosen_rows(run):
  result = run(train_step, '--steps=2', '--copy-mib=1', '--rows=med,naive-rows', '--score=pairre')
  assert len(result['seconds_per_step']) == 2 and result['peer'] is None
  assert [ratio['to'] for ratio in result['ratios']] == ['medjax, 2 widths in one pass']


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


@pytest.mark.skipif(importlib.util.find_spec('torch') is not None, reason='needs a Python without PyTorch')
def test_a_peer_without_its_packages_is_told(capsys):
  with pytest.raises(SystemExit):
    train_step.main([*TINY, '--rows=med', f'--peer-python={sys.executable}'])
  assert "No module named 'torch'" in capsys.readouterr().err


def test_the_peer_imports_nothing_of_ours():
  text = ''.join(pathlib.Path(peer.__file__).with_name(name).read_text() for name in ('peer.py', 'plain_torch.py'))
  tree = ast.parse(text)
  names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
  names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
  assert {name.split('.')[0] for name in names} <= {'pykeen', 'torch', 'numpy', 'plain_torch', *sys.stdlib_module_names}


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


def test_time_to_quality_is_of_the_softmax(run, capsys):
  with pytest.raises(SystemExit):
    run(time_to_quality, '--objective=logsigmoid')
  assert '--objective=logsigmoid: take one of softmax, best' in capsys.readouterr().err


def test_tables_of_the_peer_are_ours(tmp_path):
  random = np.random.default_rng(0)
  entity, relation = (random.normal(size=(n, 3)) + 1j * random.normal(size=(n, 3)) for n in (5, 4))
  np.savez(tmp_path / 'tables.npz', entity=entity, relation=relation)
  model = time_to_quality.tables(tmp_path / 'tables.npz')
  score = scores.make('complex_reciprocal', scores.default_constants(1.0, 6))
  ask = lambda side: float(score_triples(score, model, np.array([0, 1, 2]), Widths((6,), 2), side)[0])
  expected = [(entity[a] * relation[r] * entity[b].conj()).sum().real for a, r, b in ((0, 2, 2), (2, 3, 0))]
  np.testing.assert_allclose([ask('tail'), ask('head')], expected, rtol=1e-5)
