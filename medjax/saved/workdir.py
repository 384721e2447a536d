"""The folder of a run: its configuration, and that one process at a time trains in it."""

from collections.abc import Iterator
import contextlib
import json
import pathlib

import msgspec

from medjax.core import files

try:
  import fcntl
except ImportError:  # Windows
  fcntl = None  # type: ignore[assignment]

from medjax import config as config_lib
from medjax.config.fields import Config
from medjax.data.source import Files
from medjax.errors import ArtifactError, UsageError
from medjax.saved import manifest, schemas, sealing
from medjax.saved.files import FORMAT, Path, read_bytes, reading, write_text

OWN = ('config.json', 'source.json')  # listed in the manifest beside those of a model
TRIPLES = 'given.csv'  # triples that were given in memory
TEXT = 'text.json'  # the configuration of a croppable BERT's run
FILES = (
  TRIPLES,
  'graph.json',
  'entities.tsv',
  'relations.tsv',
  'triples.npz',
  'notes.txt',
  'model.json',
  'source.json',
  manifest.FILE,
  'learned.json',
  'encoder',
  '.lock',
)


def write_config(folder: Path, config: Config) -> None:
  """Writes config.json."""
  text = json.dumps({'format': FORMAT} | config_lib.flatten(config), indent=1)
  with sealing.renewing(folder, 'config.json'):
    write_text(pathlib.Path(folder) / 'config.json', text + '\n')


def read_config(folder: Path) -> Config | None:
  """Returns the resolved `Config` of a workdir, or None if there is none.

  Raises:
    ArtifactError: it is damaged, of a newer format, or holds what no configuration may.
  """
  path = pathlib.Path(folder) / 'config.json'
  if not path.exists():
    manifest.check(path)
    return None
  with reading(path):
    flat = schemas.decode(read_bytes(path), path)
    if schemas.check_format(flat.pop('format', FORMAT), path):
      flat = schemas.leave_out(flat, config_lib.flatten(Config()), path)
    if flat['model.score'] == 'rotate':
      flat.setdefault('model.phase_scale', 16.0)  # runs that were saved before the field existed had this scale
    return config_lib.checked(config_lib.from_flat(flat))


def write_source(folder: Path, files: Files) -> None:
  """Writes source.json: the files that the graph was read from, see `data.source.fingerprint`."""
  with sealing.renewing(folder, 'source.json'):
    write_text(pathlib.Path(folder) / 'source.json', json.dumps(files, indent=1) + '\n')


def read_source(folder: Path) -> Files | None:
  """Returns what `write_source` wrote, or None if there is none."""
  path = pathlib.Path(folder) / 'source.json'
  if not path.exists():
    return None
  with reading(path):
    found = schemas.convert(schemas.decode(read_bytes(path), path), dict[str, schemas.Source])
    return {name: msgspec.structs.asdict(file) for name, file in found.items()}


def check_folder(workdir: pathlib.Path, config: str = 'config.json') -> None:
  """Raises UsageError for a folder that holds something else than a run, whose configuration has this name."""
  if not workdir.exists() or (workdir / config).exists():
    return
  if not workdir.is_dir():
    raise UsageError(f'--workdir={workdir} is a file; name a folder')
  foreign = sorted(entry.name for entry in workdir.iterdir() if entry.name not in FILES and entry.suffix != '.tmp')
  if foreign:
    raise UsageError(f'{workdir} is not empty and holds no run (there is {foreign[0]!r}); name another --workdir')


def is_text(workdir: Path) -> bool:
  """Whether a folder holds a run of a croppable BERT, or a BERT as Hugging Face writes it."""
  workdir = pathlib.Path(workdir)
  if (workdir / TEXT).exists():
    return True
  try:
    return 'model_type' in json.loads(read_bytes(workdir / 'config.json'))
  except (OSError, ValueError, TypeError, RecursionError, ArtifactError):
    return False


@contextlib.contextmanager
def sole_trainer(workdir: pathlib.Path) -> Iterator[None]:
  """Holds the workdir's lock, which ends with the process; raises UsageError if another process holds it."""
  workdir.mkdir(parents=True, exist_ok=True)
  with files.appending(workdir / '.lock') as file:
    try:
      if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
      raise UsageError(f'another process is training in {workdir}; wait for it, or name another --workdir') from None
    files.sweep(workdir)
    yield
