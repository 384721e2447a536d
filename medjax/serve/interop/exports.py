"""The formats in which a model leaves, by name."""

from collections.abc import Callable
import difflib
import pathlib
from typing import NamedTuple, TYPE_CHECKING

from medjax import errors
from medjax.saved import manifest, sealing
from medjax.saved.files import Path
from medjax.serve.interop import arrays, folder, for_pykeen, for_web, hub, index, parquet, word2vec

if TYPE_CHECKING:
  from medjax.serve.model import Model


class Format(NamedTuple):
  """A format.

  Attributes:
    write: (model, folder, dtype) -> nothing.
    dtypes: in which numbers can be stored, the default first.
  """

  write: Callable[['Model', pathlib.Path, str], None]
  dtypes: tuple[str, ...] = ('float32',)


FORMATS = {
  'safetensors': Format(folder.write, ('float32', 'float16', 'int8')),
  'numpy': Format(arrays.write, ('float32', 'float16', 'int8')),
  'word2vec': Format(word2vec.write),
  'parquet': Format(parquet.write, ('float32', 'float16')),
  'faiss': Format(index.write_faiss),
  'usearch': Format(index.write_usearch, ('float32', 'float16')),
  'hnswlib': Format(index.write_hnswlib),
  'hub': Format(hub.write, ('float32', 'float16', 'int8')),
  'pykeen': Format(for_pykeen.write),
  'web': Format(for_web.write, ('float32', 'float16', 'int8')),
}


def export(model: 'Model', output: Path, format: str, dtype: str = 'float32') -> pathlib.Path:
  """Writes a model into a folder in a format of `FORMATS`; `hub.write_card` adds a run's results to a card.

  Args:
    model: a `Model`; crop it first for a narrower one.
    output: the folder, made if it is not there.
    format: its name.
    dtype: how numbers are stored.

  Returns:
    The folder.

  Raises:
    errors.FormatError: an unknown format, a number type or score that it cannot hold, or a package that is missing.
  """
  if format not in FORMATS:
    near = difflib.get_close_matches(format, FORMATS, n=1)
    hint = f'did you mean {near[0]!r}? ' if near else ''
    raise errors.FormatError(f'--format={format}: {hint}a model is exported as one of {", ".join(FORMATS)}')
  if dtype not in FORMATS[format].dtypes:
    raise errors.FormatError(f'--dtype={dtype}: {format} stores numbers as {" or ".join(FORMATS[format].dtypes)}')
  output = pathlib.Path(output)
  output.mkdir(parents=True, exist_ok=True)
  (output / manifest.FILE).unlink(missing_ok=True)
  FORMATS[format].write(model, output, dtype)
  sealing.write(output)
  return output
