"""What disturbs a mode, full disks and flipped bits, and the digest of what it leaves, by which that is compared."""

import contextlib
import hashlib
import json
import shutil
import subprocess

import medjax

DISK = 96 * 2**20  # bytes of the small file system
# what differs between any two runs: times, places, and the hashes of such files
VOLATILE = {'.lock', 'config.json', 'cost.json', 'extraction.json', 'manifest.json', 'source.json', 'speed.csv'}
VOLATILE |= {'study.csv', 'trackers.json', 'tensorboard', 'report', 'checkpoints', 'damaged'}
SECONDS = ('seconds', 'steps_per_second')


def digest(folder):
  """Returns the sha256 of what a mode left, without what differs between any two runs.

  Of checkpoints the arrays of the model count, not how they are stored.
  """
  found = hashlib.sha256()
  for path in sorted(path for path in folder.rglob('*') if path.is_file()):
    parts = path.relative_to(folder).parts
    if not VOLATILE & {*parts} and path.suffix not in ('.png', '.tmp'):
      content = steps(path) if path.name == 'metrics.jsonl' else path.read_bytes()
      found.update('/'.join(parts).encode() + b'\0' + content)
  for run in sorted(path.parent for path in folder.rglob('checkpoints')):
    for table in medjax.load(run).params.values():
      for leaf in table.values():
        found.update(leaf.tobytes())
  return found.hexdigest()


def steps(path):
  """The lines of metrics without their seconds."""
  lines = map(json.loads, path.read_text().splitlines())
  return json.dumps([{name: value for name, value in line.items() if name not in SECONDS} for line in lines]).encode()


@contextlib.contextmanager
def small_disk(folder):
  """Yields whether a folder is a file system of its own, of `DISK` bytes, now."""
  folder.mkdir(exist_ok=True)
  command = ['mount', '-t', 'tmpfs', '-o', f'size={DISK}', 'tmpfs', str(folder)]
  try:
    mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
  except OSError:
    mounted = False
  try:
    yield mounted
  finally:
    if mounted:
      subprocess.run(['umount', '-l', str(folder)], check=True)


def fill(disk, left):
  """Fills a file system but for so many bytes; returns the file that does."""
  path = disk / 'filler'
  with contextlib.suppress(OSError), path.open('wb', buffering=0) as file:
    size = shutil.disk_usage(disk).free - left
    while size > 0:
      size -= file.write(bytes(min(size, 2**20)))
  return path


def flip(folder, draw):
  """Flips a bit of a file of a folder; returns (the file, its former content), or None where there is none."""
  files = sorted(path for path in folder.rglob('*') if path.is_file() and path.stat().st_size and path.name != '.lock')
  if not files:
    return None
  path = draw.choice(files)
  content = path.read_bytes()
  place, bit = draw.randrange(len(content)), 1 << draw.randrange(8)
  path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
  return path, content
