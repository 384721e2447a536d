"""The directions of imports, and what the files of configs/ promise.

What a room may import itertools
import stands in the docstring of its `__init__`, as 'May import: a, b.'; these tests hold it to that.
"""

import ast
import importlib.util
import inspect
import itertools
import pathlib
import re
import subprocess
import sys

import pytest

from medjax.applications import settings as application_settings
from medjax.applications import trainings
from medjax.bert import settings as text_settings
from medjax.config import TextConfig
from medjax.experiments import study
from medjax.kge import settings as settings_lib
from medjax.report import rooms

ROOT = pathlib.Path(__file__).parents[1]
FILES = rooms.modules(ROOT / 'medjax')
IMPORTS = {name: rooms.imported(path, FILES) for name, path in FILES.items()}
ROOMS = (
  'core',
  'objectives',
  'scores',
  'data',
  'config',
  'training',
  'evaluation',
  'saved',
  'kge',
  'serve',
  'report',
  'experiments',
  'applications',
  'bert',
)
FRONT = {
  'medjax.command',
  'medjax.arguments',
  'medjax.usage',
  'medjax.cli',
  'medjax.modes',
  'medjax.ending',
}  # the command line
TOP = {'medjax', 'medjax.errors', *FRONT}  # modules that belong to no room
SYSTEM = {f'medjax.core.{name}' for name in ('runtime', 'files', 'memory', 'terminal')}  # files, memory, terminals
USERS = {'applications'}  # rooms that use `import medjax` as a person does
CONFIGS = sorted((ROOT / 'configs').rglob('*.py'))
STUDIES = [path for path in CONFIGS if path.parent.name == 'study']
APPLICATIONS = [path for path in CONFIGS if path.parent.name == 'applications']


def own(name):
  """The modules of medjax that a module imports."""
  return IMPORTS[name] & set(FILES)


def outer(name):
  """The top-level packages outside of medjax that a module imports."""
  return {other.split('.')[0] for other in IMPORTS[name]} - {'medjax'}


def below(room):
  """The modules that importing a room's modules also imports: theirs, those of these, and the `__init__`s on the way.

  The `__init__` of medjax itself is left out: it loads what is public when it is asked for (see the test of that).
  """
  seen, waiting = set(), {name for name in FILES if f'{name}.'.startswith(f'medjax.{room}.')}
  while waiting:
    name = waiting.pop()
    seen.add(name)
    parents = {name.rsplit('.', i)[0] for i in range(1, name.count('.'))}
    waiting |= (own(name) | parents) - seen - {'medjax'}
  return seen


def allowed(room):
  """What the docstring of a room says that it may import."""
  text = ' '.join(ast.get_docstring(ast.parse(FILES[f'medjax.{room}'].read_text())).split())
  (listed,) = re.findall(r'May import: ([^.]+)\.', text)
  return set() if listed == 'nothing of medjax' else set(listed.split(', '))


def test_modules_and_rooms_are_found():
  assert {'medjax', 'medjax.core.widths', 'medjax.scores.rotate', 'medjax.report.figures.curves'} <= set(FILES)
  assert 'medjax.core.widths' in own('medjax.experiments.runs')  # from medjax.core import widths
  assert 'medjax.core.widths' in own('medjax.core.prefix')  # from medjax.core.widths import Widths
  assert {rooms.room_of(name) for name in set(FILES) - TOP} == set(ROOMS)


def test_a_room_imports_only_what_it_says():
  for room in ROOMS:
    may = allowed(room)
    assert may <= {'errors', *ROOMS, *({'medjax'} if room in USERS else set())} - {room}, room
    for name in FILES:
      if rooms.room_of(name) == room and name not in TOP:
        found = {rooms.room_of(other) for other in own(name)} - {room}
        assert found <= may, f'{name} imports {found - may}, which the docstring of medjax/{room}/__init__.py lacks'
  assert not own('medjax.errors')


def test_rooms_import_each_other_in_one_direction():
  for graph in (
    rooms.graph(ROOT / 'medjax'),
    {room: allowed(room) for room in ROOMS},
  ):
    assert {'core', 'training', 'kge'} <= {room for layer in rooms.layers(graph) for room in layer}  # or a CycleError


def test_training_and_objectives_know_no_graph():
  for room in ('training', 'objectives'):
    found = {rooms.room_of(name) for name in below(room)}
    assert not found & {
      'scores',
      'kge',
      'data',
      'evaluation',
      'saved',
      'serve',
      'report',
      'experiments',
      'cli',
      'modes',
    }, room
  assert {'training', 'config', 'core', 'errors'} == {rooms.room_of(name) for name in below('training')}


def test_configuration_and_data_load_no_jax():
  for room in ('config', 'data'):
    users = {name for name in below(room) if outer(name) & {'jax', 'flax', 'optax', 'orbax'}}
    assert not users, room
  loaded = 'import sys, medjax, medjax.config, medjax.data; sys.exit("jax" in sys.modules)'
  assert subprocess.run([sys.executable, '-c', loaded], cwd=ROOT, check=False).returncode == 0


def test_the_ground_floor_knows_no_files():
  """Scores, objectives and all of core but what meets the system are functions of arrays."""
  files_and_logs = {'logging', 'os', 'pathlib', 'io', 'shutil', 'json', 'pickle', 'tempfile', 'glob'}
  for name in FILES:
    if rooms.room_of(name) in ('scores', 'objectives', 'core') and name not in SYSTEM:
      assert outer(name) <= ({'jax', 'numpy', 'jaxtyping'} | sys.stdlib_module_names) - files_and_logs, name


