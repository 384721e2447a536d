"""The program itself: its words, its help, and that it ends with a line whatever happens."""

import os
import re
import shlex
import subprocess
import sys

from absl import flags
import pytest

import medjax
from medjax import arguments, cli, ending, errors, modes, usage
from medjax import config as config_lib
from medjax.config import shipped
from medjax.core import runtime


@pytest.fixture(scope='module')
def started(repository, as_users_run):
  """A function that runs launch.py, in a process of its own."""

  def start(*words, cwd=repository, stdout=subprocess.PIPE, **environment):
    return subprocess.run(
      [sys.executable, repository / 'launch.py', *words],
      cwd=cwd,
      env=as_users_run | environment,
      stdout=stdout,
      stderr=subprocess.PIPE,
      text=True,
      check=False,
    )

  return start


def test_a_first_word_is_a_mode():
  assert arguments.by_mode(['crop', '--width=4']) == ['--mode=crop', '--width=4']
  assert arguments.by_mode(['--mode=crop']) == ['--mode=crop'] and arguments.by_mode([]) == []
  with pytest.raises(errors.UsageError, match="no mode 'predct'; did you mean 'predict'"):
    arguments.by_mode(['predct'])


def test_help_has_every_mode_on_two_screens():
  text = usage.overview()
  lines = text.splitlines()
  assert len(lines) <= 60 and max(map(len, lines)) <= 130
  assert text.startswith(f'medjax {medjax.__version__}')
  for mode in modes.MODES:
    assert sum(line.startswith(f'  {mode} ') for line in lines) == 1, mode
  assert {mode for group in usage.GROUPS.values() for mode in group} <= set(modes.MODES)


@pytest.mark.parametrize('mode', modes.MODES)
def test_a_mode_has_a_page_with_examples_that_can_be_given(mode, repository):
  said = usage.page(mode)
  assert said.purpose.endswith('.') and len(said.purpose) < 70 and said.more and said.examples
  text = usage.topic(mode)
  for flag in ('workdir', *modes.MODES[mode].flags):
    assert re.search(rf'^  --{flag}(=|$)', text, re.MULTILINE), flag
  assert ('--config=NAME' in text) == (modes.MODES[mode].reads is not None)
  for example in said.examples:
    program, first, *words = shlex.split(example)
    given = dict(word.removeprefix('--').partition('=')[::2] for word in words)
    assert (program, first) == ('medjax', mode)
    fields = {name.removeprefix('config.'): value for name, value in given.items() if name.startswith('config.')}
    assert fields.keys() <= config_lib.flatten(config_lib.Config()).keys()
    assert all(f'config.{field}'.startswith(modes.MODES[mode].reads) for field in fields)
    assert given.keys() - {f'config.{field}' for field in fields} <= {'config', 'workdir', *modes.MODES[mode].flags}
    if 'config' in given:
      assert shipped.find(given['config'].partition(':')[0]).is_relative_to(repository)


def test_help_answers_to_flags_fields_and_configurations():
  assert '--config.train.batch=512' in usage.topic('train.batch')
  assert 'corrupt the tail' in usage.topic('--config.train.batch')
  assert usage.topic('--config.train.batch=3') == usage.topic('train.batch')
  assert 'Flag of crop' in usage.topic('with_triples') and 'Flag of' not in usage.topic('workdir')
  both = usage.topic('seed')
  assert '  --seed=0' in both and '--config.train.seed=0' in both
  kinds = config_lib.Config(), config_lib.TextConfig()
  assert usage.topic('config').count('\n  --config.') == sum(len(config_lib.flatten(kind)) for kind in kinds)
  assert '--config.bert.reorder=False' in usage.topic('config')
  assert '--config=wn18rr/rotate' in usage.topic('configs')
  with pytest.raises(errors.UsageError, match="'widht'; did you mean 'width'"):
    usage.topic('widht')


def test_questions_have_their_answers():
  assert arguments.answer(['--version']) == f'medjax {medjax.__version__}'
  for asked in (['help', 'crop'], ['--mode=crop', '--help'], ['--mode=crop', '-h', '--width=3']):
    assert arguments.answer(asked) == usage.topic('crop')
  for asked in (['help'], ['--help'], ['-?'], ['--helpshort']):
    assert arguments.answer(asked) == usage.overview()
  assert arguments.answer(['help', 'crop', 'train.batch']) == f'{usage.topic("crop")}\n\n{usage.topic("train.batch")}'
  everything = arguments.answer(['--helpfull'])
  assert '--config.train.steps=8000' in everything and 'absl.app' in everything and '--[no]with_triples' in everything
  assert arguments.answer(['--mode=crop', '--width=4']) is None


def test_every_flag_is_of_a_mode():
  taken = {flag for mode in modes.MODES.values() for flag in mode.flags}
  assert taken == {option.name for option in arguments.OPTIONS} and all(flags.FLAGS[name].help for name in taken)


@pytest.mark.parametrize(
  'argv, command',
  [
    (['/x/bin/medjax', 'train', '--workdir=a b'], "medjax train '--workdir=a b'"),
    (['launch.py', '--mode=crop'], 'python launch.py --mode=crop'),
    (['medjax.exe'], 'medjax'),
    (['-c'], 'python -c'),
  ],
)
def test_a_run_remembers_the_command_as_it_was_given(monkeypatch, argv, command):
  monkeypatch.setattr(sys, 'argv', argv)
  assert runtime.command_line() == command


