"""How a stranger spoils files and folders: seeded changes of bytes, lines, JSON, archives, tensors and kinds of files.

What is spoiled keeps its form as long as that goes: JSON stays JSON with other values, an archive is packed again with
other members, tensors get a header that fits its own length, so that readers get further than the first check.
"""

import bz2
import functools
import gzip
import io
import json
import lzma
import os
import pathlib
import shutil
import tarfile
import zipfile

PACKED = {'.gz': gzip, '.bz2': bz2, '.xz': lzma}
ZIPPED = ('.npz', '.pt', '.zip', '.pkl')
JSON = ('.json', '.jsonl', '.jsonld')
BINARY = ('.npy', '.safetensors', '.parquet', *ZIPPED)
DEEP, LONG = 100_000, 2**17  # levels of nesting, characters of a field
BOMB = 80 * 2**20  # bytes that a few packed bytes become: more than a packed file may
SPARSE = (2**29, 2**40)  # bytes of a file that has none on disk
VALUES = (
  *(None, True, False, 0, 1, -1, 3, 2**31, 2**63, -(2**63), 10**400, 0.5, 1e38, 1e308, float('nan'), float('inf')),
  *(
    '',
    ' ',
    'a',
    '..',
    '../../../etc/passwd',
    '/etc/passwd',
    '/dev/zero',
    'a\0b',
    '\x1b[2J',
    '\ud800',
    '%s',
    '{}',
    '=1',
  ),
  *([], {}, [[]], [0], [-1, 2], [2**40, 2**40], {'': ''}, ['a'] * 3, 'x' * LONG, list(range(5000))),
)
FIELDS = (
  '',
  ' ',
  '"',
  "'",
  'nan',
  'inf',
  '-1',
  '1e999',
  '0',
  '#',
  '\\',
  '\0',
  '\x1b[31m',
  '\ufeff',
  '<a>',
  '""',
  '\u202e',
)
PIECES = (b'', b'\0', b'\n', b'\t', b'"', b'\xff', b'\xef\xbb\xbf', b'\r', b'9' * 5000, b'(' * 3000, b'[' * DEEP, b'<!')


def compressed(content, suffix):
  """Packs bytes as `suffix` says, the same at any time: gzip's header would tell the hour."""
  return gzip.compress(content, mtime=0) if suffix == '.gz' else PACKED[suffix].compress(content)


def content(old, suffix, draw, others):
  """Returns the bytes of a file, spoiled.

  Args:
    old: its bytes.
    suffix: of its name.
    draw: a `random.Random`.
    others: bytes of other files, to put in its place or in the middle of it.
  """
  ways = [raw, raw]
  if suffix in PACKED:
    ways = [*[raw] * 5, *[packed] * 14, bomb]
  elif suffix in ZIPPED:
    ways = [raw, zipped, zipped, zipped]
  elif suffix in JSON:
    ways = [raw, structured, structured, structured]
  elif suffix == '.npy':
    ways = [raw, array, array]
  elif suffix == '.safetensors':
    ways = [raw, tensors, tensors, tensors]
  elif suffix not in BINARY:
    ways = [raw, lines, lines]
  return draw.choice(ways)(old, suffix, draw, others)


def raw(old, suffix, draw, others):
  """Bytes changed, cut, repeated, put in, or those of another file."""
  new = bytearray(old)
  for _ in range(draw.choice((1, 1, 2, 5))):
    place, end = sorted(draw.randrange(len(new) + 1) for _ in range(2))
    way = draw.randrange(7)
    if way == 0 and new:
      new[min(place, len(new) - 1)] ^= 1 << draw.randrange(8)
    elif way == 1:
      del new[place:]
    elif way == 2:
      del new[place : min(end, place + 64)]
    elif way == 3:
      new[place:place] = draw.choice(PIECES)
    elif way == 4:
      new[place : place + draw.choice((0, 4, 8))] = draw.randbytes(draw.choice((1, 4, 8, 100)))
    elif way == 5:
      new[place:place] = new[place:end][: 2**16] * draw.choice((1, 2, 50))
    elif others:
      other = draw.choice(others)
      new[place:end] = other[draw.randrange(len(other) + 1) :][: 2**16]
  return bytes(new)


def lines(old, suffix, draw, others):
  """Lines of text with other fields, fewer or more of them, repeated, in another order, or with other ends."""
  separator = '\t' if b'\t' in old else ',' if b',' in old else ' '
  rows = [line.split(separator) for line in old.decode('utf-8', 'replace').split('\n')]
  for _ in range(draw.choice((1, 1, 3))):
    row = draw.choice(rows)
    way = draw.randrange(8)
    if way == 0:
      row[draw.randrange(len(row))] = draw.choice(FIELDS)
    elif way == 1 and len(row) > 1:
      del row[draw.randrange(len(row))]
    elif way == 2:
      row.insert(draw.randrange(len(row) + 1), draw.choice(FIELDS))
    elif way == 3:
      rows.insert(draw.randrange(len(rows) + 1), list(row))
    elif way == 4:
      draw.shuffle(rows)
    elif way == 5:
      row[draw.randrange(len(row))] = 'x' * LONG
    elif way == 6:
      rows.insert(draw.randrange(len(rows)), [draw.choice(FIELDS) for _ in range(draw.choice((1, 3, 40)))])
    else:
      rows = rows[: draw.randrange(1, 3)]
  text = draw.choice(('\n', '\n', '\n', '\r\n', '\r', '\x85')).join(map(separator.join, rows))
  return text.encode(draw.choice(('utf-8', 'utf-8', 'utf-8', 'utf-8-sig', 'utf-16', 'latin-1')), 'replace')


