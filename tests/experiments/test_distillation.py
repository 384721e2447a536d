"""Distilled runs as folders: chains, their costs, resumption, and teachers that are not what they were."""

import json
import shutil

import jax
import numpy as np
import pytest

from medjax import cli, errors
from medjax.experiments import distillation, runs
from medjax.experiments import teacher as teacher_lib
from medjax.kge import settings as settings_lib
from medjax.kge import task as task_lib
from medjax.report import collect, efficiency
from medjax.saved import artifact, checkpoint, graph_files
from medjax.saved import workdir as workdir_lib
from medjax.training import optimizers
from medjax.training import step as step_lib

PLAIN = {
  'objective.name': 'direct',
  'eval.every': 0,
  'train.steps': 20,
  'train.checkpoint_every': 5,
  'train.steps_per_dispatch': 5,
  'train.log_every': 5,
}


@pytest.fixture(scope='module')
def chained(tiny_config, tmp_path_factory):
  """A folder with the chains of TA and of BKD, for reading only."""
  folder = tmp_path_factory.mktemp('chain')
  for method, widths in (('ta', '12,8,4'), ('bkd', '12,4')):
    distillation.run(tiny_config(PLAIN | {'distill.method': method, 'distill.rates': 'width'}), folder, widths)
  return folder


@pytest.fixture
def student(tiny_config, chained):
  """A function of a method and further fields to the configuration of a student of width 4."""
  return lambda method, **fields: tiny_config(
    PLAIN | {'model.widths': '4', 'distill.method': method, 'distill.teacher': str(chained / 'direct-12')} | fields
  )


def cost_of(folder):
  return json.loads((folder / 'cost.json').read_text())


def test_a_chain_goes_from_width_to_width_and_a_star_from_the_first(chained):
  names = {run.name: run for run in collect.collect(chained)}
  assert set(names) == {'direct-12', 'ta-8', 'ta-4', 'bkd-4'}
  teachers = {name: [one['width'] for one in cost_of(chained / name).get('teacher', [])] for name in names}
  assert teachers == {'direct-12': [], 'ta-8': [12], 'ta-4': [8, 12], 'bkd-4': [12]}
  assert cost_of(chained / 'ta-4')['teacher'][0]['hash'] == cost_of(chained / 'ta-8')['hash']
  assert [names[name].method for name in ('direct-12', 'ta-4', 'bkd-4')] == ['DT', 'TA', 'BKD']
  assert [names[name].fields['train.learning_rate'] for name in ('direct-12', 'ta-4')] == [5e-3, pytest.approx(15e-3)]


def test_the_same_command_goes_on(chained, tiny_config, monkeypatch):
  trained = []
  monkeypatch.setattr(runs, 'train', lambda config, folder, split='test': trained.append(folder.name))
  config = tiny_config(PLAIN | {'distill.method': 'ta', 'distill.rates': 'width'})
  frame = distillation.run(config, chained, '4,8,12')
  assert not trained and frame['run'].tolist() == ['direct-12', 'ta-8', 'ta-4']


def test_a_report_has_a_row_a_method_and_counts_every_teacher_once(chained):
  (rows,) = collect.grouped(collect.collect(chained)).values()
  assert [row.label for row in rows] == ['DT', 'BKD', 'TA']
  seconds = {path.name: cost_of(path)['train_seconds'] for path in chained.iterdir()}
  found = efficiency.of_row(rows[2], (4, 8))
  assert found['seconds'] == pytest.approx(sum(seconds[name] for name in ('ta-4', 'ta-8', 'direct-12')))
  assert found['trainings'] == 3 and found['kind'] == 'measured' and found['steps'] == 60
  narrow = efficiency.of_row(collect.Row('TA', rows[2].runs), (4,))
  assert narrow['seconds'] == pytest.approx(seconds['ta-4'] + seconds['ta-8'] + seconds['direct-12'])
  star = efficiency.of_row(rows[1], (4, 12))
  assert star['kind'] == 'measured' and star['trainings'] == 2  # the teacher is the model of width 12
  assert star['seconds'] == pytest.approx(seconds['bkd-4'] + seconds['direct-12'])
  assert cost_of(chained / 'ta-4')['teacher_seconds'] == pytest.approx(seconds['ta-8'] + seconds['direct-12'], abs=0.1)


