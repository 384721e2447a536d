"""The commands that documents show beside figures are those that made them."""
import importlib.util
import json
import pathlib
import shlex

import pytest

from medjax import artifact
from medjax import config as config_lib
from medjax import scores

ROOT = pathlib.Path(__file__).parents[1]
COMMANDS = {path.parent: json.loads(path.read_text())['command'] for path in (ROOT / 'docs' / 'runs').rglob('cost.json')
            if (path.parent / 'config.json').exists()}
# of a comparison, MED has the configuration of the command
TRAINED = sorted(folder for folder, command in COMMANDS.items()
                 if '--mode=' not in command or '--mode=compare' in command and folder.name == 'med')


def load(name):
  path, _, argument = name.partition(':')
  spec = importlib.util.spec_from_file_location('config_of_a_command', ROOT / path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module.get_config(*[argument] if argument else [])


def configured(command):
  """The resolved configuration of a command line."""
  arguments = [word.removeprefix('--').partition('=') for word in shlex.split(command) if word.startswith('--')]
  config = load(dict((name, value) for name, _, value in arguments).get('config', 'configs/quickstart.py'))
  for name, _, value in arguments:
    if name.startswith('config.'):
      kind = type(config_lib.get(config, name.removeprefix('config.')))
      config_lib.put(config, name.removeprefix('config.'), value == 'True' if kind is bool else kind(value))
  return config_lib.resolve(config)


def test_runs_are_found():
  comparisons = sorted(folder.parent for folder in TRAINED if folder.name == 'med')
  assert comparisons == sorted((ROOT / 'docs' / 'runs' / 'baselines').iterdir()) and len(comparisons) >= 10
  assert sum(folder.name.startswith('umls-') for folder in TRAINED) == len(scores.REGISTRY)  # every score has a run


@pytest.mark.parametrize('folder', TRAINED, ids=lambda folder: f'{folder.parent.name}/{folder.name}')
def test_a_saved_run_is_that_of_its_command(folder):
  assert not config_lib.differences(artifact.read_config(folder), configured(COMMANDS[folder]))
