"""What the JSON files of artifacts may hold, field by field, and reading them so. Loading runs no code.

A file says its format as MAJOR or "MAJOR.MINOR". A newer major is refused by name; of a newer minor of the same major,
fields that are not known here are told and left out. In a file of this format they are damage.
"""

import math
import pathlib
import sys
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from medjax.core import terminal
from medjax.errors import ArtifactError

MAJOR, MINOR = 1, 0
FORMAT = MAJOR  # as files say it
LARGEST = 2**31 - 1
Name = Annotated[str, msgspec.Meta(pattern=r'^[^\x00]*$')]
Hash = Annotated[str, msgspec.Meta(pattern=r'^[0-9a-f]{32}$')]
Sha256 = Annotated[str, msgspec.Meta(pattern=r'^[0-9a-f]{64}$')]
Bytes = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Count = Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
Figure = Annotated[int, msgspec.Meta(ge=0, le=2**62)] | Annotated[float, msgspec.Meta(ge=0, le=2**62)]
T = TypeVar('T', bound=msgspec.Struct)


class Known(msgspec.Struct, forbid_unknown_fields=True):
  """A record of which every field is declared."""


class Description(Known, kw_only=True):
  """model.json, see `artifact.Description`."""

  score: Name
  constants: dict[str, float]
  widths: Annotated[tuple[Count, ...], msgspec.Meta(min_length=1)]
  block: Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]  # 0: as long as all widths allow
  offset: tuple[float, ...] = ()
  scale: tuple[float, ...] = ()
  source: Name = ''
  unseen: Literal['rank', 'skip'] = 'rank'
  extra_widths: Name = ''
  candidates: Annotated[int, msgspec.Meta(ge=-1, le=LARGEST)] = 0

  def __post_init__(self) -> None:
    for name in ('offset', 'scale'):
      values = getattr(self, name)
      if values and len(values) != len(self.widths):
        raise ValueError(f'{name} has {len(values)} numbers for {len(self.widths)} widths')
      check_finite(name, values)
    check_finite('constants', self.constants.values())
    if any(scale <= 0 for scale in self.scale):
      raise ValueError(f'scale has {min(self.scale)}, and a scale is above 0')
    if any(a >= b for a, b in zip(self.widths, self.widths[1:])):
      raise ValueError('widths do not increase')
    if is_outside(self.source):
      raise ValueError(f'source is {self.source!r}, which leads out of a folder')


class Manifest(Known, kw_only=True):
  """manifest.json, see `manifest.Manifest`."""

  files: dict[str, tuple[Bytes, Hash]]
  grown: dict[str, tuple[Bytes, Hash]] = {}
  tables: dict[str, tuple[Bytes, tuple[Hash, ...]]] = {}
  hash: Hash

  def __post_init__(self) -> None:
    for name in (*self.files, *self.grown):
      if not name or '\0' in name or is_outside(name):
        raise ValueError(f'{name!r} is no name of a file of the folder')


class Calibration(Known):
  """One width in calibration.json."""

  scores: tuple[float, ...]
  probabilities: tuple[float, ...]


class Calibrations(Known):
  """calibration.json."""

  widths: dict[Annotated[str, msgspec.Meta(pattern=r'^[1-9][0-9]{0,9}$')], Calibration]


class Reference(Known):
  """graph.json: where a prepared graph lies, and its hash."""

  path: Annotated[str, msgspec.Meta(pattern=r'^[^\x00]+$')]
  hash: Sha256


class Source(Known):
  """A file in source.json, which has them by name."""

  bytes: Bytes
  time: int
  sha256: Sha256


class CostOfTeacher(msgspec.Struct):
  """A teacher in cost.json."""

  hash: Name
  width: Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
  steps: Figure
  train_seconds: Figure


class Cost(msgspec.Struct):
  """What is computed with of cost.json; it may hold other figures."""

  steps: Figure = 0
  triples: Figure = 0
  train_seconds: Figure = 0
  evaluation_seconds: Figure = 0
  extraction_seconds: Figure = 0
  teacher_seconds: Figure = 0
  peak_memory_mib: Figure | None = None
  command: str = ''
  hardware: str = ''
  jax: str = ''
  medjax: str = ''
  python: str = ''
  hash: str = ''
  teacher: list[CostOfTeacher] = []


class Extraction(Known):
  """extraction.json: how a model was extracted, and the fields of the run that it was extracted from."""

  method: Name
  config: dict[str, Any] | None
  by: Name = ''
  seed: int = 0
  full_width: Annotated[int, msgspec.Meta(ge=0, le=LARGEST)] = 0


def is_outside(name: str) -> bool:
  """Whether a name leads out of the folder that it is put into.

  >>> is_outside('../a'), is_outside('/a'), is_outside('a/b..c')
  (True, True, False)
  """
  name = name.replace('\\', '/')  # of manifests there are hundreds, for which pathlib takes longer than hashing does
  return name.startswith('/') or '..' in name.split('/')


def check_finite(name: str, values: Any) -> None:
  """Raises ValueError for numbers of which one is infinite or NaN."""
  if not all(map(math.isfinite, values)):
    raise ValueError(f'{name} has a number that is not finite')


def decode(content: bytes, path: pathlib.Path) -> dict[str, Any]:
  """Returns the fields of a JSON file; raises ValueError or RecursionError for what holds none."""
  values = msgspec.json.decode(content)
  if not isinstance(values, dict):
    raise ValueError(f'{path.name} holds no fields but {type(values).__name__}')
  return values


def read(content: bytes, kind: type[T], path: pathlib.Path) -> T:
  """Returns the record of a JSON file that says its format.

  Args:
    content: of the file.
    kind: the record.
    path: the file that messages name.

  Raises:
    ArtifactError: a newer format.
    ValueError, RecursionError: anything else than the record.
  """
  values = decode(content, path)
  newer = check_format(values.pop('format'), path)
  return convert(leave_out(values, kind.__struct_fields__, path) if newer else values, kind)


def convert(values: Any, kind: Any) -> Any:
  """Returns values as a declared type; raises ValueError where they are none."""
  return msgspec.convert(values, kind)


def check_format(said: Any, path: pathlib.Path) -> bool:
  """Whether a file is of a newer minor format than this.

  Raises:
    ArtifactError: a newer major format.
    ValueError: what is no format.
  """
  parts = str(said).split('.') if type(said) in (int, str) else []
  if not 1 <= len(parts) <= 2 or not all(part.isdecimal() and len(part) < 10 for part in parts):
    raise ValueError(f'format is {said!r}')
  major, minor = int(parts[0]), int((*parts, '0')[1])
  if major > MAJOR:
    raise ArtifactError(
      f'{path} is of format {said}, and this medjax reads format {MAJOR}; install the medjax that wrote it, or a newer '
      'one'
    )
  if major < 1:
    raise ValueError(f'format is {said!r}')
  return minor > MINOR


def leave_out(values: dict[str, Any], known: Any, path: pathlib.Path) -> dict[str, Any]:
  """Returns the fields that are known; the others are told."""
  if others := sorted(values.keys() - set(known)):
    terminal.say(
      f'warning: {path} is of a newer format than {MAJOR}.{MINOR} and has fields that are left out here: '
      f'{", ".join(map(repr, others))}',
      file=sys.stderr,
    )
  return {name: value for name, value in values.items() if name in known}
