"""The notebooks of colab/ run from top to bottom, use what is public, and are saved as they run."""

import ast
import re
import runpy

from IPython.core.inputtransformer2 import TransformerManager
import nbformat
import pytest

from colab import run
import medjax
from medjax import config as config_lib
from medjax.experiments import api

MOST = 300_000  # bytes of a notebook with its outputs
FOLDERS = re.compile(r'(?<![\w./:])/(?:work|home|root|tmp|usr|opt|var|Users)\b')  # of some machine


def code(notebook):
  return [cell for cell in notebook.cells if cell.cell_type == 'code']


def kinds(cell):
  """What a cell shows: streams by their names, displays by their types."""
  return [output.get('name') or sorted(output.get('data', ())) for output in cell.outputs]


@pytest.mark.parametrize('name', run.NOTEBOOKS)
def test_a_notebook_runs_and_shows_what_is_saved(name):
  saved = run.read(name)
  executed = run.execute(saved)  # an error in a cell is raised
  for old, new in zip(code(saved), code(executed), strict=True):
    assert old.source == new.source, 'python -m colab.run writes the first cell anew'
    assert kinds(old) == kinds(new) and old.execution_count == new.execution_count, old.source
    assert not any(output.get('name') == 'stderr' for output in new.outputs), new.outputs


@pytest.mark.parametrize('name', run.NOTEBOOKS)
def test_a_notebook_uses_what_is_public(name):
  trees = [ast.parse(TransformerManager().transform_cell(cell.source)) for cell in code(run.read(name))]
  nodes = [node for tree in trees for node in ast.walk(tree)]
  imported = [ast.unparse(node) for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
  assert {line for line in imported if 'medjax' in line} == {'import medjax'}
  of_medjax = {
    node.attr
    for node in nodes
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == 'medjax'
  }
  assert {'hardware'} < of_medjax <= set(medjax.__all__)
  assert not [node.attr for node in nodes if isinstance(node, ast.Attribute) and node.attr.startswith('_')]


@pytest.mark.parametrize('name', run.NOTEBOOKS)
def test_a_notebook_is_small_and_names_no_machine(name):
  text = run.path_of(name).read_text()
  assert len(text.encode()) < MOST
  saved = run.read(name)
  nbformat.validate(saved)
  assert [cell.execution_count for cell in code(saved)] == list(range(1, len(code(saved)) + 1))
  pictures = re.compile(r'"image/png": ".*?"|base64,[\w+/=]+')
  assert not FOLDERS.findall(pictures.sub('', text))


def test_the_row_has_the_settings_of_its_configurations():
  (cell,) = [cell for cell in code(run.read('reproduce_a_row')) if cell.id == 'settings']
  settings = ast.literal_eval(cell.source.removeprefix('SETTINGS = '))
  for size, place, arguments in (('accelerator', 'paper', ['wn18rr-rotate']), ('cpu', 'wn18rr/rotate', [])):
    expected = runpy.run_path(str(run.ROOT / 'configs' / f'{place}.py'))['get_config'](*arguments)
    found = config_lib.Config(name=expected.name)
    found.data.name = 'wn18rr'
    for name, value in settings[size].items():
      config_lib.put(found, api.field_of(name), value)
    found.distill.rates = expected.distill.rates  # of --mode=compare
    assert found == expected


def test_the_notebooks_are_those_that_are_named():
  assert {path.stem for path in run.FOLDER.glob('*.ipynb')} == set(run.NOTEBOOKS)


def test_the_readme_opens_each():
  page = (run.ROOT / 'README.md').read_text()
  assert run.badges() in page and run.with_badges(page) == page
  assert len(re.findall(r'!\[Open \w+ in Colab\]', page)) == len(run.NOTEBOOKS)


def test_what_changes_without_a_reason_is_taken_out(tmp_path):
  stream = lambda name, text: nbformat.v4.new_output('stream', name=name, text=text)
  outputs = [
    stream('stderr', '\rtraining:   0%|  | 0/9'),
    stream('stdout', f'written: {tmp_path}/runs/a\n'),
    stream('stdout', 'done\n'),
    stream('stderr', '\rtraining: 100%|##| 9/9\n'),
    stream('stderr', 'a warning\n'),
  ]
  cell = nbformat.v4.new_code_cell('1', outputs=outputs, metadata={'execution': {'iopub.execute_input': 'today'}})
  found = run.clean(
    nbformat.v4.new_notebook(cells=[cell], metadata={'language_info': {'name': 'python', 'version': '3.11.9'}}),
    tmp_path,
  )
  assert [output.text for output in found.cells[0].outputs] == [
    'written: runs/a\ndone\n',
    '\rtraining: 100%|##| 9/9\na warning\n',
  ]
  assert not found.cells[0].metadata and 'version' not in found.metadata['language_info']
