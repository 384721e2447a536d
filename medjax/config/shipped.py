"""The configurations that come with medjax, found by name from any folder, and mistakes in one's own."""

import ast
from collections.abc import Sequence
import difflib
import pathlib
import traceback

from medjax.errors import ConfigError


def folder() -> pathlib.Path:
  """Returns the folder of the configurations: inside of an installed package, beside that of a clone."""
  package = pathlib.Path(__file__).parents[1]
  return package / 'configs' if (package / 'configs').is_dir() else package.parent / 'configs'


def names() -> dict[str, pathlib.Path]:
  """Returns {name: file}, sorted; configs/wn18rr/rotate.py has the name wn18rr/rotate."""
  root = folder()
  return {path.relative_to(root).with_suffix('').as_posix(): path for path in sorted(root.rglob('*.py'))}


def find(name: str) -> pathlib.Path:
  """Returns the file of a configuration: one that is there, or one that comes with medjax; a colon ends its name.

  >>> find('umls:complex').name, find('configs/wn18rr/rotate.py').name
  ('umls.py', 'rotate.py')

  Raises:
    ConfigError: neither is there.
  """
  file = name.partition(':')[0]
  if pathlib.Path(file).is_file():
    return pathlib.Path(file)
  known, short = names(), file.removeprefix('configs/').removesuffix('.py')
  if short in known:
    return known[short]
  near = difflib.get_close_matches(short, known, n=1)
  hint = f'did you mean {near[0]}? ' if near else ''
  raise ConfigError(
    f'--config={name}: there is no such file here ({pathlib.Path.cwd()}), and none of this name comes with medjax; '
    f'{hint}`medjax help configs` lists those that do'
  )


def summary(path: pathlib.Path) -> str:
  """Returns the first line of a configuration's docstring; nothing is run."""
  return (ast.get_docstring(ast.parse(path.read_text(encoding='utf-8'))) or '').partition('\n')[0]


def blame(error: Exception, arguments: Sequence[str]) -> ConfigError:
  """Returns what to tell of an exception that came out of loading the file that --config names: its line, and what."""
  name = next((word.partition('=')[2] for word in reversed(arguments) if word.startswith('--config=')), 'quickstart')
  file = pathlib.Path(name.partition(':')[0])
  causes: list[BaseException] = [error]
  while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
    causes.append(cause)
  frames = [frame for cause in causes for frame in traceback.extract_tb(cause.__traceback__)]
  lines = [frame.lineno for frame in frames if pathlib.Path(frame.filename) == file]
  if isinstance(error, SyntaxError) and error.filename and pathlib.Path(error.filename) == file:
    lines = [error.lineno]
  place = f'{file}, line {lines[-1]}' if lines else f'--config={name}'
  what = f'{type(error).__name__}: {error}'.strip().rpartition('\n')[2]  # some have a traceback in their text
  return ConfigError(f'{place}: {what}; its get_config has to return a medjax.config.Config')
