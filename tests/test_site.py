"""The documentation's site builds without a warning, and its pages ask no other server for anything."""

import pathlib
import re
import subprocess
import sys

import pytest

for package in ('mkdocs', 'material', 'mkdocstrings_handlers', 'latex2mathml'):
  pytest.importorskip(package, reason="the documentation's site needs the extra docs")

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted((ROOT / 'docs').rglob('*.md'))
LOADED = re.compile(r'<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)="?((?:https?:)?//[^">\s]*)')


@pytest.fixture(scope='module')
def site(tmp_path_factory):
  """The built site; links and anchors that lead nowhere, and pages that the navigation lacks, are warnings."""
  folder = tmp_path_factory.mktemp('site')
  command = [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--site-dir', str(folder)]
  done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stdout + done.stderr
  return folder


def test_every_page_is_built(site):
  for page in PAGES:
    place = page.relative_to(ROOT / 'docs').with_suffix('')
    assert (site / (place.parent if place.name == 'index' else place) / 'index.html').stat().st_size > 5000, place
  assert (site / 'search' / 'search_index.json').stat().st_size > 100_000
  assert not list(site.rglob('*.csv')) and not list(site.rglob('cost.json'))  # saved runs stay in the repository


def test_pages_load_nothing_from_elsewhere(site):
  for page in filter(pathlib.Path.is_file, site.rglob('*.html')):
    assert not LOADED.findall(page.read_text(encoding='utf-8')), page


def test_equations_are_mathml_and_the_rooms_a_table(site):
  method = (site / 'method' / 'index.html').read_text(encoding='utf-8')
  assert method.count('<math') > 40 and method.count('display="block"') >= 4
  assert 'arithmatex' not in method and not re.search(r'\$[^<$]*\\[a-z]', method)
  assert '<td>serve</td><td>saved</td>' in (site / 'architecture' / 'index.html').read_text(encoding='utf-8')


def test_the_reference_is_that_of_the_code(site):
  text = lambda page: (site / 'reference' / page / 'index.html').read_text(encoding='utf-8')
  assert all(
    f'id="medjax.{name}"' in text('python') or name in text('python') for name in ('train', 'load', 'Model.crop')
  )
  assert 'train.narrow_rate' in text('configuration') and '--max_bytes' in text('modes')
  assert 'UnknownLabel' in text('errors') and '&gt;&gt;&gt; ' in re.sub('<[^>]+>', '', text('python'))
  assert (site / 'source' / 'medjax' / 'scores' / 'transe.py' / 'index.html').exists()  # a link of a page leads there


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.relative_to(ROOT / 'docs').as_posix())
def test_lists_are_read_alike_by_every_renderer(page):
  fenced, before = False, ''
  for number, line in enumerate(page.read_text(encoding='utf-8').splitlines(), 1):
    fenced ^= line.lstrip().startswith('```')
    if not fenced:
      at = f'{page.name}, line {number}'
      assert not re.match(r' {1,3}([*-]|\d+\.) ', line), f'{at}: indent a list inside of an item by four spaces'
      begins = re.match(r'([*-]|\d+\.) ', line) and before.strip() and not re.match(r' |[*-] |\d+\. ', before)
      assert not begins, f'{at}: leave a line blank before a list'
    before = line
