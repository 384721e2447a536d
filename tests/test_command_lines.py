"""Every command that a page tells is one that can be given: it has a mode, flags and fields that there are.

Nothing is run; what commands train is held by tests/test_documents.py, and the pages below docs/contributing, which add
what their commands name, by tests/test_contributing.py.
"""

import argparse
import importlib
import pathlib
import re
import shlex
import sys

from absl.flags import FLAGS
import pytest

from medjax import arguments, errors, modes
from medjax import config as config_lib
from medjax.applications.settings import Applications
from medjax.config import rules
from medjax.experiments import study
from tests.test_documents import configured, load

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob('*.md')), *sorted((ROOT / 'docs').rglob('*.md'))]
PAGES = [page for page in PAGES if page.parent.name != 'contributing']
BLOCK = re.compile(r'^```bash\n(.*?)^```$', re.DOTALL | re.MULTILINE)
BEFORE = r'^(?:\$ |srun .*? |(?:[A-Z_]+=\S+ )+)?'  # what may stand before a command
LAUNCH = re.compile(BEFORE + r'(?:python launch\.py|medjax)(?= |$)(.*)$', re.MULTILINE)
MODULE = re.compile(BEFORE + r'python -m ((?:medjax|benchmarks)\.\S+)(.*)$', re.MULTILINE)


def told(page, kind):
  """What follows the commands of a kind in the blocks of bash of a page."""
  text = '\n'.join(BLOCK.findall(page.read_text())).replace('\\\n', ' ')
  return kind.findall(text)


def pages(kind):
  return [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in PAGES if told(page, kind)]


def check_value(flag, text):
  """Raises ValueError for a value that a flag cannot have."""
  FLAGS[flag].parser.parse(text or 'true')


def check_field(config, field, text):
  """Sets a field of a configuration from a text; raises for a field that is not there and a value of another type."""
  base = config if isinstance(config, config_lib.Config | config_lib.TextConfig) else config.base
  field = field.removeprefix('base.')
  rules.check_field(base, field)
  kind = type(config_lib.get(base, field))
  config_lib.put(base, field, kind(text) if kind is not bool else {'true': True, 'false': False}[text.lower()])


def check(command):
  """Raises for a command line, after `launch.py`, that cannot be given."""
  words = arguments.by_mode(shlex.split(command, comments=True))
  if arguments.answer(words) is not None:
    return
  words = config_lib.resolve_arguments(words)
  given = [word.removeprefix('--').partition('=') for word in words]
  assert all(word.startswith('--') for word in words), words
  named = {name: value for name, _, value in given}
  mode = named.pop('mode', 'train')
  assert mode in modes.MODES, mode
  config = load(named.pop('config', 'configs/quickstart.py'))
  assert isinstance(config, study.Study) == (mode == 'study')
  assert isinstance(config, Applications) == (mode == 'application')
  for name, value in named.items():
    if '.' not in name:
      assert name == 'workdir' or name in modes.MODES[mode].flags, f'--{name} has no meaning with --mode={mode}'
      check_value(name, value)
      continue
    field = name.removeprefix('no')
    assert modes.MODES[mode].reads and field.startswith(modes.MODES[mode].reads), name
    check_field(config, field.removeprefix('config.'), 'false' if name.startswith('no') else value or 'true')
  if mode == 'train':
    configured(' '.join(words))


@pytest.mark.parametrize('page', pages(LAUNCH))
def test_commands_have_modes_flags_and_fields_that_there_are(page):
  for command in told(page, LAUNCH):
    check(command)


@pytest.mark.parametrize(
  'command',
  [
    '--mode=crops',
    '--mode=crop --widht=40',
    '--mode=crop --width=forty',
    '--mode=predict --config.train.steps=1',
    '--config.train.step=1',
    '--config.train.steps=many',
    '--config=configs/none.py',
    'predicts --head=France',
    'help predicts',
    '--mode=extract --by=luck',
  ],
)
def test_a_command_that_cannot_be_given_is_found(command):
  with pytest.raises((AssertionError, ValueError, KeyError, OSError, errors.MedjaxError)):
    check(command)


class Parsed(Exception):
  """The arguments of a program can be given."""


@pytest.mark.parametrize('page', pages(MODULE))
def test_programs_take_the_arguments_that_are_told(page, monkeypatch):
  parse = argparse.ArgumentParser.parse_args

  def parsed(*arguments, **named):
    parse(*arguments, **named)
    raise Parsed

  monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parsed)
  for name, rest in told(page, MODULE):
    words = shlex.split(rest, comments=True)
    if name == 'medjax.report.document':
      assert words and all(any(ROOT.glob(word)) for word in words), words
      continue
    module = importlib.import_module('medjax.report.figures.__main__' if name == 'medjax.report.figures' else name)
    monkeypatch.setattr(sys, 'argv', [name, *words])
    with pytest.raises(Parsed):
      module.main()


def test_commands_are_found():
  assert sum(len(told(page, LAUNCH)) for page in PAGES) > 60 and sum(len(told(page, MODULE)) for page in PAGES) > 10
  assert arguments.OPTIONS and all(option.name in FLAGS for option in arguments.OPTIONS)
