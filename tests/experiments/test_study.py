"""Studies: validation chooses, test judges, what is there is not trained again."""

import pandas as pd
import pytest

from medjax import cli, errors
from medjax.experiments import runs, study


@pytest.fixture
def small(tiny_config):
  base = tiny_config({'eval.every': 0, 'train.steps': 20})
  arms = {
    'med': study.grid(train__learning_rate=[1e-9, 5e-2]),
    'direct-4': study.grid({'objective.name': 'direct', 'model.widths': '4'}, train__learning_rate=[1e-2]),
  }
  return study.Study('small', base, arms, seeds=(0, 1))


def test_a_grid_has_every_combination():
  points = study.grid({'name': 'x'}, train__steps=[1, 2], model__gamma=[3.0, 4.0])
  assert len(points) == 4 and {'name': 'x', 'train.steps': 2, 'model.gamma': 3.0} in points
  assert study.labels(points)[0] == 'steps=1,gamma=3.0'
  assert study.labels([{'name': 'x'}]) == ['base']


def test_direct_training_and_the_paper_are_points_beside_any_base(tiny_config):
  base = tiny_config({'model.gamma_half': 40.0, 'train.narrow_rate': 0.1, 'objective.mutual_power': 2.0})
  points = study.direct(4, {1.0: [0.1, 0.2], 3.0: [0.1]})
  made = [study.make(base, point, 0) for point in points]
  assert [(c.model.widths, c.model.gamma, c.train.learning_rate) for c in made] == [
    ('4', 1.0, 0.1),
    ('4', 1.0, 0.2),
    ('4', 3.0, 0.1),
  ]
  assert {(c.objective.name, c.model.gamma_half, c.train.narrow_rate) for c in made} == {('direct', 0.0, 0.0)}
  assert study.make(base, study.named('paper'), 0).objective.mutual_power == 0.0


def test_the_best_on_validation_is_judged_on_test_with_every_seed(small, tmp_path):
  frame = study.run(small, tmp_path)
  med = frame[frame['arm'] == 'med']
  valid = med[(med['split'] == 'valid') & (med['seed'] == 0)].groupby('point')['mrr'].mean()
  assert len(valid) == 2
  judged = med[med['split'] == 'test']
  assert set(judged['point']) == {valid.idxmax()} == set(med[med['chosen']]['point'])
  assert sorted(judged['seed'].unique()) == [0, 1] and sorted(judged['width'].unique()) == [4, 8, 12]
  assert set(frame[frame['arm'] == 'direct-4']['width']) == {4}
  saved = pd.read_csv(tmp_path / 'study.csv')
  assert len(saved) == len(frame) and set(saved['steps']) == {20}
  results = pd.read_csv(tmp_path / 'med' / f'{valid.idxmax()}-seed1' / 'results.csv')
  mine = judged[judged['seed'] == 1].sort_values('width')
  assert list(results['mrr']) == pytest.approx(list(mine['mrr']))


def test_the_widths_that_a_study_names_decide(small, tmp_path, monkeypatch):
  mrr = {1e-9: [0.5, 0.1, 0.1], 5e-2: [0.1, 0.4, 0.4], 1e-2: [0.3]}

  def results_of(config, folder, split):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'cost.json').write_text('{"steps": 20, "train_seconds": 1}')
    rows = mrr[config.train.learning_rate]
    return pd.DataFrame(
      {'width': [4, 8, 12][: len(rows)], 'mrr': rows}
      | {name: 0.0 for name in study.COLUMNS if name not in ('width', 'mrr')}
    )

  monkeypatch.setattr(study, 'results_of', results_of)
  picked = lambda frame: set(frame[frame['chosen']]['point'])
  assert picked(study.run(small, tmp_path)) == {'learning_rate=0.05', 'base'}
  small.widths = (4, 8)
  frame = study.run(small, tmp_path)
  assert picked(frame) == {'learning_rate=1e-09', 'base'}
  assert sorted(set(frame['merit'])) == pytest.approx([0.25, 0.3])
  small.widths = (12,)
  frame = study.run(small, tmp_path)
  assert picked(frame) == {'learning_rate=0.05', 'base'} and set(frame['merit']) == {0.1, 0.4, 0.3}


def test_an_interrupted_study_goes_on(small, tmp_path, monkeypatch):
  whole = study.run(small, tmp_path / 'whole')
  trained = []
  train = runs.train

  def stop_at_third(config, workdir, split):
    if len(trained) == 2:
      raise KeyboardInterrupt
    trained.append(workdir)
    return train(config, workdir, split)

  monkeypatch.setattr(runs, 'train', stop_at_third)
  with pytest.raises(KeyboardInterrupt):
    study.run(small, tmp_path / 'cut')
  assert len(pd.read_csv(tmp_path / 'cut' / 'study.csv')) > 0
  again = []
  monkeypatch.setattr(runs, 'train', lambda *arguments: (again.append(arguments[1]), train(*arguments)))
  resumed = study.run(small, tmp_path / 'cut')
  assert not set(again) & set(trained)
  pd.testing.assert_frame_equal(whole.drop(columns='train_seconds'), resumed.drop(columns='train_seconds'))


def test_a_diverging_point_is_out_of_the_choice(small, tmp_path):
  small.arms = {'med': study.grid(model__gamma=[1e38, 6.0])}
  frame = study.run(small, tmp_path)
  assert set(frame['point']) == {'gamma=6.0'}


def test_an_arm_that_only_diverges_is_left_out(small, tmp_path, capsys):
  small.arms = {'paper': study.grid(model__gamma=[1e38])} | small.arms
  frame = study.run(small, tmp_path)
  assert list(frame['arm'].unique()) == ['med', 'direct-4']
  assert 'paper is left out: all of its points diverge' in capsys.readouterr().out
  small.arms = {'paper': small.arms['paper']}
  with pytest.raises(errors.Diverged, match='all points of all arms diverge'):
    study.run(small, tmp_path)


def test_a_bad_point_is_refused_before_anything_is_trained(small, tmp_path):
  small.arms['late'] = study.grid(train__batch=[7])
  with pytest.raises(errors.ConfigError, match='train.batch=7'):
    study.run(small, tmp_path)
  assert not list(tmp_path.iterdir())


def test_mode_and_configuration_belong_together(small, tiny_config, tmp_path, capsys):
  assert cli.run('study', tiny_config(), str(tmp_path), {}) == 2
  assert cli.run('train', small, str(tmp_path), {}) == 2
  assert capsys.readouterr().err.count('belong together') == 2
