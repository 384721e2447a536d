"""The libraries whose models enter, by name."""

from collections.abc import Callable
import difflib
import pathlib

from medjax import errors
from medjax.data.graph import Graph
from medjax.saved.files import Path
from medjax.serve.interop import from_dglke, from_kbc, from_pykeen, from_rotate, sources
from medjax.serve.interop.sources import Source

# (path, score or '', graph) -> Source
READERS: dict[str, Callable[[pathlib.Path, str, Graph], Source]] = {
  'pykeen': from_pykeen.read,
  'dglke': from_dglke.read,
  'rotate': from_rotate.read,
  'kbc': from_kbc.read,
}


def import_model(source: Path, format: str, graph: Graph, output: Path, score: str = '') -> tuple[Source, list[str]]:
  """Writes another library's trained model as one of medjax, of its full width, without running code of its files.

  Args:
    source: its folder or file.
    format: the library, a name of `READERS`.
    graph: what it was trained on.
    output: the folder to write.
    score: what a PyKEEN state_dict is of; '' where the files say it.

  Returns:
    (what was read, notes).

  Raises:
    errors.FormatError: an unknown format.
    errors.DataError: files that are missing, damaged or of a model that no score of medjax ranks as.
  """
  if format not in READERS:
    near = difflib.get_close_matches(format, READERS, n=1)
    hint = f'did you mean {near[0]!r}? ' if near else ''
    raise errors.FormatError(f'--format={format}: {hint}models are imported from {", ".join(READERS)}')
  path = pathlib.Path(source)
  if not path.exists():
    raise errors.DataError(f'--source={source}: there is no such file or folder here ({pathlib.Path.cwd()}).')
  read = READERS[format](path, score, graph)
  output = pathlib.Path(output)
  output.mkdir(parents=True, exist_ok=True)
  return read, sources.write(read, graph, output)
