"""A sample copied and spoiled, and its manifests with it: they are taken away, or fit what is there.

Whatever a number spoils hangs on the seed, the subject and that number alone.
"""

import contextlib
import functools
import hashlib
import json
import random
import shutil

from benchmarks import spoiled
from medjax import errors
from medjax.data import store
from medjax.saved import manifest, sealing

OTHERS = ('.json', '.npz', '.safetensors', '.tsv')  # files that take the place of others
# What reading spoiled JSON as it should be can raise.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


def seal(folder, draw, chosen):
  """Takes the manifests of an artifact away, or writes them over what is there, as far as that goes."""
  paths = [path for path in folder.rglob('*') if path.name in (manifest.FILE, store.MANIFEST)]
  small = all(path.stat().st_size < 2**24 for path in folder.rglob('*') if path.is_file())
  again = draw.random() < 0.5 and small
  for path in paths:
    if path in chosen and again:
      continue  # a spoiled manifest
    with contextlib.suppress(*UNREADABLE, errors.MedjaxError):
      if path.name == store.MANIFEST:  # without which it is no prepared graph
        reseal(path)
      elif again:
        sealing.write(path.parent, below='checkpoints' in path.parts)
      else:
        path.unlink()


def reseal(path):
  """Writes store.json with the sizes and hashes of the files that are there."""
  found = json.loads(path.read_bytes())
  for name, file in found['files'].items():
    if not (path.parent / name).is_file():
      raise ValueError(f'{name} is no file')  # a pipe would be waited for
    file['bytes'] = (path.parent / name).stat().st_size
    if file['bytes'] <= min(spoiled.SPARSE):  # a terabyte would be hashed for an hour: the reader has to see it first
      with (path.parent / name).open('rb') as content:  # which may be of a size that no memory holds
        file['sha256'] = hashlib.file_digest(content, 'sha256').hexdigest()
  found['hash'] = store.digest(found)
  found['whole'] = store.whole_digest(found)
  path.write_text(json.dumps(found))


@functools.cache
def files_of(source):
  """The files of all samples, but for those in folders of folders."""
  return sorted(file for file in source.glob('*/*') if file.is_file())


def spoil(subject, number, seed, source, place):
  """Copies a sample to a new place and spoils it, by the seed and number alone; returns what is to be read."""
  draw = random.Random(f'{seed}-{subject.name}-{number}')
  whole = source / subject.name
  if subject.alone:
    path = draw.choice(sorted(whole.iterdir()))
    others = [draw.choice(files_of(source)).read_bytes()]
    (place / path.name).write_bytes(spoiled.content(path.read_bytes(), path.suffix, draw, others))
    return place / path.name
  shutil.copytree(whole, place / 'it')
  others = [file for file in files_of(source) if file.suffix in OTHERS]
  inner = place / 'it' / 'checkpoints' if subject.name == 'run, checkpoints' else place / 'it'
  chosen = spoiled.folder(inner, draw, others)
  if subject.artifact:
    seal(place / 'it', draw, chosen)
  return place / 'it'
