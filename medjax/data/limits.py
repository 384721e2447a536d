"""How much may come out of a packed file or of a download: bombs end with an error, before memory and disk do.

A packed file may unpack to a hundred times its size, or to what the field data.max_bytes says; what it holds is counted
while it is read. What a text needs as strings is reckoned before it is split.
"""

from collections.abc import Iterator
import contextlib
import contextvars
import io
import pathlib
from typing import Any, IO

from medjax.core import memory
from medjax.errors import TooLarge

RATIO = 100  # bytes that a byte of a packed file may become; text of triples becomes 3 to 30
SMALL = 64 * 2**20  # bytes that any file may unpack to
DOWNLOAD = 2**35  # bytes of the largest download
PIECE = 2**20  # bytes that are read at once
FIELD = 64 + 8  # bytes that a short string takes in a list
PREPARE = 'Prepare it once, in bounded memory: --mode=prepare --config.data.path=TEXT --output=FOLDER'
RAISE = 'If you trust it, --config.data.max_bytes=BYTES (such as 4e9) allows more'
_most = contextvars.ContextVar('max_bytes', default=0.0)


@contextlib.contextmanager
def up_to(most: float) -> Iterator[None]:
  """Allows so many bytes meanwhile, whatever the ratio; 0 is the default of `unpacked`."""
  token = _most.set(most)
  try:
    yield
  finally:
    _most.reset(token)


def unpacked(packed: int) -> float:
  """Returns the bytes that so many packed bytes may become."""
  return _most.get() or max(SMALL, RATIO * packed)


def downloaded() -> float:
  """Returns the bytes that a download may have."""
  return _most.get() or DOWNLOAD


def check_unpacked(path: str | pathlib.Path, size: int) -> None:
  """Raises TooLarge for a packed file that says it becomes more bytes than it may."""
  packed = pathlib.Path(path).stat().st_size
  if size > (most := unpacked(packed)):
    raise _too_large(path, packed, most)


def check_text(path: str | pathlib.Path, fields: int, size: int) -> None:
  """Raises TooLarge where the strings of a text, of `size` bytes, do not fit into memory."""
  needed = FIELD * fields + size
  if needed > SMALL:
    memory.check(needed, f'{path}: the text, with {fields:,} fields,', PREPARE)


def check_json(path: str | pathlib.Path, text: str) -> None:
  """Raises TooLarge where the values of a text of JSON, of which an empty list takes 3 characters, do not fit."""
  values = sum(map(text.count, ',:[{'))
  if (needed := FIELD * values + len(text)) > SMALL:
    memory.check(needed, f'{path}: its JSON, with {values:,} values,', 'Leave out what is not asked for')


def read(path: str | pathlib.Path, file: io.BufferedIOBase, remedy: str = PREPARE) -> bytes:
  """Returns what is left of an open file; raises TooLarge as soon as it fits into memory no more."""
  content, size, there = io.BytesIO(), 0, float(SMALL)
  while piece := file.read(PIECE):
    size += content.write(piece)
    if size > there:
      there = size + memory.available() / 2  # the content becomes a text
      memory.check(2 * size, f'{path}: its content', remedy, there)
  return content.getvalue()  # which copies nothing


def walk(path: str | pathlib.Path, file: IO[bytes] | io.BufferedIOBase) -> None:
  """Reads a packed file to its end and keeps nothing; raises TooLarge where it unpacks to more than it may."""
  stream = Bounded(path, file)
  while stream.read(PIECE):
    pass


class Bounded(io.RawIOBase):
  """A stream of an unpacked file that ends with TooLarge after as many bytes as it may have."""

  def __init__(self, path: str | pathlib.Path, file: IO[bytes] | io.BufferedIOBase):
    self._path, self._file, self._count = path, file, 0
    self._packed = pathlib.Path(path).stat().st_size
    self._most = unpacked(self._packed)

  def readable(self) -> bool:
    """It is."""
    return True

  def readinto(self, buffer: Any) -> int:
    """Reads as much as there is, up to the length of a buffer."""
    content = self._file.read(len(memoryview(buffer)))
    memoryview(buffer)[: len(content)] = content
    self._count += len(content)
    if self._count > self._most:
      raise _too_large(self._path, self._packed, self._most)
    return len(content)


class Counted:
  """A file that takes as many bytes as a download may have, and then raises TooLarge."""

  def __init__(self, url: str, file: IO[bytes], most: float):
    self._url, self._file, self._left, self._most = url, file, most, most

  def write(self, content: bytes) -> int:
    """Writes bytes."""
    self._left -= len(content)
    if self._left < 0:
      raise TooLarge(f'{self._url}: more than {memory.words(self._most)} came, so it was ended. {RAISE}.')
    return self._file.write(content)

  def flush(self) -> None:
    """Hands on what was written."""
    self._file.flush()


def _too_large(path: str | pathlib.Path, packed: int, most: float) -> TooLarge:
  return TooLarge(f'{path}: its {memory.words(packed)} unpack to more than {memory.words(most)}. {RAISE}.')
