"""The pages on adding a score, a data set, an objective and a figure, followed to the letter in a copy."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
from typing import NamedTuple

import pytest

import medjax

ROOT = pathlib.Path(__file__).parents[1]
PAGES = {path.stem: path for path in sorted((ROOT / 'docs' / 'contributing').glob('*.md'))}
NAMES = ('add-a-score', 'add-a-data-set', 'add-an-objective', 'add-a-figure')
MARKED = r'<!-- (new|edit|commands)(?:: (\S+))? -->\n```\w+\n(.*?)```\n'
SLOW = ('gradients_equal', 'gradient_is_finite', 'all_pairs', 'scan')  # laws of a score that take long to compile
XLA = '--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true'  # the programs run once
# What pages tell to run beside tests, in the process of the tests: another one would take seconds to start.
COMMANDS = """
import sys

import pandas as pd

from medjax import arguments
from medjax.report.figures import __main__ as figures


def test_a_training_has_what_the_pages_add(own_data, monkeypatch):
  monkeypatch.setattr(sys, 'argv', ['launch.py', *{training}, f'--config.data.path={{own_data}}', '--workdir=trained',
                                    '--config.train.steps=4', '--config.train.batch=8', '--config.train.negatives=2',
                                    '--config.eval.every=0'])
  assert arguments.run(sys.argv) == 0
  results = pd.read_csv('trained/results.csv')
  assert list(results['width']) == [10, 20, 40] and results['mrr'].between(0, 1).all()


def test_the_figure_is_drawn():
  assert figures.main({drawing}) == 0
