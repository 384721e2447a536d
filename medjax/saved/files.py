"""Files that are written whole or not at all, and read with an error that names them."""

from collections.abc import Iterator
import contextlib
import os
import pathlib
import struct
import tokenize
from typing import BinaryIO
import zipfile
import zlib

from medjax.errors import ArtifactError
from medjax.saved import manifest
from medjax.saved.manifest import Path
from medjax.saved.schemas import FORMAT

__all__ = ['FORMAT', 'Path', 'read_bytes', 'reading', 'replacing', 'write_text']
DAMAGE = (  # what reading a damaged file raises
  *(ValueError, LookupError, TypeError, OSError, EOFError, AttributeError, ArithmeticError, RuntimeError, SyntaxError),
  *(zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError),
)
LARGEST_TEXT = 2**30  # bytes of a text that is read whole


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
  """Yields a binary file that takes the place of `path` once it is whole and on disk."""
  partial = pathlib.Path(f'{path}.tmp')
  with partial.open('wb') as file:
    yield file
    file.flush()
    os.fsync(file.fileno())
  os.replace(partial, path)


def write_text(path: Path, text: str) -> None:
  """Writes a file whole or not at all."""
  with replacing(path) as file:
    file.write(text.encode('utf-8'))


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
  """Turns the ways in which a file can be missing or damaged into an ArtifactError that names it.

  Before anything else, it is checked against the manifest beside it, if there is one.
  """
  try:
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
  """Returns the content of a small file; raises ValueError for a large one, and OSError."""
  path = pathlib.Path(path)
  if (size := path.stat().st_size) > LARGEST_TEXT:
    raise ValueError(f'it has {size:,} bytes, more than {LARGEST_TEXT:,}')
  return path.read_bytes()
