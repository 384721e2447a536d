"""The study of croppable BERTs: what it trains and judges, that it goes on, and its tables."""

import pandas as pd
import pytest

from benchmarks import glue
from medjax import config as config_lib
from medjax.report import document, sentences
from tests.bert import labelled, recorded


@pytest.fixture
def root(tmp_path, monkeypatch):
  """A folder of GLUE that has a small SST-2."""
  folder = labelled.write(tmp_path / 'SST-2')
  for name in ('train', 'dev'):
    path = folder / f'{name}.tsv'
    path.write_text(path.read_text().replace('\tdry', '\t0').replace('\twet', '\t1'))
  monkeypatch.setenv('MEDJAX_DATA_ROOT', str(tmp_path))
  return tmp_path


def test_a_study_trains_what_lacks_and_writes_its_rows(root, monkeypatch):
  command = ['--tasks=sst2', '--ablated=sst2', '--seeds=0', '--rates=1e-3', '--widths=16,32', '--layers=1']
  command += [f'--weights={recorded.TINY}', '--dropout=0', '--examples=64', '--epochs=1', '--batch=8', '--lengths=24']
  command += [f'--workdir={root / "runs"}', f'--output={root / "out"}', '--arms=direct-16,untrained']
  glue.main(command)
  found = pd.read_csv(root / 'out' / 'glue.csv')
  assert list(found.columns) == list(glue.COLUMNS)
  assert found[['arm', 'split', 'width']].to_numpy().tolist() == [
    *(['direct-16', split, 16] for split in ('valid', 'dev')),
    *([arm, 'dev', width] for arm in ('untrained', 'untrained-reordered') for width in (16, 32)),
  ]
  before = found[found['width'] == 32]['score']
  assert before.iloc[0] == before.iloc[1]  # of the full width, reordering moves nothing but places
  assert (found['examples'] == 64).all() and found['chosen'].all() and found['score'].between(0, 1).all()
  monkeypatch.setattr(glue.text_training, 'train', None)  # nothing lacks
  glue.main(command)
  pd.testing.assert_frame_equal(pd.read_csv(root / 'out' / 'glue.csv'), found)
  assert 'direct-16' in (root / 'out' / 'glue.txt').read_text()
  glue.main([*command, '--arms=direct-16'])
  kept = pd.read_csv(root / 'out' / 'glue.csv')  # those of other arms, too
  pd.testing.assert_frame_equal(
    kept.sort_values(['split', 'arm', 'width'], ignore_index=True),
    found.sort_values(['split', 'arm', 'width'], ignore_index=True),
  )


def test_validation_chooses_the_rate_and_only_that_is_judged(tmp_path, monkeypatch):
  asked = []

  def judged(config, folder, split):
    asked.append((config.train.learning_rate, config.train.seed, split, config.objective.teacher))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'cost.json').write_text('{"train_seconds": 1.0}')
    score = 0.9 - abs(config.train.learning_rate - 0.2)
    return pd.DataFrame([{'width': 8, 'score': score, 'params': 1, 'examples': 5}])

  monkeypatch.setattr(glue, 'judged', judged)
  base = config_lib.updated(config_lib.TextConfig(), {'bert.widths': '4,8', 'data.examples': 7})
  chosen = [arm for arm in glue.arms(base) if arm.name in ('direct-8', 'distilled-4')]
  rows = pd.DataFrame(glue.study(base, chosen, (0.1, 0.2), (0, 1), tmp_path))
  of_arm = [(0.1, 0, 'valid'), (0.2, 0, 'valid'), (0.2, 0, 'dev'), (0.2, 1, 'dev')]
  assert [each[:3] for each in asked] == 2 * of_arm
  assert [each[3] for each in asked[:4]] == [''] * 4
  assert asked[-1][3] == str(tmp_path / 'direct-8' / 'rate-0.2-seed1')
  assert set(rows[rows['chosen']]['rate']) == {0.2} and set(rows['examples']) == {7}


def test_every_arm_has_the_same_budget_but_for_one_that_computes_as_much_as_med():
  base = config_lib.updated(config_lib.TextConfig(), {'bert.widths': '4,8,12', 'train.epochs': 2.0})
  found = glue.arms(base, ablated=True)
  assert [arm.name for arm in found[:4]] == ['med', 'direct-12', 'hat', 'sandwich']
  epochs = {arm.name: glue.configured(base, arm, 1e-4, 0, 'teacher').train.epochs for arm in found}
  assert len(epochs) == len(found) == 14
  assert epochs.pop('hat-long') == 6.0 and set(epochs.values()) == {2.0}


def rows(arm, widths, score, task='sst2', seeds=(0, 1)):
  common = {'layers': 3, 'dropout': 0, 'epochs': 1, 'batch': 16, 'lengths': '16', 'rate': 1e-4, 'chosen': True}
  return [
    common
    | {'task': task, 'arm': arm, 'width': width, 'seed': seed, 'split': split, 'examples': 9}
    | {'score': score + 0.01 * seed if split == 'dev' else 0.0}
    for width in widths
    for seed in seeds
    for split in ('valid', 'dev')
  ]


def test_tables_tell_scores_goals_and_ablations(tmp_path):
  frame = pd.DataFrame(
    rows('med', (4, 8), 0.8)
    + rows('direct-8', (8,), 0.82, seeds=(0,))
    + rows('hat', (4, 8), 0.75)
    + rows('med-without-mutual', (4, 8), 0.79)
  )
  header, found = sentences.score_table(frame)
  assert header == ['task', 'method', '4', '8', 'seeds']
  assert found[0] == ['sst2', 'MED', '80.5 (80.0 to 81.0)', '80.5 (80.0 to 81.0)', '2']
  assert found[1] == ['sst2', 'direct', '', '82.0', '1']
  _, goals = sentences.goal_table(frame)
  assert goals == [
    ['HAT-style, width 4', '+5.0', '+5.0', '+3.0', 'yes'],
    ['direct, width 8', '-2.0', '-2.0', '-0.5', 'no'],  # of the one seed that both have
  ]
  assert sentences.ablation_table(frame)[1][1] == ['sst2', 'MED, without mutual', '-1.0', '-1.0', '-1.0']
  frame.to_csv(tmp_path / 'glue.csv', index=False)
  page = tmp_path / 'page.md'
  page.write_text(
    '<!-- sentences: glue.csv -->\n<!-- end -->\n<!-- sentences-figure: glue.csv a.png -->\n<!-- end -->\n'
  )
  document.fill(page)
  assert '| sst2 | HAT-style |' in page.read_text() and (tmp_path / 'a.png').stat().st_size > 10_000