def test_a_dependency_has_one_keeper():
  keepers = {
    'orbax': 'medjax.saved.checkpoint',
    'safetensors': 'medjax.saved.tensors',
    'xxhash': 'medjax.saved.manifest',
    'tokenizers': 'medjax.bert.tokens',
    'tensorboardX': 'medjax.report.trackers.tensorboard',
    'wandb': 'medjax.report.trackers.wandb',
    'mlflow': 'medjax.report.trackers.mlflow',
    'matplotlib': 'medjax.report.plots',
    'duckdb': 'medjax.data.engine',
    'implicit': 'medjax.applications.baselines',
    'pyarrow': 'medjax.data.parquet',
    'babel': 'medjax.data.cldr',
    'pooch': 'medjax.data.download',
    'pyoxigraph': 'medjax.data.rdf',
    'psutil': 'medjax.core.memory',
    'pickle': 'medjax.data.arrays',  # whose reader resolves no name but to functions of its own
  }
  for package, keeper in keepers.items():
    assert {name for name in FILES if package in outer(name)} == {keeper}


def test_no_module_imports_its_callers_or_runs_pickles():
  for name in FILES:
    assert not outer(name) & {'launch', 'configs', 'tests', 'benchmarks'}, name
    assert not outer(name) & {'cloudpickle', 'dill', 'joblib', 'shelve', 'marshal'}, name
    if name not in FRONT:
      face = set() if rooms.room_of(name) in USERS else {'medjax'}  # the face of the package is for others
      assert not own(name) & {*face, *FRONT}, name  # and so is its command line


def test_no_code_is_loaded_from_files():
  for name, path in FILES.items():
    calls = [ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert not [
      call for call in calls if re.match(r'(eval|exec|compile)\(|pd\.read_pickle|torch\.load|pickle\.loads?\(', call)
    ], name
    assert all('allow_pickle=False' in call for call in calls if re.match(r'(np|numpy)\.load\(', call)), name


def calls(path):
  return [ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


def test_one_module_writes_files():
  writes = re.compile(
    r"""(.*\.)?open\((.*\W)?'[rb]*[wax+][rb+]*'.*
      | (?!(files|files_lib)\.)\w[\w.()/ '{}]*\.(write_text|write_bytes)\(.*
      | .*\.to_(csv|parquet|json|pickle)\((?!index|orient)[^)].*
      | .*\.(savefig|tofile)\((?!file\b).*
      | (np|numpy)\.save\w*\((?!file\b).*
      | (json|pickle)\.dump\(.*
      | tempfile\.(mkstemp|NamedTemporaryFile).*
      | os\.(open|rename|link|symlink)\(.*""",
    re.VERBOSE | re.DOTALL,
  )
  may = {'medjax.core.files', 'medjax.command'}  # the latter opens nothing but the system's sink
  may |= {'medjax.data.download'}  # hands pooch a file of pooch's own
  may |= {'medjax.saved.sealing'}  # locks a folder
  found = {name: [call for call in calls(path) if writes.fullmatch(call)] for name, path in FILES.items()}
  assert {name for name in found if found[name]} <= may, found
  assert found['medjax.core.files'] and found['medjax.data.download']


def test_one_module_prints():
  prints = re.compile(r'(print|tqdm\.write|sys\.std(out|err)\.write)\(.*', re.DOTALL)
  alone = {'medjax.core.terminal', 'medjax.command', 'medjax.serve.interop.pykeen_side'}  # that import nothing of it
  for name, path in FILES.items():
    found = [call for call in calls(path) if prints.fullmatch(call)]
    assert not found or name in alone, f'{name} has {found[0]}; see medjax.core.terminal'


def test_a_module_says_what_it_is():
  for name, path in FILES.items():
    assert inspect.cleandoc(ast.get_docstring(ast.parse(path.read_text())) or ''), name


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_configuration_resolves_and_tells_its_command(path):
  spec = importlib.util.spec_from_file_location('config_under_test', path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  place = path.relative_to(ROOT).as_posix()
  if path in STUDIES:
    given = module.get_config()
    for point in itertools.chain.from_iterable(given.arms.values()):
      study.make(given.base, point, 0)
    assert f'python launch.py --mode=study --config={place}' in module.__doc__
    return
  if path in APPLICATIONS:
    given = module.get_config()
    application_settings.check(given)
    for arm, point in itertools.product(('med', *(f'direct-{width}' for width in given.widths)), given.grid):
      trainings.config_of(given, pathlib.Path('graph'), arm, point, 0)
    assert f'python launch.py --mode=application --config={place}' in module.__doc__
    return
  given = module.get_config()
  (text_settings if isinstance(given, TextConfig) else settings_lib).resolve(given)
  default = place == 'configs/quickstart.py'  # what launch.py runs when no --config is given
  assert ('python launch.py\n' if default else f'python launch.py --config={place}') in module.__doc__


def test_configurations_hold_values_only():
  for path in APPLICATIONS:
    needed = {'medjax.applications.settings'}
    assert needed <= rooms.imported(path, FILES) <= needed | {'medjax.applications.split', 'pathlib'}, path
  for path in set(CONFIGS) - set(APPLICATIONS):
    needed = {'medjax.config'} | ({'medjax.experiments.study'} if path in STUDIES else set())
    assert needed <= rooms.imported(path, FILES) <= needed | {'medjax.errors'}, path


def test_configurations_have_names_of_their_own():
  names = []
  for path in CONFIGS:
    scope = {}
    exec(compile(path.read_text(), path, 'exec'), scope)  # files of this repository
    names.append(scope['get_config']().name)
  assert len(set(names)) == len(names)
