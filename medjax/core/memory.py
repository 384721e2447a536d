"""Memory that is left to this process, and work that needs more; the only module that imports psutil."""

import os
import pathlib

from medjax.errors import TooLarge

VARIABLE = 'MEDJAX_MEMORY'
DOUBT = 1.3  # estimates are at most this far off, so what needs more than this many times what is there is hopeless
UNITS = ('bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')
GROUPS = pathlib.Path('/sys/fs/cgroup')
LIMITS = (  # (limit, use, what of the use is given back on demand) of a group of processes, in both versions
  ('memory.max', 'memory.current', 'inactive_file'),
  ('memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file'),
)


def available() -> int:
  """Returns the bytes that this process may still take: of the system, of its control group, or $MEDJAX_MEMORY."""
  if given := os.environ.get(VARIABLE):
    try:
      return int(float(given))
    except (ValueError, OverflowError):
      raise TooLarge(f'{VARIABLE}={given}: write a number of bytes, such as 16e9') from None
  import psutil  # on use: it reads the system's tables as it is loaded

  left = [psutil.virtual_memory().available, *map(_left, _folders())]
  return max(min(found for found in left if found is not None), 0)


def check(needed: float, what: str, remedy: str, there: float | None = None) -> None:
  """Raises TooLarge for work that is hopeless.

  Args:
    needed: the bytes that it needs, by an estimate.
    what: the work, in words.
    remedy: what to change.
    there: the bytes that there are; None is `available`.
  """
  there = available() if there is None else there
  if needed > DOUBT * there:
    raise TooLarge(
      f'{what} needs about {words(needed)} of memory, and {words(there)} are left. {remedy}. '
      f'({VARIABLE}=BYTES says how much there is, if that is wrong.)'
    )


def words(size: float) -> str:
  """Returns a number of bytes in words.

  >>> words(999), words(3 * 2**30), words(2**80)
  ('999 bytes', '3.0 GiB', '1,048,576.0 EiB')
  """
  power = next((i for i in range(len(UNITS)) if size < 1000 * 1024**i), len(UNITS) - 1)
  return f'{size:.0f} bytes' if power == 0 else f'{size / 1024**power:,.1f} {UNITS[power]}'


def _folders() -> list[pathlib.Path]:
  """The folders of the control groups that this process is in, and of those around them."""
  try:
    lines = pathlib.Path('/proc/self/cgroup').read_text(encoding='utf-8').splitlines()
  except OSError:
    return []  # no Linux
  found = []
  for line in lines:
    _, _, rest = line.partition(':')
    controllers, _, place = rest.partition(':')
    if controllers in ('', 'memory'):
      inner = pathlib.PurePosixPath(place)
      found += [GROUPS / controllers / str(up).lstrip('/') for up in (inner, *inner.parents)]
  return found


def _left(folder: pathlib.Path) -> int | None:
  """The bytes that a control group may still take, or None where it has no limit."""
  for limit, use, spare in LIMITS:
    try:
      most = int((folder / limit).read_text())  # 'max' is no number
      taken = int((folder / use).read_text())
      lines = dict(line.split() for line in (folder / 'memory.stat').read_text().splitlines())
      return most - taken + int(lines.get(spare, 0))
    except (OSError, ValueError):
      continue
  return None
