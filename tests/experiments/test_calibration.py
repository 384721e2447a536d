"""Probabilities: the fit against a known truth, and what a calibrated model tells."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import medjax
from medjax import errors
from medjax.experiments import calibration, choosing, commands, evaluating
from medjax.serve import ask, probability


def test_a_fit_finds_the_truth():
  draw = np.random.default_rng(0)
  scores = draw.normal(3.0, 20.0, 200_000)
  truth = lambda score: 1 / (1 + np.exp(0.7 - 0.15 * score))
  found = calibration.fit(scores, draw.random(len(scores)) < truth(scores))
  asked = np.linspace(-30, 35, 14)
  np.testing.assert_allclose(found.probability(asked), truth(asked), atol=0.02)


@pytest.mark.parametrize('scores', [np.linspace(-1, 1, 60), np.zeros(60), np.repeat([-1.0, 1.0], 30)])
def test_a_fit_is_certain_of_nothing_and_never_falls(scores):
  found = calibration.fit(scores, np.arange(60) >= 30)
  said = found.probability(np.linspace(-3, 3, 20))
  assert (said > 0).all() and (said < 1).all() and (np.diff(said) >= 0).all()
  assert calibration.fit(scores, np.arange(60) < 30).probability(scores).max() < 0.6


def test_the_losses_and_curve_of_known_probabilities():
  said, is_true = np.array([0.9, 0.95, 0.2, 0.1]), np.array([True, False, False, False])
  assert calibration.log_loss(said, is_true) == pytest.approx(-np.log([0.9, 0.05, 0.8, 0.9]).mean())
  curve = calibration.curve(said, is_true)
  assert curve['true'].tolist() == [0.0, 0.0, 0.5] and curve['said'].round(3).tolist() == [0.1, 0.2, 0.925]


@pytest.fixture(scope='module')
def run(tiny_config, tmp_path_factory):
  workdir = tmp_path_factory.mktemp('calibrated') / 'run'
  line = [(i, name, i + j) for i in range(60) for name, j in (('next', 1), ('second', 2), ('third', 3))]
  small = {'steps': 400, 'batch': 64, 'negatives': 8, 'learning_rate': 0.05, 'split': '0.6,0.3,0.1'}
  medjax.train(line, workdir, score='transe', widths='4,8', **small)
  return workdir


def test_corrupted_triples_are_not_known(run):
  model = medjax.load(run)
  triples, is_true = calibration.sample(model, 0)
  known = set(map(tuple, model.graph.triples.tolist()))
  assert {tuple(t) in known for t in triples[is_true].tolist()} == {True}
  assert {tuple(t) in known for t in triples[~is_true].tolist()} == {False}
  assert ((triples[is_true] != triples[~is_true]).sum(1) == 1).all()


def test_a_calibrated_model_tells_probabilities(run, tmp_path, capsys):
  frame = calibration.calibrate(run)
  assert frame['width'].tolist() == [4, 8] and (frame['log_loss'] < np.log(2)).all()
  assert {'calibration.json', 'calibration.csv', 'calibration.png'} <= {path.name for path in run.iterdir()}
  commands.crop(run, 4, tmp_path / 'crop')
  for model in (medjax.load(run, 4), medjax.load(tmp_path / 'crop'), medjax.load(run).crop(4)):
    answers = model.predict_tails(3, 'next', k=5)
    expected = model.calibrations[4].probability(answers['score'])
    np.testing.assert_allclose(answers['probability'], expected)
    first = answers['label'][0]
    assert model.probability(3, 'next', first) == pytest.approx(answers['probability'][0], abs=1e-5)
    assert model.probability([3, 4], 'next', [4, 5]).shape == (2,)
  assert 'probability' in ask.ask(tmp_path / 'crop', head='3', relation='next')
  queries = pd.DataFrame({'head': ['3'], 'relation': ['next']})
  assert 'probability' in medjax.load(tmp_path / 'crop').predict(queries)
  assert set(probability.read(tmp_path / 'crop')) == {4}
  bare = dataclasses.replace(medjax.load(run), calibrations={})
  assert 'probability' not in bare.predict_tails(3, 'next')
  with pytest.raises(errors.UsageError, match='--mode=calibrate'):
    bare.probability(3, 'next', 4)


def test_too_few_triples_are_no_calibration(trained, tmp_path):
  commands.crop(trained, 4, tmp_path / 'crop')
  with pytest.raises(errors.UsageError, match='0 validation triples'):
    calibration.calibrate(tmp_path / 'crop')


def test_a_width_is_chosen(run, trained, tmp_path, capsys):
  frame = choosing.choose(run, keep=0.9, max_bytes=10**6, max_ms=10**-6)
  told = capsys.readouterr().out
  assert frame['width'].tolist() == [4, 8] and (frame['ms'] > 0).all() and 'kept' in told
  assert 'the best with at most 1,000,000 bytes is width' in told and 'no width has at most' in told
  commands.crop(trained, 4, tmp_path / 'crop')
  with pytest.raises(errors.UsageError, match='no triples'):
    choosing.choose(tmp_path / 'crop')
  commands.crop(trained, 4, tmp_path / 'one', with_triples=True)
  with pytest.raises(errors.UsageError, match='one width'):
    choosing.choose(tmp_path / 'one')
  commands.crop(trained, 8, tmp_path / 'two', with_triples=True)
  assert choosing.choose(tmp_path / 'two')['width'].tolist() == [4, 8]
  with pytest.raises(errors.UsageError, match='--keep=1.5'):
    choosing.choose(run, keep=1.5)
  assert evaluating.evaluate(run) is not None