def structured(old, suffix, draw, others):
  """JSON, or lines of it, with other values, keys too many, missing or twice, or nested without end."""
  try:
    if suffix == '.jsonl':
      rows = old.decode().splitlines()
      place = draw.randrange(len(rows))
      rows[place] = structured(rows[place].encode(), '.json', draw, others).decode('utf-8', 'surrogatepass')
      return '\n'.join([*rows, '']).encode('utf-8', 'surrogatepass')
    whole = json.loads(old)
  except (ValueError, IndexError, RecursionError):
    return raw(old, suffix, draw, others)
  for _ in range(draw.choice((1, 1, 2, 4))):
    whole = changed(whole, draw)
  text = json.dumps(whole, indent=draw.choice((None, 1)))
  if draw.random() < 0.05:
    text = text.replace('{', '{"format": 1, "format": 2, ', 1)
  if draw.random() < 0.05:
    text = text.replace(': ', ': ' + '[' * DEEP + ']' * DEEP + ', "": ', 1)
  return text.encode('utf-8', 'surrogatepass')


def changed(whole, draw):
  """Returns a value of JSON in which one place, drawn, is another."""
  places = [((), whole)]
  for path, value in places:
    if len(places) < 5000:
      inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
      places += [((*path, key), of) for key, of in inner]
  path, value = draw.choice(places)
  if not path:
    return draw.choice(VALUES) if draw.random() < 0.1 else whole
  parent = whole
  for key in path[:-1]:
    parent = parent[key]
  way = draw.randrange(6)
  if way == 0:
    del parent[path[-1]]
  elif way == 1 and isinstance(parent, dict):
    parent[draw.choice(('', 'x', 'format', '../a', '\x1b[2J', '__class__', path[-1] + 'x'))] = value
  elif way == 2 and isinstance(parent, list):
    parent[:] = parent * draw.choice((2, 50))
  elif way == 3 and isinstance(value, (int, float)):
    parent[path[-1]] = draw.choice((value + 1, value - 1, -value, value * 2**20, str(value), [value], float(value)))
  elif way == 4:
    parent[path[-1]] = draw.choice(places)[1]
  else:
    parent[path[-1]] = draw.choice(VALUES)
  try:
    return json.loads(json.dumps(whole))  # without what holds itself
  except (ValueError, RecursionError):
    return draw.choice(VALUES)


def packed(old, suffix, draw, others):
  """What is packed, spoiled and packed again."""
  try:
    inner = PACKED[suffix].decompress(old)
  except (OSError, EOFError, lzma.LZMAError):
    return raw(old, suffix, draw, others)
  return compressed(draw.choice((raw, lines))(inner, '', draw, others), suffix)


def bomb(old, suffix, draw, others):
  """Few bytes that become many."""
  return bomb_of(suffix, draw.choice((b'a\tr\tb\n', b'\0' * 8)))


@functools.cache
def bomb_of(suffix, line):
  """A line many times, packed in many pieces, which is quickly made."""
  return compressed(line * (2**20 // len(line)), suffix) * (BOMB // 2**20)


def zipped(old, suffix, draw, others):
  """An archive with spoiled members, other names, members twice or missing."""
  try:
    with zipfile.ZipFile(io.BytesIO(old)) as source:
      members = [(info.filename, source.read(info)) for info in source.infolist()]
  except (zipfile.BadZipFile, OSError, ValueError):
    return raw(old, suffix, draw, others)
  place = draw.randrange(len(members))
  name, inner = members[place]
  way = draw.randrange(8)
  if way == 0:
    members[place] = (draw.choice(('../../a', '/etc/passwd', 'a\nb', 'x' * 300, name + 'x', '')), inner)
  elif way == 1:
    members.append(members[place])
  elif way == 2 and len(members) > 1:
    del members[place]
  elif way == 3:
    members[place] = (name, bytes(BOMB))
  else:
    members[place] = (name, array(inner, '.npy', draw, others) if way > 5 else content(inner, name[-4:], draw, others))
  file = io.BytesIO()
  how = (
    draw.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)) if way != 3 else zipfile.ZIP_DEFLATED
  )
  with zipfile.ZipFile(file, 'w', how) as target:
    for name, inner in members:
      target.writestr(zipfile.ZipInfo(name or 'a'), inner, how)
  return file.getvalue()


