"""Files of models and runs, read with an error that names the damaged one; `core.files` writes them."""

from collections.abc import Iterator
import contextlib
import os
import pathlib
import struct
import tokenize
from typing import TYPE_CHECKING
import zipfile
import zlib

from medjax.core import files
from medjax.core.files import Path, replacing, write_text
from medjax.errors import ArtifactError
from medjax.saved import manifest
from medjax.saved.schemas import FORMAT

if TYPE_CHECKING:
  import pandas as pd

__all__ = [
  'FORMAT',
  'LARGEST_TEXT',
  'LINE',
  'Path',
  'read_bytes',
  'read_lines',
  'read_table',
  'reading',
  'replacing',
  'write_text',
]
DAMAGE = (  # what reading a damaged file raises
  *(ValueError, LookupError, TypeError, OSError, EOFError, AttributeError, ArithmeticError, RuntimeError, SyntaxError),
  *(zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError),
)
LARGEST_TEXT = 2**30  # bytes of a table or of metrics
PIECE = 2**22  # bytes of a text that are made strings at once
LINE = 2**23  # bytes of the longest line


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
  """Turns the ways in which a file can be missing, damaged or no file into an ArtifactError that names it.

  Before anything is read, `core.files.check` may refuse it, and it is checked against the manifest beside it.
  """
  try:
    if os.path.exists(path):
      files.check(path)
    manifest.check(path)
    yield
  except ArtifactError:
    raise
  except FileNotFoundError:
    folder = pathlib.Path(path).parent
    raise ArtifactError(f'{path} is missing; is {folder} a medjax workdir or cropped model?') from None
  except DAMAGE as error:
    raise ArtifactError(
      f'{path} is damaged or not of format {FORMAT} ({type(error).__name__}: {error}); '
      'restore it from a copy, or crop or train anew'
    ) from error


def read_bytes(path: Path, most: float = files.SETTINGS) -> bytes:
  """Returns the content of a file of at most so many bytes; raises ArtifactError for a larger one or none, and OSError.

  JSON takes many times its bytes as it becomes objects, so settings may have few.
  """
  return files.read_bytes(path, most)


def read_lines(path: Path) -> Iterator[str]:
  """Yields the UTF-8 text of a file in parts of some MiB, each of whole lines.

  Raises:
    ArtifactError: the file is none, or too large.
    ValueError: its last line has no end, or a line is too long to be one.
  """
  with files.opened(path, LARGEST_TEXT) as file:
    while part := file.read(PIECE):
      if not part.endswith(b'\n'):
        part += file.readline(LINE)
      if not part.endswith(b'\n'):
        raise ValueError(f'a line has more than {LINE:,} bytes' if file.read(1) else 'its end is missing')
      yield part.decode('utf-8')


def read_table(path: Path) -> 'pd.DataFrame':
  """Returns the DataFrame of a CSV file under a header; raises ArtifactError for a damaged one."""
  import pandas as pd  # on use: a model is loaded without it

  with reading(path):
    with files.opened(path, LARGEST_TEXT) as file:
      head = file.read(PIECE)
    if b'\0' in head or b'\n' not in head:  # it would be one field, which pandas makes room for several times
      raise ValueError('it begins with no line of text')
    return pd.read_csv(path)
