"""The directions of imports, and what the files of configs/ promise."""
import ast
import importlib.util
import inspect
import pathlib
import re
import sys

import pytest

from medjax.experiments import study
from medjax.kge import settings as settings_lib

ROOT = pathlib.Path(__file__).parents[1]
FILES = sorted((ROOT / 'medjax').rglob('*.py'))
CONFIGS = sorted((ROOT / 'configs').rglob('*.py'))
STUDIES = [path for path in CONFIGS if path.parent.name == 'study']
MODULES = {'.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__') for path in FILES}


def name_of(path):
  return '.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__')


def imports(path):
  """The modules that a file imports, wherever in the file; of medjax to the depth of modules."""
  names = set()
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.Import):
      names |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
      assert node.level == 0, f'{path}: relative import'
      inner = {f'{node.module}.{alias.name}' for alias in node.names}
      names |= {name if name in MODULES else node.module for name in inner}
  return names


def test_modules_are_found():
  assert {'medjax', 'medjax.crop', 'medjax.scores.rotate', 'medjax.training.loop'} <= MODULES
  assert 'medjax.crop' in imports(ROOT / 'medjax' / 'runs.py')


GROUND = [path for path in FILES if re.fullmatch(r'medjax\.(scores|objectives|crop)(\..*)?', name_of(path))]


@pytest.mark.parametrize('path', GROUND, ids=name_of)
def test_the_ground_floor_knows_nothing_of_the_house(path):
  own = re.compile(r'medjax\.(scores|objectives|crop)(\..*)?')
  outside = {name for name in imports(path) if not own.fullmatch(name)
             and name.split('.')[0] not in {'jax', 'numpy', *sys.stdlib_module_names}}
  files_and_logs = {'logging', 'os', 'pathlib', 'io', 'shutil', 'json', 'pickle'}
  assert not outside and not files_and_logs & imports(path)


@pytest.mark.parametrize(
  'room, above',
  [
    (
      'medjax.data',
      (
        'medjax.config',
        'medjax.evaluation',
        'medjax.training',
        'medjax.model',
        'medjax.runs',
        'medjax.artifact',
        'medjax.checkpoint',
        'medjax.report',
        'medjax.scores',
        'jax',
      ),
    ),
    (
      'medjax.evaluation',
      ('medjax.training', 'medjax.config', 'medjax.model', 'medjax.runs', 'medjax.checkpoint'),
    ),
    (
      'medjax.parallel',
      (
        'medjax.training',
        'medjax.evaluation',
        'medjax.model',
        'medjax.runs',
        'medjax.cli',
        'medjax.report',
        'medjax.checkpoint',
        'medjax.config',
        'medjax.data',
      ),
    ),
    ('medjax.training', ('medjax.evaluation', 'medjax.model', 'medjax.runs', 'medjax.cli', 'medjax.report')),
    ('medjax.report', ('medjax.training', 'medjax.model', 'medjax.runs', 'medjax.cli', 'medjax.figures')),
    ('medjax.baselines', ('medjax.evaluation', 'medjax.report', 'medjax.runs', 'medjax.cli', 'medjax.figures')),
    ('medjax.model', ('medjax.runs', 'medjax.cli', 'medjax.evaluation')),
    ('medjax.runs', ('medjax.cli', 'medjax.study', 'medjax.chain', 'medjax.figures')),
    ('medjax.teacher', ('medjax.runs', 'medjax.chain', 'medjax.study', 'medjax.cli', 'medjax.evaluation')),
    ('medjax.figures', ('medjax.runs',)),
  ],
)
def test_rooms_do_not_import_upwards(room, above):
  found = {(name_of(path), name) for path in FILES if f'{name_of(path)}.'.startswith(f'{room}.')
           for name in imports(path) for higher in above if f'{name}.'.startswith(f'{higher}.')}
  allowed = {
    ('medjax.data.sampling', 'jax'),
    ('medjax.data.sampling', 'jax.numpy'),
  }  # batches are drawn on the device
  assert not found - allowed


@pytest.mark.parametrize(
  'name, keeper',
  [
    ('orbax', 'medjax.checkpoint'),
    ('tensorboardX', 'medjax.report.metrics'),
    ('safetensors', 'medjax.artifact'),
    ('matplotlib', 'medjax.report.plots'),
    ('duckdb', 'medjax.data.engine'),
    ('pickle', 'medjax.data.arrays'),  # whose reader resolves no name but to functions of its own
  ],
)
def test_a_dependency_has_one_keeper(name, keeper):
  assert {name_of(path) for path in FILES if any(f'{m}.'.startswith(f'{name}.') for m in imports(path))} == {
    keeper
  }


@pytest.mark.parametrize('path', FILES, ids=name_of)
def test_no_module_imports_its_callers_or_runs_pickles(path):
  tops = {name.split('.')[0] for name in imports(path)}
  assert not tops & {'launch', 'configs', 'tests', 'benchmarks'}
  assert not tops & {'cloudpickle', 'dill', 'joblib', 'shelve', 'marshal'}


@pytest.mark.parametrize('path', FILES, ids=name_of)
def test_no_code_is_loaded_from_files(path):
  calls = [ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
  assert not [call for call in calls
              if re.match(r'(eval|exec|compile)\(|pd\.read_pickle|torch\.load|pickle\.loads?\(', call)]
  for call in calls:
    if re.match(r'(np|numpy)\.load\(', call):
      assert 'allow_pickle=False' in call


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_configuration_resolves_and_tells_its_command(path):
  spec = importlib.util.spec_from_file_location('config_under_test', path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  place = path.relative_to(ROOT).as_posix()
  if path in STUDIES:
    given = module.get_config()
    for point in sum(given.arms.values(), []):
      study.make(given.base, point, 0)
    assert f'python launch.py --mode=study --config={place}' in module.__doc__
    return
  settings_lib.resolve(module.get_config())
  default = place == 'configs/quickstart.py'  # what launch.py runs when no --config is given
  assert ('python launch.py\n' if default else f'python launch.py --config={place}') in module.__doc__


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_configuration_holds_values_only(path):
  assert imports(path) == {'medjax.config'} | ({'medjax.study'} if path in STUDIES else set())


def test_configurations_have_names_of_their_own():
  names = []
  for path in CONFIGS:
    scope = {}
    exec(compile(path.read_text(), path, 'exec'), scope)  # files of this repository
    names.append(scope['get_config']().name)
  assert len(set(names)) == len(names)


@pytest.mark.parametrize('path', FILES, ids=name_of)
def test_a_module_says_what_it_is(path):
  source = path.read_text()
  assert not source.strip() or inspect.cleandoc(ast.get_docstring(ast.parse(source)) or '')
