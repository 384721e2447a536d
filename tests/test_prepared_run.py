"""A run on a prepared graph, from the command line to a cropped model that finds its graph again."""

import json

import numpy as np
import pandas as pd
import pytest

from medjax import cli, errors
from medjax import config as config_lib
from medjax.experiments import commands, evaluating, runs
from medjax.saved import artifact
from medjax.serve import loading

pytest.importorskip('duckdb', reason='prepared graphs need DuckDB (the extra "big")')


@pytest.fixture(scope='module')
def prepared_run(tiny_config, tmp_path_factory):
  """(store, workdir) of a run that validates and evaluates among 7 drawn candidates; for reading only."""
  folder = tmp_path_factory.mktemp('prepared')
  commands.prepare(tiny_config(), folder / 'store')
  runs.train(
    tiny_config(
      {'data.path': str(folder / 'store'), 'eval.candidates': 7, 'model.score': 'distmult', 'model.widths': '4,8,12'}
    ),
    folder / 'run',
  )
  return folder / 'store', folder / 'run'


def test_the_triples_are_not_copied(prepared_run):
  store, workdir = prepared_run
  names = {path.name for path in workdir.iterdir()}
  assert 'graph.json' in names and not names & {'triples.npz', 'entities.tsv'}
  reference = json.loads((workdir / 'graph.json').read_text())
  assert reference == {'path': str(store), 'hash': json.loads((store / 'store.json').read_text())['hash']}
  loaded = loading.load(workdir, 8)
  assert isinstance(loaded.graph.train, np.memmap)
  assert len(loaded.predict_tails('e00', 'next', k=3)) == 3


def test_results_among_candidates_are_never_called_results_csv(prepared_run):
  _, workdir = prepared_run
  assert not (workdir / 'results.csv').exists()
  found = pd.read_csv(workdir / 'results-candidates-7.csv')
  assert set(found['candidates']) == {'7 drawn'} and (workdir / 'results-candidates-7-detail.csv').exists()


def test_a_flag_chooses_the_candidates_of_one_evaluation(prepared_run, capsys):
  _, workdir = prepared_run
  assert cli.run('evaluate', config_lib.Config(), str(workdir), {'candidates': 5}) == 0
  assert 'NOT ranked among all entities, but among candidates: 5 drawn' in capsys.readouterr().out
  whole = evaluating.evaluate(workdir, candidates=0)
  assert set(whole['candidates']) == {'all'} and (workdir / 'results.csv').exists()
  assert (whole['mr'] > pd.read_csv(workdir / 'results-candidates-5.csv')['mr']).all()
  (workdir / 'results.csv').unlink()


def test_a_cropped_model_keeps_the_reference_and_how_it_was_evaluated(prepared_run, tmp_path):
  _, workdir = prepared_run
  commands.crop(workdir, 8, tmp_path / 'small', with_triples=True)
  assert artifact.read_description(tmp_path / 'small').candidates == 7
  of_crop, of_run = evaluating.evaluate(tmp_path / 'small'), pd.read_csv(workdir / 'results-candidates-7.csv')
  pd.testing.assert_frame_equal(of_crop, of_run[of_run['width'] <= 8])


def test_a_moved_store_is_told_and_found_again(prepared_run, tmp_path):
  store, workdir = prepared_run
  commands.crop(workdir, 8, tmp_path / 'small', with_triples=True)
  store.rename(tmp_path / 'elsewhere')
  try:
    with pytest.raises(errors.ArtifactError) as error:
      loading.load(tmp_path / 'small')
    assert str(store) in str(error.value) and 'write its new path into' in str(error.value)
    reference = json.loads((tmp_path / 'small' / 'graph.json').read_text())
    (tmp_path / 'small' / 'graph.json').write_text(json.dumps(reference | {'path': str(tmp_path / 'elsewhere')}))
    assert loading.load(tmp_path / 'small').graph.num_entities == 30
    (tmp_path / 'small' / 'graph.json').write_text(json.dumps({'path': str(tmp_path / 'elsewhere'), 'hash': '0' * 64}))
    with pytest.raises(errors.ArtifactError, match='not 0000'):
      loading.load(tmp_path / 'small')
  finally:
    (tmp_path / 'elsewhere').rename(store)


@pytest.mark.parametrize(
  'given, fields, words',
  [
    ({}, [], '--mode=prepare needs --output'),
    ({'output': 'x', 'width': 4}, [], '--width=4 has no meaning with --mode=prepare'),
    ({'output': 'x'}, ['config.data.path', 'config.train.steps'], '--config.train.steps has no meaning'),
  ],
)
def test_mistakes_of_preparing_are_told(given, fields, words, capsys):
  assert cli.run('prepare', config_lib.Config(), None, given, fields) == 2
  assert words in capsys.readouterr().err


def test_candidates_that_a_graph_does_not_bring_are_told_before_training(tiny_config, tmp_path, capsys):
  assert cli.run('train', tiny_config({'eval.candidates': -1}), str(tmp_path / 'run'), {}) == 2
  assert 'brings no candidates for valid' in capsys.readouterr().err
