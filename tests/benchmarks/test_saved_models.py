"""Commands that time or damage trained and saved models."""

import json

import numpy as np
import pytest

from benchmarks import (
  bert,
  damage,
  funnel,
  loading,
  use,
  web,
)
import medjax
from tests import browser
from tests.benchmarks.figures import positive
from tests.bert import recorded


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
