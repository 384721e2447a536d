"""A training that starts from a trained model has its rows, and new entities beside them."""

import jax
import numpy as np
import pytest

import medjax
from medjax import config as config_lib
from medjax import errors, scores
from medjax.core import widths as widths_lib
from medjax.experiments import commands, runs, start
from medjax.kge import settings as settings_lib
from medjax.scores import contract
from tests.serve.models import make_model

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
  model, first = medjax.load(tmp_path / 'run'), medjax.load(trained_complex, 8)
  assert model.widths.values == (2, 4, 6, 8)
  for relation in range(3):
    np.testing.assert_allclose(
      model.score_all('tail', 1, relation), first.score_all('tail', 1, relation), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize('name', scores.REGISTRY)
def test_a_crop_starts_with_the_scores_that_it_had(name):
  """In a run of its own a width is the full one, whose raw score is multiplied by another number."""
  crop = make_model(name).crop(4)
  config = config_lib.Config()
  config.model.score, config.model.widths, config.model.gamma_half = name, '4', 0.0
  score = scores.make(name, settings_lib.model_constants(config))
  widths = widths_lib.Widths((4,), score.components)
  triples = jax.numpy.array([[0, 0, 1], [3, 2, 5], [22, 3, 7]])
  before, after = (
    contract.score_triples(score, jax.tree.map(jax.numpy.asarray, tables), triples, widths)
    for score, tables in ((crop.description.make_score(), crop.params), (score, start.start_tables(crop, config)))
  )
  np.testing.assert_allclose(after, crop.description.scale[-1] * before, rtol=1e-4)


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
