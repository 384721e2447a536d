"""The commands that documents show beside figures are those that made them."""

import importlib.util
import itertools
import json
import pathlib
import re
import shlex

import pytest

from medjax import config as config_lib
from medjax import scores
from medjax.bert import settings as text_settings
from medjax.config import rules
from medjax.experiments import distillation, study
from medjax.kge import settings as settings_lib
from medjax.saved import workdir as workdir_lib

ROOT = pathlib.Path(__file__).parents[1]
COMMANDS = {
  path.parent: json.loads(path.read_text())['command']
  for path in (ROOT / 'docs' / 'runs').rglob('cost.json')
  if (path.parent / 'config.json').exists()
}
TRAINED = sorted(
  folder for folder, command in COMMANDS.items() if '--mode=' not in command or '--mode=compare' in command
)
CONFIGS = sorted(
  path for path in (ROOT / 'configs').rglob('*.py') if path.parent.name not in ('study', 'distill', 'applications')
)


def load(name):
  path, _, argument = name.partition(':')
  spec = importlib.util.spec_from_file_location('config_of_a_command', ROOT / path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module.get_config(*[argument] if argument else [])


def configured(command):
  """The resolved configuration of a command line."""
  arguments = [word.removeprefix('--').partition('=') for word in shlex.split(command) if word.startswith('--')]
  config = load({name: value for name, _, value in arguments}.get('config', 'configs/quickstart.py'))
  for name, _, value in arguments:
    if name.startswith('config.'):
      kind = type(config_lib.get(config, name.removeprefix('config.')))
      config_lib.put(config, name.removeprefix('config.'), value.lower() == 'true' if kind is bool else kind(value))
  return (text_settings if isinstance(config, config_lib.TextConfig) else settings_lib).resolve(config)


def told(text):
  """The commands of a text that train one configuration, without the comments behind them."""
  commands = re.findall(r'^ *(python launch\.py(?: --config|$)[^#\n]*)', text.replace('\\\n', ' '), re.MULTILINE)
  return [command for command in commands if '--mode=' not in command]


def expected(folder):
  """The configuration that the command gives the run in this folder: of a comparison, MED's or that of a link."""
  command = COMMANDS[folder]
  config = configured(command)
  if '--mode=compare' not in command or folder.name == 'med':
    return config
  method, _, width = folder.name.partition('-')
  widest = max(map(int, re.search(r'--widths=([\d,]+)', command)[1].split(',')))
  link = distillation.link(config, int(width), widest, '' if method == 'direct' else method, 'teacher')
  there = workdir_lib.read_config(folder).distill  # found when the run began
  link.distill.teacher_hash, link.distill.teacher_width = there.teacher_hash, there.teacher_width
  return link


@pytest.mark.parametrize('path', [*CONFIGS, ROOT / 'README.md'], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_that_are_told_can_be_run(path):
  commands = told(path.read_text())
  assert commands
  for command in commands:
    configured(command)


@pytest.mark.parametrize('path', sorted((ROOT / 'configs' / 'study').iterdir()), ids=lambda path: path.name)
def test_studies_that_are_told_can_be_run(path):
  names = re.findall(r'python launch\.py --mode=study --config=(\S+)', path.read_text())
  assert names
  for given in map(load, names):
    for point in itertools.chain.from_iterable(given.arms.values()):
      study.make(given.base, point, 0)


def test_runs_are_found():
  assert len(TRAINED) > 20
  comparisons = sorted(folder.parent for folder in TRAINED if folder.name == 'med')
  assert comparisons == sorted((ROOT / 'docs' / 'runs' / 'baselines').iterdir()) and len(comparisons) >= 10
  assert sum(folder.name.startswith('umls-') for folder in TRAINED) == len(scores.REGISTRY)  # every score has a run


@pytest.mark.parametrize('folder', TRAINED, ids=lambda folder: f'{folder.parent.name}/{folder.name}')
def test_a_saved_run_is_that_of_its_command(folder):
  saved, told = workdir_lib.read_config(folder), expected(folder)
  if told.objective.strengths:  # a search chose one of them
    assert saved.objective.regularization in rules.strengths(told)
    told.objective.regularization = saved.objective.regularization
  assert not config_lib.describe_difference(saved, told)
