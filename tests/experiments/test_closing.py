"""The last lines of a training: their commands work as they are printed."""

import dataclasses
import shlex
import shutil

import pytest

from medjax import cli
from medjax.core import runtime
from medjax.experiments import closing
from medjax.serve import loading


@pytest.fixture(scope='module')
def run(trained, tmp_path_factory):
  return shutil.copytree(trained, tmp_path_factory.mktemp('closing') / 'a run')


def commands(text):
  """The arguments of every command of a text."""
  return [shlex.split(line.split(runtime.program())[1]) for line in text.splitlines() if runtime.program() in line]


def test_commands_work_as_they_are_printed(run, tiny_config, capsys):
  told = commands(closing.next_steps(run, loading.load(run)))
  modes = []
  for arguments in told:
    flags = dict(argument.removeprefix('--').split('=', 1) for argument in arguments)
    if flags.keys() & {'config.data.path', 'config.name'}:
      continue  # of one's own file
    mode, workdir = flags.pop('mode'), flags.pop('workdir')
    kinds = {'width': int, 'keep': float}
    given = {name: kinds.get(name, str)(value) for name, value in flags.items()}
    assert cli.run(mode, tiny_config(), workdir, given) == 0, capsys.readouterr().err
    modes.append(mode)
  assert modes == ['predict', 'crop', 'choose', 'report']


def test_a_training_ends_with_answers_and_what_to_do_next(run, tiny_config, capsys):
  assert cli.run('train', tiny_config(), str(run), {}) == 0
  text = capsys.readouterr().out
  assert 'width 4' in text and 'width 12' in text and '* is right' in text and f"'--workdir={run}'" in text
  assert text.index('written: ') < text.index('kept') < text.index('test question') < text.index('\nnext\n')


def test_a_run_without_test_triples_is_not_told_to_judge_widths(run, tmp_path):
  model = loading.load(run)
  untested = dataclasses.replace(model, graph=dataclasses.replace(model.graph, test=model.graph.test[:0]))
  text = closing.next_steps(tmp_path, untested)
  assert [arguments[0] for arguments in commands(text)] == [
    '--mode=predict',
    '--mode=crop',
    '--mode=inspect',
    '--config.data.path=FILE',
  ]


def test_a_name_is_that_by_which_a_question_finds_it(run):
  model = loading.load(run)
  assert [closing.name(model.entities, i) for i in (0, 7)] == ['e00', 'e07']


def test_the_width_to_crop_to_is_one_that_was_trained_and_no_full_one(run, tmp_path):
  model = loading.load(run)
  assert closing.small_width(tmp_path, model) == 8  # nothing was evaluated there
  assert closing.small_width(run, model) in (4, 8)
  assert closing.small_width(tmp_path, model.crop(4)) == 4
