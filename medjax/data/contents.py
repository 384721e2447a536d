"""The content of a file: unpacked, made text, or refused by the name of what it is."""

import bz2
from collections.abc import Iterator
import contextlib
import gzip
import io
import lzma
import pathlib
import re
from typing import Any, cast
import zlib

from medjax.data import limits
from medjax.errors import DataError

HEAD = 2**20  # the first bytes of a file, which decide how it is read
LINE = 2**24  # bytes of the longest line that is read alone
PACKINGS = ('.gz', '.bz2', '.xz')
_OPEN: dict[str, Any] = {'': open, 'gzip': gzip.open, 'bzip2': bz2.open, 'xz': lzma.open}
_PACKED = {rb'\x1f\x8b': 'gzip', rb'BZh[1-9]1AY&SY': 'bzip2', rb'\xfd7zXZ\x00': 'xz'}
_UNPACK = 'Unpack it, and give the folder or file that comes out as data.path'
_EXPORT = 'Export the triples as .csv, .tsv or .parquet'
_BINARY = (  # (first bytes, what they begin, what to do)
  (b'PK\x03\x04', 'a zip archive', _UNPACK),
  (b'PK\x05\x06', 'a zip archive', _UNPACK),
  (b'Rar!\x1a\x07', 'a RAR archive', _UNPACK),
  (b"7z\xbc\xaf'\x1c", 'a 7z archive', _UNPACK),
  (b'\x28\xb5\x2f\xfd', 'packed by Zstandard', 'Unpack it with `unzstd`, or pack it by gzip'),
  (b'\x04\x22\x4d\x18', 'packed by LZ4', 'Unpack it with `unlz4`, or pack it by gzip'),
  (b'\x1f\x9d', 'packed by compress', 'Unpack it with `uncompress`, or pack it by gzip'),
  (b'PAR1', 'Parquet', 'Give it a name that ends in .parquet'),
  (b'ARROW1', 'an Arrow file (Feather)', _EXPORT),
  (b'Obj\x01', 'Avro', _EXPORT),
  (b'ORC', 'ORC', _EXPORT),
  (b'\xd0\xcf\x11\xe0', 'a workbook of an old Excel (.xls), or another Office document', 'Save the sheet as .csv'),
  (b'SQLite format 3\x00', 'an SQLite database', _EXPORT),
  (b'\x89HDF', 'HDF5', _EXPORT),
  (b'\x93NUMPY', "numpy's .npy", _EXPORT),
  (b'$HDT', 'HDT', 'Export it as N-Triples (.nt), e.g. with `hdt2rdf`'),
  (b'%PDF', 'a PDF', _EXPORT),
  (b'\x89PNG', 'a picture', _EXPORT),
  (b'\x80\x02', 'a pickle of Python', f'{_EXPORT}: loading runs no code'),
  (b'\x80\x03', 'a pickle of Python', f'{_EXPORT}: loading runs no code'),
  (b'\x80\x04', 'a pickle of Python', f'{_EXPORT}: loading runs no code'),
  (b'\x80\x05', 'a pickle of Python', f'{_EXPORT}: loading runs no code'),
)
_WIDE = (
  (b'\xff\xfe\x00\x00', 'UTF-32'),
  (b'\x00\x00\xfe\xff', 'UTF-32'),
  (b'\xff\xfe', 'UTF-16'),
  (b'\xfe\xff', 'UTF-16'),
)


@contextlib.contextmanager
def opened(path: str | pathlib.Path) -> Iterator[io.BufferedIOBase]:
  """Yields the binary content of a file as a stream, unpacked where it is packed.

  Raises:
    DataError: it cannot be read.
    TooLarge: it unpacks to more than `limits` allow.
  """
  try:
    packed = packing(path)
    with _OPEN[packed](path, 'rb') as file:
      yield cast(io.BufferedIOBase, io.BufferedReader(limits.Bounded(path, file), limits.PIECE) if packed else file)
  except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
    raise _unreadable(path, error) from error


def packing(path: str | pathlib.Path) -> str:
  """How a file is packed, 'gzip', 'bzip2', 'xz' or '' for plain: its content says so, not its name."""
  with open(path, 'rb') as file:
    start = file.read(16)
  return next((name for magic, name in _PACKED.items() if re.match(magic, start)), '')


