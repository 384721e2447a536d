"""Graphs without validation or test triples: trained, and said to be so wherever results are asked for."""

import re
import shutil

import pytest

from medjax import errors
from medjax.experiments import commands, evaluating, runs, study
from medjax.kge import settings as settings_lib
from medjax.report.figures import folder as report_folder
from medjax.serve import loading

QUICK = {'train.steps': 10, 'eval.every': 5, 'eval.patience': 1}


@pytest.fixture(scope='module')
def facts(own_data, tmp_path_factory):
  """A folder whose train has all triples of the small graph."""
  folder = tmp_path_factory.mktemp('facts')
  (folder / 'train.tsv').write_text(''.join((own_data / f'{s}.tsv').read_text() for s in ('train', 'valid', 'test')))
  return folder


@pytest.fixture(scope='module')
def untested(facts, tiny_config, tmp_path_factory):
  """The workdir of a run on them."""
  workdir = tmp_path_factory.mktemp('untested') / 'run'
  assert runs.train(tiny_config({'data.path': str(facts), **QUICK}), workdir) is None
  return workdir


def test_training_on_everything(untested, facts, tiny_config, capsys):
  model = loading.load(untested)
  assert [len(part) for part in model.graph.splits] == [90, 0, 0]
  assert len(model.predict_tails('e00', 'next', 3)) == 3
  assert not (untested / 'results.csv').exists() and (untested / 'cost.json').exists()
  assert 'valid' not in (untested / 'metrics.jsonl').read_text()
  runs.train(tiny_config({'data.path': str(facts), **QUICK}), untested)
  printed = capsys.readouterr().out
  assert 'no triples for valid and test: no validation and no evaluation of the training' in printed
  assert 'config.eval.every=5 is left out: there are no validation triples' in printed
  assert re.search(r'test: .* holds no test triples, so nothing is evaluated$', printed, re.MULTILINE)


def test_crops_and_extractions_of_it(untested, tmp_path, capsys):
  commands.crop(untested, 4, tmp_path / 'small', with_triples=True)
  assert evaluating.evaluate(tmp_path / 'small', 'valid') is None
  assert commands.extract(untested, widths='4', output=tmp_path / 'out') is None
  assert 'holds no valid triples' in capsys.readouterr().out and (tmp_path / 'out' / 'cost.json').exists()


def test_a_report_says_what_is_not_evaluated(untested, trained, tmp_path, capsys):
  with pytest.raises(errors.NothingSaved, match='no saved results.*1 runs there, such as run, have no results.csv'):
    report_folder.report(untested.parent)
  shutil.copytree(trained, tmp_path / 'one')
  shutil.copytree(untested, tmp_path / 'two')
  report_folder.report(tmp_path)
  assert 'left out: 1 runs there, such as two, have no results.csv' in capsys.readouterr().out


def test_a_study_names_the_split_it_lacks(untested, facts, tiny_config):
  config = settings_lib.resolve(tiny_config({'data.path': str(facts), **QUICK}))
  with pytest.raises(errors.NothingSaved, match='its graph holds no valid triples to choose by'):
    study.results_of(config, untested, 'valid')


def test_a_test_without_validation(own_data, tiny_config, tmp_path, capsys):
  (tmp_path / 'data').mkdir()
  for split in ('train', 'test'):
    (tmp_path / 'data' / f'{split}.tsv').write_text((own_data / f'{split}.tsv').read_text())
  results = runs.train(tiny_config({'data.path': str(tmp_path / 'data'), **QUICK}), tmp_path / 'run')
  assert list(results['width']) == [4, 8, 12] and results['mrr'].notna().all()
  assert evaluating.evaluate(tmp_path / 'run', 'valid') is None
  assert 'holds no valid triples, so nothing is evaluated; --mode=evaluate --split=test' in capsys.readouterr().out
