"""What help says: all modes on a screen or two, and a page for each mode, flag and field.

What a mode does, reads and writes is said by the docstring of its function in `modes`; its examples are those of help.
"""

import difflib
import inspect
import textwrap
from typing import NamedTuple

from absl import flags

import medjax
from medjax import errors, modes
from medjax.config import help as field_help
from medjax.config import shipped
from medjax.core import runtime

GROUPS = {
  'Train': ('train', 'study', 'distill', 'compare', 'application'),
  'Look at results': ('evaluate', 'choose', 'calibrate', 'report'),
  'Ask': ('predict',),
  'Cut out of a model, leave and enter': ('crop', 'extract', 'export', 'import'),
  'Data': ('inspect', 'prepare'),
  'Keep': ('verify',),
}
SHARED = ('mode', 'workdir', 'traceback', 'follow_links')  # flags of every mode
COLUMNS = 100


class Page(NamedTuple):
  """What the docstring of a mode's function says.

  Attributes:
    purpose: its first line.
    more: paragraphs: what is read and written.
    examples: commands that begin with `medjax`.
  """

  purpose: str
  more: tuple[str, ...]
  examples: tuple[str, ...]


def page(mode: str) -> Page:
  """Returns what the docstring of a mode's function says."""
  purpose, *blocks = (inspect.getdoc(modes.MODES[mode].run) or mode).split('\n\n')
  examples = [line.strip() for block in blocks if block.lstrip().startswith('medjax ') for line in block.splitlines()]
  more = [' '.join(block.split()) for block in blocks if not block.lstrip().startswith('medjax ')]
  return Page(purpose, tuple(more), tuple(examples))


def version() -> str:
  """Returns the program's name and version."""
  return f'medjax {medjax.__version__}'


def overview() -> str:
  """Returns all modes by task, with an example each, and where more is told."""
  lines = [
    f'{version()}: knowledge graph embeddings, trained once and cropped to any width',
    '',
    '  medjax [MODE] [--config=NAME] [--workdir=FOLDER] [--FLAG=VALUE ...] [--config.SECTION.FIELD=VALUE ...]',
    '',
    'Without a MODE it trains, without a --config the quick start. MODE and --mode=MODE are the same.',
  ]
  grouped = [mode for group in GROUPS.values() for mode in group]
  rest = {'More': tuple(mode for mode in modes.MODES if mode not in grouped)}
  for name, group in (GROUPS | (rest if rest['More'] else {})).items():
    lines += ['', name]
    for mode in group:
      said = page(mode)
      lines += [f'  {mode:<12}{said.purpose}', *(f'              {example}' for example in said.examples[:1])]
  lines += [
    '',
    'Help',
    '  medjax help MODE         what it reads and writes, its flags; also medjax MODE --help',
    '  medjax help train.batch  a field of the configuration; config.train: a section; config: all of them',
    '  medjax help configs      the configurations that come with medjax',
    '  medjax --helpfull        everything at once; --version; --traceback shows where an error came from',
  ]
  return as_called('\n'.join(lines))


def topic(name: str) -> str:
  """Returns the page of a mode, a flag, a section or field of the configuration, or of all of either.

  Raises:
    errors.UsageError: there is nothing of this name.
  """
  bare = name.lstrip('-').partition('=')[0]
  if bare in modes.MODES:
    return as_called(of_mode(bare))
  if bare == 'configs':
    return as_called(of_configs())
  takers = [mode for mode in modes.MODES if bare in modes.MODES[mode].flags]
  found = [*of_flag(bare), f'    Flag of {", ".join(takers)}.'] if takers else of_flag(bare) if bare in SHARED else []
  for kind in field_help.KINDS:
    if fields := field_help.matching(bare, kind):
      found += [*([''] if found else []), field_help.text(COLUMNS, fields, kind)]
  if found:
    return '\n'.join(found)
  known = [*modes.MODES, 'config', 'configs', *(flag for mode in modes.MODES.values() for flag in mode.flags)]
  known += [field for kind in field_help.KINDS for field in field_help.comments(kind)]
  near = difflib.get_close_matches(bare, known, n=1)
  hint = f'did you mean {near[0]!r}? ' if near else ''
  raise errors.UsageError(f'no mode, flag or field is called {name!r}; {hint}`medjax help` lists the modes')


def of_mode(mode: str) -> str:
  """Returns the page of a mode."""
  said, of = page(mode), modes.MODES[mode]
  lines = [f'medjax {mode}', '', said.purpose, '']
  for paragraph in said.more:
    lines += [*textwrap.wrap(paragraph, COLUMNS), '']
  lines += [*(f'  {example}' for example in said.examples), '', 'Flags']
  for flag in ('workdir', *of.flags):
    lines += of_flag(flag)
  if of.reads is not None:
    lines += [
      '  --config=NAME',
      '    A file with a function get_config, or the name of one that comes with medjax, see `medjax help configs`.',
      f'  --{of.reads}{"FIELD" if of.reads.count(".") > 1 else "SECTION.FIELD"}=VALUE',
      f'    Fields of the configuration, see `medjax help {of.reads.rstrip(".")}`.',
    ]
  return '\n'.join(lines)


def of_flag(name: str) -> list[str]:
  """Returns the lines that say what a flag means, and its default."""
  flag = flags.FLAGS[name]
  value = '' if flag.boolean else f'={flag.default}' if flag.default not in (None, '') else '=...'
  choices = getattr(flag.parser, 'enum_values', None)
  means = (flag.help or '') + (f' One of {", ".join(choices)}.' if choices else '')
  return [f'  --{name}{value}', *textwrap.wrap(means, COLUMNS, initial_indent=' ' * 4, subsequent_indent=' ' * 4)]


def of_configs() -> str:
  """Returns the configurations that come with medjax, by name."""
  lines = ['Configurations that come with medjax. The name is given to --config, without or with configs/ and .py:', '']
  for name, path in shipped.names().items():
    lines += [f'  --config={name}', f'    {shipped.summary(path)}']
  return '\n'.join(
    [
      *lines,
      '',
      'What follows a name and a colon goes to the get_config of the file, whose docstring says what it takes:',
      f'they lie in {shipped.folder()}. One of your own is a Python file whose get_config returns a',
      'medjax.config.Config. All fields: `medjax help config`.',
    ]
  )


def as_called(text: str) -> str:
  """Returns a text about `medjax` with the name that the program was called by."""
  program = runtime.program()
  return text if program == 'medjax' else text.replace('  medjax ', f'  {program} ').replace('`medjax ', f'`{program} ')