@pytest.mark.parametrize('method', ['bkd', 'dualde'])
def test_an_interrupted_student_resumes_bit_for_bit(method, student, chained, tmp_path, monkeypatch):
  if method == 'bkd':
    whole = chained / 'bkd-4'
    config = workdir_lib.read_config(whole)
  else:  # its teacher is part of the state, and trained from step 10 on
    config, whole = student(method), tmp_path / 'whole'
    runs.train(config, whole)
  save, saved = checkpoint.Checkpoints.save, []

  def save_three(self, state, merit=None):
    save(self, state, merit)
    saved.append(int(state.step))
    if len(saved) == 4:
      raise KeyboardInterrupt

  with monkeypatch.context() as patch:
    patch.setattr(checkpoint.Checkpoints, 'save', save_three)
    with pytest.raises(KeyboardInterrupt):
      runs.train(config, tmp_path / 'cut')
  assert saved[-1] == 15
  runs.train(config, tmp_path / 'cut')
  states = []
  for folder in (whole, tmp_path / 'cut'):
    there, graph, description = (
      read(folder) for read in (workdir_lib.read_config, graph_files.read_graph, artifact.read_description)
    )
    taught, teacher = teacher_lib.find(there, folder)
    task = task_lib.make_task(
      there,
      description.make_score(),
      description.make_widths(),
      graph,
      teacher=teacher_lib.load_teacher(taught, teacher, graph),
    )
    like = step_lib.init_state(task, there.train, optimizers.make(there.train))
    states.append(checkpoint.Checkpoints(folder / 'checkpoints', read_only=True).restore(like))
  pairs = list(zip(*map(jax.tree.leaves, states)))
  assert len(pairs) > (20 if method == 'dualde' else 8)
  assert all(np.array_equal(a, b) for a, b in pairs)
  assert (whole / 'results.csv').read_text() == (tmp_path / 'cut' / 'results.csv').read_text()


def test_a_changed_teacher_is_refused_and_a_moved_one_is_not(student, chained, tiny_config, tmp_path, capsys):
  teacher = tmp_path / 'teacher'
  shutil.copytree(chained / 'direct-12', teacher)
  config = student('bkd', **{'distill.teacher': str(teacher)})
  runs.train(config, tmp_path / 'run')
  teacher.rename(tmp_path / 'moved')
  assert cli.run('train', config, str(tmp_path / 'run'), {}) == 2
  assert 'no such folder' in capsys.readouterr().err
  config.distill.teacher = str(tmp_path / 'moved')
  assert cli.run('train', config, str(tmp_path / 'run'), {}) == 0
  runs.train(tiny_config(PLAIN | {'model.widths': '12', 'train.seed': 1}), teacher)
  config.distill.teacher = str(teacher)
  assert cli.run('train', config, str(tmp_path / 'run'), {}) == 2
  error = capsys.readouterr().err
  assert 'its weights have the hash' in error and 'bring that teacher back' in error


def test_a_teacher_has_to_fit(student, chained, trained_complex, tmp_path):
  with pytest.raises(errors.TeacherError, match='one score, here rotate'):
    runs.train(student('dualde', **{'distill.teacher': str(trained_complex)}), tmp_path / 'a')
  with pytest.raises(errors.TeacherError, match='entities are not those of world'):
    runs.train(student('bkd', **{'data.path': ''}), tmp_path / 'b')


@pytest.mark.parametrize(
  'fields, message',
  [
    ({'distill.method': 'bkd'}, 'set both'),
    ({'distill.teacher': 'x'}, 'set both'),
    ({'distill.method': 'bkd', 'distill.teacher': 'x', 'objective.name': 'med'}, 'a student has'),
    ({'distill.method': 'bkd', 'distill.teacher': 'x', 'model.widths': '4,8'}, 'a student has'),
    ({'distill.method': 'ta', 'distill.teacher': 'x', 'distill.weight': 1.5}, 'at most 1.0'),
    ({'distill.method': 'kd', 'distill.teacher': 'x'}, 'did you mean'),
  ],
)
def test_a_configuration_that_cannot_be_run_is_refused(fields, message, tiny_config):
  with pytest.raises(errors.ConfigError, match=message):
    settings_lib.resolve(tiny_config({'objective.name': 'direct', 'model.widths': '4'} | fields))


def test_a_chain_needs_a_method_and_widths(tiny_config, tmp_path):
  with pytest.raises(errors.ConfigError, match='--mode=distill needs one of bkd, ta, dualde, iterde'):
    distillation.run(tiny_config(), tmp_path, '8,4')
  with pytest.raises(errors.ConfigError, match='a chain needs'):
    distillation.run(tiny_config({'distill.method': 'ta'}), tmp_path, '8')
  with pytest.raises(errors.WidthError):
    distillation.run(tiny_config({'distill.method': 'ta'}), tmp_path, '8,3')
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('text', ['640,160,40', '40,160,640'])
def test_widths_are_taken_downwards(text):
  assert distillation.downwards(text) == (640, 160, 40)


def test_links_are_direct_and_have_the_margin_of_their_width(tiny_config):
  med = tiny_config(
    {'model.gamma': 6.0, 'model.gamma_half': 8.0, 'train.narrow_rate': 0.5, 'objective.evolutionary': True}
  )
  link = distillation.link(med, 8, 12, '', '')
  assert (link.objective.name, link.objective.evolutionary, link.train.narrow_rate) == ('direct', False, 0.0)
  assert (link.model.gamma, link.model.gamma_half) == (3.0, 0.0)
  med.model.gamma_power = 1.0
  assert distillation.link(med, 4, 12, '', '').model.gamma == 2.0
