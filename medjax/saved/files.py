"""Files that are written whole or not at all, and read with an error that names them."""

from collections.abc import Iterator
import contextlib
import os
import pathlib
from typing import BinaryIO
import zipfile
import zlib

from medjax.errors import ArtifactError

FORMAT = 1
# what reading a damaged file raises
DAMAGE = (ValueError, LookupError, TypeError, OSError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error)
Path = str | pathlib.Path


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
  """Turns the ways in which a file can be missing or damaged into an ArtifactError that names it."""
  try:
    yield
  except FileNotFoundError:
    folder = pathlib.Path(path).parent
    raise ArtifactError(f'{path} is missing; is {folder} a medjax workdir or cropped model?') from None
  except DAMAGE as error:
    raise ArtifactError(
      f'{path} is damaged or not of format {FORMAT} ({type(error).__name__}: {error}); '
      'restore it from a copy, or crop or train anew'
    ) from error
