"""docs/architecture.md names what there is: every module and the directions of imports; links lead to files."""

import graphlib
import pathlib
import re

import pytest

from medjax.report import document, rooms

ROOT = pathlib.Path(__file__).parents[1]
DOCUMENT = ROOT / 'docs' / 'architecture.md'
TEXT = DOCUMENT.read_text()


def named_files():
  """The files of medjax in the document's list, {path relative to the repository: what is said of it}."""
  listing = re.search(r'^medjax/ .*?(?=^```)', TEXT, re.DOTALL | re.MULTILINE)[0].splitlines()
  found, folders = {}, []
  for line in listing:
    indent, name, said = re.fullmatch(r'((?:  )*)(\S+) +(\S.*)', line).groups()
    folders = folders[: len(indent) // 2]
    if name.endswith('/'):
      folders.append(name)
      name = '__init__.py'
    found[''.join([*folders, name])] = said
  return found


def test_every_module_is_named_and_no_other():
  there = {path.relative_to(ROOT).as_posix() for path in (ROOT / 'medjax').rglob('*.py')}
  assert set(named_files()) == there


def test_the_picture_is_that_of_the_imports(tmp_path):
  assert f'<!-- rooms: medjax -->\n{rooms.mermaid("medjax")}\n<!-- end -->' in TEXT  # report.document fills it anew
  page = tmp_path / 'page.md'
  page.write_text(re.sub('```mermaid.*?```', 'old', TEXT, flags=re.DOTALL))
  document.fill(page)
  assert page.read_text() == TEXT


def test_links_of_all_documents_lead_to_files():
  assert len(re.findall(r'\]\(', TEXT)) > 40
  for page in (*ROOT.glob('*.md'), *DOCUMENT.parent.rglob('*.md')):
    for link in re.findall(r'\]\(([^)#]+)', page.read_text()):
      assert link.startswith('https://') or (page.parent / link).exists(), f'{page.name}: {link}'


def test_an_arrow_that_a_longer_path_implies_is_left_out(tmp_path):
  package = tmp_path / 'house'
  files = {
    '__init__': '"""The house."""\n',
    'top': 'from house import ground\nimport house.middle.hall\n',
    'ground': '',
    'middle/__init__': '',
    'middle/hall': 'import os\n\ndef f():\n  from house.ground import stone\n',
    'shed': '',
  }
  for name, text in files.items():
    path = package / f'{name}.py'
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
  graph = rooms.graph(package)
  assert graph == {'house': set(), 'top': {'ground', 'middle'}, 'middle': {'ground'}, 'ground': set(), 'shed': set()}
  assert rooms.reduced(graph) == graph | {'top': {'middle'}}
  assert rooms.layers(graph) == [['top'], ['middle'], ['ground', 'house', 'shed']]
  with pytest.raises(graphlib.CycleError):
    rooms.reduced(graph | {'ground': {'top'}})