def test_help_and_version_come_from_the_program(started):
  helped = started('predict', '--help')
  assert (helped.returncode, helped.stderr) == (0, '') and '  python launch.py predict --' in helped.stdout
  assert started('--version').stdout == f'medjax {medjax.__version__}\n'
  wrong = started('help', 'crp')
  assert wrong.returncode == 2 and wrong.stderr.startswith("error: no mode, flag or field is called 'crp'")


@pytest.mark.parametrize(
  'text, words',
  [
    ('def get_config():\n  return nothing\n', ['line 2', 'NameError', 'nothing']),
    ('def get_config(:\n', ['line 1', 'SyntaxError']),
    ('import nowhere_to_be_found\n', ['line 1', 'ModuleNotFoundError']),
    ('from medjax import config\n\ndef get_config():\n  return config.Config(nme=1)\n', ['line 4', "'nme'"]),
    ('x = 1\n', ['get_config']),
    ('def get_config(what):\n  return what\n', ['get_config', 'TypeError']),
  ],
)
def test_a_mistake_in_a_configuration_is_named_with_its_line(started, tmp_path, text, words):
  (tmp_path / 'mine.py').write_text(text)
  done = started('--config=mine.py', cwd=tmp_path)
  assert done.returncode == 2 and done.stderr.count('\n') == 1 and done.stderr.startswith('error: ')
  for word in ('mine.py', *words):
    assert word in done.stderr


def failing(monkeypatch, error):
  def fail(config, workdir):
    raise error

  monkeypatch.setitem(modes.MODES, 'train', modes.Mode(fail, reads='config.'))
  return cli.run('train', config_lib.Config(), None, {})


def test_what_nobody_expected_is_one_line_that_tells_how_to_see_more(monkeypatch, capsys):
  monkeypatch.delenv('MEDJAX_TRACEBACK', raising=False)
  assert failing(monkeypatch, ZeroDivisionError('division\n  by zero' + 'o' * 1000)) == 1
  told = capsys.readouterr().err
  assert told.startswith('error: ZeroDivisionError: division by zeroo') and '--traceback' in told
  assert told.count('\n') == 1 and len(told) < 700


def test_what_a_person_gave_does_nothing_to_a_terminal(monkeypatch, capsys):
  monkeypatch.setenv('MEDJAX_TRACEBACK', '1')
  assert failing(monkeypatch, errors.DataError('a label \x1b[31m\r' + 'x' * 10**6)) == 2
  told = capsys.readouterr().err
  assert 'error: a label \\x1b[31m\\r' in told and not [c for c in told if not c.isprintable() and c != '\n']


@pytest.mark.parametrize('error', [MemoryError(), RuntimeError('RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes')])
def test_a_lack_of_memory_names_what_to_lower(monkeypatch, capsys, error):
  assert failing(monkeypatch, error) == 2
  told = capsys.readouterr().err
  assert told.startswith('error: out of memory') and 'config.eval.batch' in told and 'fault' not in told


@pytest.mark.parametrize('error, code', [(ZeroDivisionError('x'), 1), (errors.DataError('x'), 2)])
def test_a_traceback_is_shown_to_who_asks(monkeypatch, capsys, error, code):
  monkeypatch.setenv('MEDJAX_TRACEBACK', '1')
  assert failing(monkeypatch, error) == code
  told = capsys.readouterr().err
  assert 'Traceback' in told and 'in fail' in told and told.splitlines()[-1].startswith('error: ')


def test_an_interrupted_training_goes_on_and_other_modes_do_not(monkeypatch, capsys):
  assert failing(monkeypatch, KeyboardInterrupt()) == 130
  assert capsys.readouterr().err == 'interrupted; run the same command to go on from the last checkpoint\n'
  assert ending.end(KeyboardInterrupt()) == 130
  assert capsys.readouterr().err == 'interrupted\n'


def test_a_reader_that_has_seen_enough_is_no_error(started):
  reader, writer = os.pipe()
  os.close(reader)
  with os.fdopen(writer, 'w') as closed:
    done = started('--mode=inspect', stdout=closed)
  assert (done.returncode, done.stderr) == (141, '')


@pytest.mark.parametrize('seconds', [0.02, 0.3])
def test_ctrl_c_while_it_imports_is_one_line(repository, as_users_run, seconds):
  code = (
    'import os, signal, sys, threading\n'
    'from medjax.command import main\n'
    'signal.signal(signal.SIGINT, signal.default_int_handler)\n'  # whoever runs the tests may ignore it
    f'timer = threading.Timer({seconds}, os.kill, (os.getpid(), signal.SIGINT))\n'
    'timer.daemon = True\n'
    'timer.start()\n'
    'sys.argv = ["medjax", "report", "--workdir=nowhere"]\n'
    'sys.exit(main())'
  )
  environment = as_users_run | {'GLIBC_TUNABLES': 'glibc.malloc.hugetlb=0'}  # else it starts anew
  done = subprocess.run([sys.executable, '-c', code], cwd=repository, env=environment, capture_output=True, text=True)
  assert (done.returncode, done.stderr) == (130, 'interrupted\n')