def file_suffix(path: str | pathlib.Path) -> str:
  """The suffix that says how a file is written: that before .gz, .bz2 or .xz, in lower case."""
  name = pathlib.PurePath(pathlib.Path(path).name.lower())
  return pathlib.PurePath(name.stem).suffix if name.suffix in PACKINGS else name.suffix


def read_bytes(path: str | pathlib.Path, remedy: str = limits.PREPARE) -> bytes:
  """The content of a file, unpacked where it is packed; `remedy` is what helps where that does not fit into memory."""
  with opened(path) as file:
    return limits.read(path, file, remedy)


def read_head(path: str | pathlib.Path) -> bytes:
  """The first `HEAD` bytes of the content, cut after the last whole line where more follow."""
  with opened(path) as file:
    content = file.read(HEAD)
    more = bool(file.read(1))
  return content[: content.rfind(b'\n') + 1] if more and b'\n' in content else content


def read_text(path: str | pathlib.Path) -> str:
  """The text of a UTF-8 file, plain or packed, without its byte order mark; TooLarge if it does not fit into memory."""
  if b'\0' in (head := read_head(path)):
    decode(path, head)  # no text, which is told before all of it is read
  content = read_bytes(path)
  limits.check_text(path, 3 * content.count(b'\n'), len(content))
  return decode(path, content)


def read_lines(path: str | pathlib.Path) -> Iterator[bytes]:
  """Yields the lines of a file, unpacked where it is packed, with their ends; raises DataError for one without end."""
  with opened(path) as file:
    for number, line in enumerate(iter(lambda: file.readline(LINE), b''), 1):
      if len(line) == LINE:
        raise DataError(f'{path}, line {number}: it has more than {LINE:,} bytes, so this is no text. Get it again.')
      yield line


def walk(path: str | pathlib.Path) -> None:
  """Reads a file to its end and keeps nothing, so that what is wrong with it is told; see `opened`."""
  with opened(path) as file:
    while file.read(limits.PIECE):
      pass


def decode(path: str | pathlib.Path, content: bytes, first_line: int = 1) -> str:
  """The text of bytes, which begin at a line of a file.

  Raises:
    DataError: bytes that are not UTF-8, by the name of what they are where that can be told.
  """
  try:
    text = content.decode('utf-8')
  except UnicodeDecodeError as error:
    check_binary(path, content)
    line = content.count(b'\n', 0, error.start) + first_line
    raise DataError(
      f'{path}, line {line}: byte {content[error.start : error.start + 1]!r} at offset '
      f'{error.start} is not UTF-8. Save it as UTF-8, e.g. with `iconv -f LATIN1 -t UTF-8`.'
    ) from error
  at = text.find('\0')
  if at >= 0:
    check_binary(path, content)
    raise DataError(
      f'{path}, line {text.count(chr(10), 0, at) + first_line}: a zero byte. This is no text, or text '
      'in UTF-16. Save the file as UTF-8.'
    )
  return text.removeprefix('\ufeff')


def check_binary(path: str | pathlib.Path, content: bytes) -> None:
  """Raises DataError for content, no UTF-8 text, that begins as a known format does."""
  for magic, name in _WIDE:
    if content.startswith(magic):
      raise DataError(
        f'{path}: this is text in {name}. Save it as UTF-8, e.g. with `iconv -f {name} -t UTF-8 FILE > NEW`.'
      )
  for magic, name, remedy in _BINARY:
    if content.startswith(magic):
      if magic.startswith(b'PK') and (b'xl/' in content or file_suffix(path) in ('.xlsx', '.xlsm')):
        name, remedy = 'an Excel workbook', 'Save the sheet as .csv (UTF-8)'
      elif magic.startswith(b'PK') and file_suffix(path) in ('.ods', '.docx', '.npz', '.pt'):
        name, remedy = f'no text but {file_suffix(path)}', _EXPORT
      raise DataError(f'{path}: this is {name}, no text. {remedy}.')
  if content[257:262] == b'ustar':
    raise DataError(f'{path}: this is a tar archive, no text. {_UNPACK}.')


def _unreadable(path: str | pathlib.Path, error: Exception) -> DataError:
  return DataError(f'{path}: cannot be read ({error}). Check that the file is there, may be read and is whole.')
