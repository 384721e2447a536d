"""Files of models and runs, read with an error that names the damaged one; `core.files` writes them."""

from collections.abc import Iterator
import contextlib
import os
import pathlib
import struct
import tokenize
import zipfile
import zlib

from medjax.core import files
from medjax.core.files import Path, replacing, write_text
from medjax.errors import ArtifactError
from medjax.saved import manifest
from medjax.saved.schemas import FORMAT

__all__ = ['FORMAT', 'Path', 'read_bytes', 'reading', 'replacing', 'write_text']
DAMAGE = (  # what reading a damaged file raises
  *(ValueError, LookupError, TypeError, OSError, EOFError, AttributeError, ArithmeticError, RuntimeError, SyntaxError),
  *(zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError),
)
LARGEST_TEXT = 2**30  # bytes of a text that is read whole


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


def read_bytes(path: Path) -> bytes:
  """Returns the content of a small file; raises ArtifactError for a large one or none, and OSError."""
  return files.read_bytes(path, LARGEST_TEXT)