"""


class Block(NamedTuple):
  """A marked block of code: what is to be done with it, to which file, and its text."""

  kind: str
  place: str
  text: str


def blocks(page):
  """The marked blocks of a page; every block of code has a mark before it."""
  text = PAGES[page].read_text()
  found = [Block(*match) for match in re.findall(MARKED, text, re.DOTALL)]
  assert len(found) == text.count('\n```') / 2, f'{page}: a block of code without a mark'
  return found


def commands(page):
  """The commands of a page, as lists of words."""
  texts = [block.text.strip() for block in blocks(page) if block.kind == 'commands']
  return [shlex.split(command) for text in texts for command in re.split(r'\n(?=python )', text)]


def told(*begin):
  """The words after these of all commands of all pages that begin with them, after `python`."""
  found = [words[1:] for page in NAMES for words in commands(page)]
  return [words[len(begin) :] for words in found if words[: len(begin)] == [*begin]]


def new_tests():
  """The files of tests that pages add."""
  new = [block.place for page in NAMES for block in blocks(page) if block.kind == 'new']
  return [place for place in new if place.startswith('tests/')]


def plain(line):
  return ' '.join(line.split())


def indent(line):
  return len(line) - len(line.lstrip())


def edited(text, change, place):
  """Text after a change in the form of a diff, whose parts stand between lines `@@`, each found once.

  How far lines are indented and where words are apart does not matter: the change takes the file's indentation.
  """
  for part in re.split(r'^@@\n', change, flags=re.MULTILINE):
    marked = [(line[:1], line[1:]) for line in part.splitlines()]
    assert {mark for mark, _ in marked} <= {'+', '-', ' '}, f'{place}: a line without +, - or a space:\n{part}'
    old, lines = [line for mark, line in marked if mark != '+'], text.splitlines()
    places = [slice(i, i + len(old)) for i in range(len(lines))]
    places = [where for where in places if [*map(plain, lines[where])] == [*map(plain, old)]]
    assert len(places) == 1, f'{place}: not one place, but {len(places)}, with the lines\n{chr(10).join(old)}'
    there = lines[places[0]]
    shift = indent(there[0]) - indent(old[0])
    unchanged, new = iter(there), []
    for mark, line in marked:
      given = ' ' * (indent(line) + shift) + line.lstrip() if mark == '+' else next(unchanged)
      new += [given] * (mark != '-')
    lines[places[0]] = new
    text = '\n'.join(lines) + '\n'
  return text


@pytest.fixture(scope='module')
def copy(tmp_path_factory):
  """A copy of the repository in which all pages have been followed."""
  copy = tmp_path_factory.mktemp('contributing') / 'medjax'
  for folder in ('medjax', 'tests', 'configs'):
    shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns('__pycache__'))
  for file in ('launch.py', 'pyproject.toml', 'README.md'):
    shutil.copy(ROOT / file, copy)
  (copy / 'docs').symlink_to(ROOT / 'docs')
  for page in PAGES:
    for block in blocks(page):
      path = copy / block.place
      if block.kind == 'new':
        assert not path.exists(), f'{page}: {block.place} is there already'
        path.write_text(block.text)
      elif block.kind == 'edit':
        path.write_text(edited(path.read_text(), block.text, f'{page}: {block.place}'))
  return copy


def run(copy, words):
  """Runs a command in a copy and returns what it printed."""
  environment = os.environ | {'PYTHONPATH': str(copy), 'PYTHONDONTWRITEBYTECODE': '1', 'XLA_FLAGS': XLA}
  whole = [sys.executable, *words]
  done = subprocess.run(whole, cwd=copy, env=environment, capture_output=True, text=True, check=False)
  assert done.returncode == 0, f'{shlex.join(words)}\n{done.stdout}\n{done.stderr}'
  return done.stdout


def test_pages_are_found():
  assert set(PAGES) == set(NAMES)


@pytest.mark.parametrize('page', NAMES)
def test_a_page_is_short_and_names_the_files_that_it_changes(page):
  text = PAGES[page].read_text()
  assert len(text.splitlines()) < 80 and max(map(len, text.splitlines())) <= 120
  table = '\n'.join(line for line in text.splitlines() if line.startswith('| '))
  assert all(f'`{block.place}`' in table for block in blocks(page) if block.kind != 'commands')
  for name in re.findall(r'\]\(([^)]+)\)', text):
    assert (PAGES[page].parent / name).exists(), name


def test_what_the_pages_add_passes_its_tests_trains_and_is_drawn(copy):
  tests, training, drawing = told('-m', 'pytest'), told('launch.py'), told('-m', 'medjax.report.figures')
  assert (len(tests), len(training), len(drawing)) == (4, 2, 1)
  laws = copy / 'tests' / 'scores' / 'test_scores.py'
  laws.write_text(re.sub(r'max_examples=\d+', 'max_examples=1', laws.read_text()))
  flags = [word for words in training for word in words if not word.startswith(('--workdir', '--config.train.steps'))]
  (copy / 'tests' / 'test_commands.py').write_text(COMMANDS.format(training=flags, drawing=drawing[0]))
  # one process for the tests of all pages; a file of a page's own is chosen by its name
  files = [word for words in tests for word in words if word.endswith('.py')] + ['tests/test_commands.py']
  chosen = [words[words.index('-k') + 1] for words in tests if '-k' in words]
  names = [*chosen, 'well_formed', *(pathlib.Path(file).stem for file in new_tests()), 'test_commands']
  fast = f'({" or ".join(names)}) and not ({" or ".join(SLOW)})'
  printed = run(copy, ['-m', 'pytest', '-p', 'no:cacheprovider', '-rp', *files, '-k', fast])
  assert all(f'PASSED {file}' in printed for file in files), printed
  image = (copy / 'kept.png').read_bytes()
  assert image.startswith(b'\x89PNG') and len(image) > 10_000


def test_a_file_has_the_hash_that_the_command_tells(copy):
  (command,) = told('-c')
  if not shutil.which('git'):
    pytest.skip('needs git')
  known = subprocess.run(['git', 'hash-object', 'README.md'], cwd=copy, capture_output=True, text=True, check=True)
  assert run(copy, ['-c', *command]).split() == [known.stdout.strip(), 'README.md']


def test_citation_is_yaml_with_the_version_of_the_package():
  yaml = pytest.importorskip('yaml')
  cited = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
  assert {'cff-version', 'message', 'title', 'authors', 'version', 'license', 'type', 'references'} <= set(cited)
  assert (cited['title'], cited['version'], cited['license']) == ('medjax', medjax.__version__, 'Apache-2.0')
  assert all(reference['authors'] and reference['title'] for reference in cited['references'])


@pytest.mark.parametrize('name', ['.pre-commit-config.yaml', '.github/workflows/ci.yml'])
def test_configurations_of_checks_are_yaml(name):
  assert pytest.importorskip('yaml').safe_load((ROOT / name).read_text())


def test_changes_have_the_version_of_the_package():
  told = re.findall(r'^## \[(\S+)\]', (ROOT / 'CHANGELOG.md').read_text(), re.MULTILINE)
  assert told[:2] == ['Unreleased', medjax.__version__]
