"""Splits of which nothing can be ranked: told in tables, files and plots."""

import pandas as pd
import pytest

from medjax import cli, errors
from medjax.data import triples
from medjax.experiments import evaluating, runs, study
from medjax.report import collect, quality, tables


@pytest.fixture(scope='module')
def data(own_data, tmp_path_factory):
  """A graph whose test triples all name an entity that train lacks, and whose valid triples do too."""
  folder = tmp_path_factory.mktemp('unseen')
  (folder / 'train.tsv').write_text((own_data / 'train.tsv').read_text())
  for split, names in (('valid', 'ab'), ('test', 'cd')):
    (folder / f'{split}.tsv').write_text(''.join(f'e00\tnext\tnew-{name}\n' for name in names))
  assert triples.read_folder(folder).unseen_entities().sum() == 4
  return folder


@pytest.fixture(scope='module')
def workdir(data, tiny_config, tmp_path_factory):
  workdir = tmp_path_factory.mktemp('runs') / 'run'
  runs.train(tiny_config({'data.path': str(data), 'eval.unseen': 'skip', 'eval.every': 0}), workdir)
  return workdir


@pytest.mark.parametrize('split', ['test', 'valid'])
def test_results_say_that_nothing_was_ranked(workdir, split, capsys):
  results = evaluating.evaluate(workdir, split, ranks=True)
  printed = capsys.readouterr().out
  assert f'{split}: 2 triples' in printed and '2 skipped' in printed
  assert 'no triples to rank: all of them name an entity unseen in training' in printed and 'nan' not in printed.lower()
  assert results['width'].tolist() == [4, 8, 12] and results['mrr'].isna().all()
  stem = 'results' if split == 'test' else 'results-valid'
  saved = pd.read_csv(workdir / f'{stem}.csv')
  assert set(saved['candidates']) == {tables.NOTHING} and saved['mrr'].isna().all()
  assert (pd.read_csv(workdir / f'{stem}-detail.csv')['queries'] == 0).all()
  assert (workdir / f'{stem}.png').exists()


def test_chosen_candidates_are_no_exception(workdir, capsys):
  assert evaluating.evaluate(workdir, candidates=5)['mrr'].isna().all()
  assert tables.NOTHING in capsys.readouterr().out


def test_a_report_goes_on_beside_such_a_run(workdir, trained, tiny_config, tmp_path):
  for name, source in (('nothing', workdir), ('something', trained)):
    (tmp_path / name).symlink_to(source, target_is_directory=True)
  found = [run for name in ('nothing', 'something') for run in collect.collect(tmp_path / name)]
  (row,) = collect.rows(found[:1])
  _, (cells, *_) = quality.table('own', 'rotate', [row])
  assert cells[-1] == tables.NOTHING and set(cells[1:-1]) == {'- (-)'}
  (row, other) = (collect.rows([run])[0] for run in found)
  _, body = quality.table('own', 'rotate', [row, other, other])
  assert '**' in body[1][1] and '**' not in body[0][1]
  assert cli.run('report', tiny_config(), str(workdir.parent), {'output': str(tmp_path / 'out')}) == 0
  assert tables.NOTHING in (tmp_path / 'out' / 'report.md').read_text()


def test_a_study_cannot_choose_by_nothing(data, tiny_config, tmp_path):
  base = tiny_config({'data.path': str(data), 'eval.unseen': 'skip', 'eval.every': 0, 'train.steps': 20})
  with pytest.raises(errors.DataError, match='no triples to rank in valid'):
    study.run(study.Study('s', base, {'arm': [{}]}, (0,)), tmp_path)
