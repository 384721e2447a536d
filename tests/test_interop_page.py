"""docs/interop.md has every format, and commands that can be given."""

import pathlib
import re
import shlex

from medjax import modes
from medjax.serve import vectors
from medjax.serve.interop import exports, imports

TEXT = (pathlib.Path(__file__).parents[1] / 'docs' / 'interop.md').read_text()


def test_every_format_has_a_section():
  out, into = TEXT.split('\n## In\n')
  section = lambda text: {name.split(' ')[0] for name in re.findall(r'^### (.+)$', text, re.MULTILINE)}
  assert section(out) == set(exports.FORMATS) and section(into) == set(imports.READERS)


def test_commands_name_formats_and_flags_of_their_mode():
  commands = re.findall(r'^python launch\.py (--mode=.+)$', TEXT, re.MULTILINE)
  formats = {'export': set(), 'import': set()}
  for command in commands:
    given = dict(word.removeprefix('--').partition('=')[::2] for word in shlex.split(command))
    mode, kind = given.pop('mode'), given.get('format')
    assert given.keys() - {'workdir'} <= {*modes.MODES[mode].flags, 'config.data.name', 'config.data.path'}, command
    if kind:
      formats[mode].add(kind)
      assert mode != 'export' or given.get('dtype', 'float32') in exports.FORMATS[kind].dtypes
  assert formats == {'export': set(exports.FORMATS), 'import': set(imports.READERS)}


def test_the_table_of_metrics_is_that_of_the_code():
  rows = [line.split('|')[1:3] for line in TEXT.splitlines() if re.match(r'\| (distmult|transe|rotate)', line)]
  told = {name.strip(): metric.strip().strip('`') for names, metric in rows[:4] for name in names.split(',')}
  assert told['transe'] == vectors.metric('transe') and told['transe_l2'] == vectors.metric('transe_l2')
  assert told['rotate'] == 'none' and vectors.metric('rotate') is None and vectors.metric('pairre') is None
  assert told['complex'] == vectors.metric('complex') == 'ip'