def array(old, suffix, draw, others):
  """A .npy whose header says other shapes and types, or whose numbers are not finite."""
  start, found, rest = old.partition(b'\n')
  if not found or not old.startswith(b'\x93NUMPY'):
    return raw(old, suffix, draw, others)
  if draw.random() < 0.3:
    number = draw.choice((b'\x00\x00\xc0\x7f', b'\x00\x00\x80\xff', b'\xff\xff\xff\x7f', b'\xff' * 4))
    place = 4 * draw.randrange(len(rest) // 4 + 1)
    return start + found + rest[:place] + number + rest[place + 4 :]
  shape = draw.choice(
    ('()', '(0,)', '(-1, 3)', f'({2**40}, {2**40})', f'({len(rest)},)', '(2, 3)', f'({2**62},)', '(1,) * 9')
  )
  kind = draw.choice(('<i4', '<f4', '<f8', '|O', '|u1', '<U9', '<c8', '|b1', 'V16', '<M8', '>i4', 'f', '<i4, <f4'))
  header = f"{{'descr': {kind!r}, 'fortran_order': {draw.choice(('True', 'False'))}, 'shape': {shape}, }}".encode()
  if draw.random() < 0.1:
    header = b'(' * 60000
  header += b' ' * (-(len(header) + 11) % 64) + b'\n'
  return b'\x93NUMPY\x01\x00' + len(header).to_bytes(2, 'little') + header + rest


def tensors(old, suffix, draw, others):
  """A file of safetensors whose header is spoiled JSON of its own length, or whose numbers are not finite."""
  size = int.from_bytes(old[:8], 'little')
  header, rest = old[8 : 8 + size], old[8 + size :]
  way = draw.randrange(6)
  if way == 0:
    place = 4 * draw.randrange(len(rest) // 4 + 1)
    return old[: 8 + size] + rest[:place] + b'\x00\x00\xc0\x7f' + rest[place + 4 :]
  if way == 1:
    return draw.choice((2**63, 2**62, 10**9, size + 1, 0, size - 1)).to_bytes(8, 'little') + header + rest
  header = structured(header, '.json', draw, others)
  return len(header).to_bytes(8, 'little') + header + rest


def tarred(names):
  """Returns the bytes of a .tar.gz of {name: content}; a content that begins with -> is a link's target."""
  file = io.BytesIO()
  with tarfile.open(fileobj=file, mode='w') as tar:
    for name, inner in names.items():
      info = tarfile.TarInfo(name)
      if inner.startswith(b'->'):
        info.type, info.linkname = tarfile.SYMTYPE, inner[2:].decode()
        tar.addfile(info)
      else:
        info.size = len(inner)
        tar.addfile(info, io.BytesIO(inner))
  return compressed(file.getvalue(), '.gz')


def folder(place, draw, others, links=True):
  """Spoils one file of a folder, or two.

  Args:
    place: the folder.
    draw: a `random.Random`.
    others: files of other artifacts.
    links: whether files may also become links, pipes, folders, or very large without bytes on disk.

  Returns:
    The paths of what was spoiled.
  """
  files = sorted(path for path in place.rglob('*') if path.is_file() and path.name != '.lock')
  names = [path.name for path in files]
  chosen = []
  for _ in range(draw.choice((1, 1, 1, 2))):
    name = draw.choice(sorted(set(names)))  # of the many files of a checkpoint as often as of model.json
    path = draw.choice([path for path in files if path.name == name])
    chosen.append(path)
    if links and draw.random() < 0.2:
      other(path, draw, files, others)
    elif path.is_file() and not path.is_symlink() and path.stat().st_size < 2**24:
      known = [draw.choice(others).read_bytes()] if others else []
      path.write_bytes(content(path.read_bytes(), path.suffix, draw, known))
  return chosen


def other(path, draw, files, others):
  """Makes a file something else: a link, a pipe, a folder, nothing, very large, or another file."""
  way = draw.randrange(9)
  if path.is_dir():
    return
  path.unlink(missing_ok=True)
  if way == 0:
    path.symlink_to(draw.choice(('/etc/passwd', '/dev/zero', '/dev/null', '/proc/self/mem', '/', path.name, 'absent')))
  elif way == 1:
    os.mkfifo(path)
  elif way == 2:
    path.mkdir()
  elif way == 3:
    with path.open('wb') as file:
      file.truncate(draw.choice(SPARSE))
  elif way == 4:
    twin = draw.choice(files)
    if twin.is_file() and not twin.is_symlink() and twin.stat().st_size < 2**24:
      path.write_bytes(twin.read_bytes())
  elif way == 5 and others:
    same = [each for each in others if each.name == path.name] or others
    shutil.copyfile(draw.choice(same), path)
  elif way == 6:
    (path.parent / draw.choice(('model.pkl', 'x.py', '.tmp', 'config.json'))).write_bytes(b'{}')
    path.write_bytes(b'')
  elif way == 7:
    path.write_bytes(b'')


def size(place):
  """Returns the bytes that a file, or all files of a folder, say that they have."""
  place = pathlib.Path(place)
  paths = [place] if not place.is_dir() else list(place.rglob('*'))
  return sum(path.lstat().st_size for path in paths if not path.is_dir() or path.is_symlink())
