"""A training that starts from a trained model has its rows, and new entities beside them."""

import numpy as np
import pytest

import medjax
from medjax import config as config_lib
from medjax import errors
from medjax.experiments import commands, runs

SLOW = {'train.steps': 1, 'train.learning_rate': 1e-9, 'eval.every': 0}  # so that what it starts from is what is saved


@pytest.mark.parametrize('run', ['trained', 'trained_complex'])
def test_rows_are_those_of_the_model(run, request, tiny_config, tmp_path):
  first = request.getfixturevalue(run)
  score = medjax.load(first).description.score
  fields = {'model.score': score, 'model.phase_scale': 2.5, 'train.init_from': str(first), 'train.seed': 9}
  runs.train(tiny_config(SLOW | fields), tmp_path / 'run')
  old, new = medjax.load(first), medjax.load(tmp_path / 'run')
  assert old.description.constants != new.description.constants or score != 'rotate'
  for relation in range(3):  # phases are stored in another unit
    np.testing.assert_allclose(
      new.score_all('tail', 1, relation), old.score_all('tail', 1, relation), rtol=1e-4, atol=1e-4
    )


def test_one_width_becomes_many(trained_complex, tiny_config, tmp_path):
  commands.crop(trained_complex, 8, tmp_path / 'crop')
  fields = {'model.score': 'complex', 'model.widths': '2:8:2', 'train.init_from': str(tmp_path / 'crop')}
  runs.train(tiny_config(SLOW | fields), tmp_path / 'run')
  model, start = medjax.load(tmp_path / 'run'), medjax.load(trained_complex, 8)
  assert model.widths.values == (2, 4, 6, 8)
  for name, leaf in start.params['entity'].items():
    np.testing.assert_allclose(model.params['entity'][name], leaf, atol=1e-6)


def test_new_entities_start_at_random(trained_complex, tiny_config, own_data, tmp_path, capsys):
  grown = tmp_path / 'grown'
  grown.mkdir()
  for split in ('train', 'valid', 'test'):
    text = (own_data / f'{split}.tsv').read_text()
    (grown / f'{split}.tsv').write_text(text + ('a00\tnext\te05\na00\tlikes\te07\n' if split == 'train' else ''))
  fields = {'model.score': 'complex', 'data.path': str(grown), 'train.init_from': str(trained_complex)}
  runs.train(tiny_config(SLOW | fields), tmp_path / 'run')
  old, new = medjax.load(trained_complex), medjax.load(tmp_path / 'run')
  assert new.entities.find('a00') == 0 and len(new.entities.labels) == 31
  np.testing.assert_allclose(new.params['entity']['re'][1:], old.params['entity']['re'], atol=1e-6)
  row = new.relations.find('mirror')
  np.testing.assert_allclose(
    new.params['relation']['im'][row], old.params['relation']['im'][old.relations.find('mirror')], atol=1e-6
  )
  assert np.abs(new.params['entity']['re'][0]).min() > 0
  printed = capsys.readouterr().out
  assert '30 of 31' in printed and '3 of 4' in printed


def test_a_run_goes_on_without_the_model_that_it_started_from(trained_complex, tiny_config, tmp_path):
  commands.crop(trained_complex, 12, tmp_path / 'crop')
  fields = {'model.score': 'complex', 'train.init_from': str(tmp_path / 'crop'), 'eval.every': 0, 'train.steps': 20}
  runs.train(tiny_config(fields), tmp_path / 'run')
  (tmp_path / 'crop').rename(tmp_path / 'moved')
  assert runs.train(tiny_config(fields), tmp_path / 'run') is not None
  with pytest.raises(errors.UsageError, match='train.init_from: .* there'):
    runs.train(tiny_config(fields | {'train.init_from': ''}), tmp_path / 'run')


@pytest.mark.parametrize(
  'fields, error, words',
  [
    ({'model.score': 'distmult'}, errors.ConfigError, 'it is a complex model; set config.model.score'),
    ({'model.widths': '4,10'}, errors.ConfigError, "width 10 was not trained.*config.model.widths='4,10'"),
    ({'train.init_from': 'nowhere'}, errors.ArtifactError, 'model.json is missing'),
    ({'data.path': '', 'data.name': 'world'}, errors.ConfigError, 'knows no entity of world'),
  ],
)
def test_a_model_that_does_not_fit_is_refused(fields, error, words, trained_complex, tiny_config, tmp_path):
  given = {'model.score': 'complex', 'train.init_from': str(trained_complex)} | fields
  with pytest.raises(error, match=words):
    runs.train(tiny_config(SLOW | given), tmp_path / 'run')
  assert not (tmp_path / 'run').exists() or 'data.name' in fields


def test_runs_that_are_older_than_the_field_have_none():
  assert config_lib.from_flat({'model.score': 'complex'}).train.init_from == ''
