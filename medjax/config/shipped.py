"""The configurations that come with medjax, found by name from any folder, and mistakes in one's own."""

import ast
from collections.abc import Iterator, Sequence
import contextlib
import difflib
import pathlib
import traceback

from medjax.errors import ConfigError, MedjaxError


def folder() -> pathlib.Path:
  """Returns the folder of the configurations: inside of an installed package, beside that of a clone."""
  package = pathlib.Path(__file__).parents[1]
  return package / 'configs' if (package / 'configs').is_dir() else package.parent / 'configs'


def names() -> dict[str, pathlib.Path]:
  """Returns {name: file}, sorted; configs/wn18rr/rotate.py has the name wn18rr/rotate."""
  root = folder()
  return {path.relative_to(root).with_suffix('').as_posix(): path for path in sorted(root.rglob('*.py'))}


def find(name: str) -> pathlib.Path:
  """Returns the file of a configuration: one that is there, or one that comes with medjax.

  >>> find('umls') == find('configs/umls.py') == folder() / 'umls.py'
  True

  Raises:
    ConfigError: neither is there.
  """
  if pathlib.Path(name).is_file():
    return pathlib.Path(name)
  known, short = names(), name.removeprefix('configs/').removesuffix('.py')
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


@contextlib.contextmanager
def blamed(arguments: Sequence[str]) -> Iterator[None]:
  """Raises ConfigError, which names the line, for an exception that comes out of the file that --config names."""
  files = [word.partition('=')[2].partition(':')[0] for word in arguments if word.startswith('--config=')]
  try:
    yield
  except MedjaxError:
    raise
  except Exception as error:
    for file in map(pathlib.Path, files):
      places = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if pathlib.Path(frame.filename) == file
      ]
      if isinstance(error, SyntaxError) and error.filename and pathlib.Path(error.filename) == file:
        places = [error.lineno]
      if places:
        raise ConfigError(f'{file}, line {places[-1]}: {type(error).__name__}: {error}') from error
    raise
