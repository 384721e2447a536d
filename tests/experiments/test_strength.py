"""The strength that short trainings choose: which one, that it is kept, and where there is nothing to choose by."""

import pytest

from medjax import errors, modes
from medjax.experiments import runs, strength, study
from medjax.saved import workdir as workdir_lib

SOFTMAX = {
  'model.score': 'complex_reciprocal',
  'objective.loss': 'softmax',
  'objective.regularizer': 'dura',
  'train.optimizer': 'adagrad',
  'train.learning_rate': 0.1,
  'train.steps': 100,
  'eval.every': 0,
}


@pytest.fixture
def config(tiny_config):
  return tiny_config(SOFTMAX | {'objective.strengths': '100,0.001', 'objective.regularization': 7.0})


def test_validation_chooses_and_the_run_keeps_it(config, tmp_path, monkeypatch, capsys):
  modes.train(config, str(tmp_path / 'run'))
  said = capsys.readouterr().out
  assert 'by the strength of the regulariser: 100: ' in said and 'it is 0.001' in said
  chosen = workdir_lib.read_config(tmp_path / 'run')
  assert chosen.objective.regularization == 0.001 and config.objective.regularization == 7.0
  brief = workdir_lib.read_config(tmp_path / 'run-strengths' / '100')
  assert brief.model.widths == '12' and brief.train.steps == 20 and brief.objective.strengths == ''
  expected = runs.train(strength.with_strength(config, 0.001), tmp_path / 'other')
  monkeypatch.setattr(study, 'results_of', None)  # nothing is searched for again
  found = runs.train(strength.find(config, tmp_path / 'run'), tmp_path / 'run')
  assert found['mrr'].tolist() == expected['mrr'].tolist()


@pytest.mark.parametrize('behind, chosen', [(0.0019, 0.02), (0.0021, 0.01)])
def test_of_those_near_the_best_the_strongest_is_chosen(config, tmp_path, monkeypatch, behind, chosen):
  found = {0.003: 0.39, 0.01: 0.42, 0.02: 0.42 - behind, 0.05: 0.3}
  config.objective.strengths = ','.join(map(str, found))
  monkeypatch.setattr(strength, 'merit', lambda config, folder: found[config.objective.regularization])
  assert strength.find(config, tmp_path / 'run').objective.regularization == chosen


@pytest.mark.parametrize('entities, negatives', [(1500, 2048), (2048, 2048), (2049, 1024)])
def test_short_trainings_have_all_entities_where_the_run_has(config, entities, negatives):
  config.train.negatives = 2048
  assert strength.brief(config, entities).train.negatives == negatives


def test_a_strength_that_diverges_is_out_of_the_choice(config, tmp_path, monkeypatch):
  def merit(config, folder, split):
    raise errors.Diverged('the loss is no number')

  monkeypatch.setattr(study, 'results_of', merit)
  with pytest.raises(errors.Diverged, match='all of config.objective.strengths diverge'):
    strength.find(config, tmp_path / 'run')


def test_without_validation_triples_the_strength_stays(config, tmp_path, capsys):
  path = tmp_path / 'facts.tsv'
  path.write_text('a\tr\tb\nb\tr\tc\nc\tr\ta\n')
  config.data.name, config.data.path, config.data.split = '', str(path), '1,0,0'
  assert strength.find(config, tmp_path / 'run') is config
  assert 'no validation triples' in capsys.readouterr().out


@pytest.mark.parametrize('text', ['a', '0.1,', '-1', 'nan', 'inf'])
def test_what_is_no_strength_is_refused(config, text, tmp_path):
  config.objective.strengths = text
  with pytest.raises(errors.ConfigError, match='objective.strengths='):
    strength.find(config, tmp_path / 'run')


def test_strengths_want_a_regulariser(tiny_config, tmp_path):
  with pytest.raises(errors.ConfigError, match='there is no regulariser'):
    runs.train(tiny_config({'objective.strengths': '0.1'}), tmp_path / 'run')
