"""Files of models and runs, read with an error that names the damaged one; `core.files` writes them."""

from collections.abc import Iterator
import contextlib
import os
import pathlib
import zipfile
import zlib

from medjax.core import files
from medjax.core.files import Path as Path
from medjax.core.files import replacing as replacing
from medjax.core.files import write_text as write_text
from medjax.errors import ArtifactError

FORMAT = 1
# what reading a damaged file raises
DAMAGE = (ValueError, LookupError, TypeError, OSError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
  """Turns the ways in which a file can be missing, damaged or no file into an ArtifactError that names it.

  What `core.files.check` refuses is refused before anything is read.
  """
  try:
    if os.path.exists(path):
      files.check(path)
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
