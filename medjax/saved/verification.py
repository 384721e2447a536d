"""Whether the files of a folder are as they were written, without loading any of them."""

from collections import Counter
import contextlib
import dataclasses
import pathlib

from medjax.core import terminal
from medjax.data import store
from medjax.errors import ArtifactError, NothingSaved
from medjax.saved import checkpoint_folders, manifest, sealing, workdir
from medjax.saved.files import Path
from medjax.saved.manifest import State

CHECKPOINTS = 'checkpoints'


@dataclasses.dataclass(frozen=True)
class Verification:
  """What became of the files of a folder.

  Attributes:
    folder: that was looked at.
    files: {name: state}: 'ok', 'changed', 'missing', 'unlisted' (no manifest names it) or 'no manifest'.
  """

  folder: pathlib.Path
  files: dict[str, State]

  @property
  def damaged(self) -> tuple[str, ...]:
    """The names of the files that are changed or missing."""
    return tuple(name for name, state in self.files.items() if state in ('changed', 'missing'))

  def __str__(self) -> str:
    width = max(map(len, self.files), default=0)
    counts = Counter(self.files.values())
    return '\n'.join(
      [
        *(f'{name:<{width}}  {state}' for name, state in self.files.items()),
        f'{self.folder}: ' + ', '.join(f'{number} {state}' for state, number in counts.most_common()),
      ]
    )


def verify(folder: Path, accept: bool = False) -> Verification:
  """Compares every file of a run, a cropped model, an export or a prepared graph with its manifest.

  Args:
    folder: it.
    accept: first write a new manifest of the files as they are, also of checkpoints.

  Returns:
    The `Verification`; it raises nothing for damage, but tells it.

  Raises:
    NothingSaved: the folder holds nothing of medjax.
    ArtifactError: a prepared graph cannot be accepted: it is named by the hash of what it held.
  """
  folder = pathlib.Path(folder).expanduser()
  if store.is_store(folder):
    if accept:
      raise ArtifactError(f'{folder} is a prepared graph, which runs name by its hash; prepare it anew')
    return Verification(folder, {name: 'ok' if whole else 'changed' for name, whole in store.states(folder).items()})
  steps = [folder / CHECKPOINTS / str(step) for step in checkpoint_folders.steps_in(folder / CHECKPOINTS)]
  listed = (folder / manifest.FILE).exists()
  if not (steps or listed or (folder / 'model.json').exists() or workdir.is_text(folder)):
    raise NothingSaved(f'{folder} holds no run, cropped model, export or prepared graph; name another --workdir')
  parts = [place for place in places(folder) if (place / manifest.FILE).exists()] if listed else []
  if accept:
    with workdir.sole_trainer(folder) if steps else contextlib.nullcontext():  # who trains writes manifests too
      for step in steps:
        sealing.write(step, below=True)
      for part in (*parts, folder):
        sealing.write(part)
  files = of_folder(folder)
  for part in parts:
    files |= {f'{part.name}/{name}': state for name, state in of_folder(part).items()}
  for step in steps:
    files |= {f'{CHECKPOINTS}/{step.name}/{name}': state for name, state in of_folder(step, below=True).items()}
    files |= of_grown(folder, step)
  return Verification(folder, files)


def places(folder: pathlib.Path) -> list[pathlib.Path]:
  """Returns the folders in a folder, sorted, such as the encoder of a BERT's run; not that of checkpoints."""
  below = folder.iterdir() if folder.is_dir() else ()
  return sorted(place for place in below if place.is_dir() and place.name != CHECKPOINTS)


def of_folder(folder: pathlib.Path, below: bool = False) -> dict[str, State]:
  """Returns {name: state} of the files of one folder that has, or lacks, a manifest."""
  states: dict[str, State] = {manifest.FILE: 'changed'}
  others: State = 'unlisted'
  try:
    states = manifest.states(folder)
    others = 'unlisted' if manifest.read(folder) else 'no manifest'
  except ArtifactError:
    pass
  return states | {name: others for name in sealing.listable(folder, below) if name not in states}


def of_grown(folder: pathlib.Path, step: pathlib.Path) -> dict[str, State]:
  """Returns {name: state} of the files whose beginning the checkpoint of a step recorded."""
  try:
    found = manifest.read(step)
  except ArtifactError:
    return {}
  return {
    f'{name}, up to step {step.name}': grown_state(folder / name, entry)
    for name, entry in (found.grown.items() if found else ())
  }


def grown_state(path: pathlib.Path, entry: manifest.Entry) -> State:
  """Returns whether a file begins as it was recorded."""
  try:
    return 'ok' if manifest.digest(path, entry[0]) == entry else 'changed'
  except OSError:
    return 'missing'


def show(folder: Path, accept: bool = False) -> Verification:
  """Prints what `verify` finds; the arguments are its.

  Raises:
    ArtifactError: files are damaged; the first is named with its remedy.
  """
  found = verify(folder, accept)
  terminal.say(found)
  if 'no manifest' in found.files.values():
    terminal.say(
      f'what has no {manifest.FILE} was written before there were any, or was killed as it was: whether it is damaged '
      f'is not known; {manifest.command("verify", folder, "--accept")} writes one'
    )
  if found.damaged:
    raise ArtifactError(
      f'{len(found.damaged)} of {len(found.files)} files are damaged; {remedy(found, found.damaged[0])}'
    )
  return found


def remedy(found: Verification, name: str) -> str:
  """Returns what to do about a damaged file."""
  if not name.startswith(f'{CHECKPOINTS}/'):
    return manifest.damage(found.folder / name.partition(',')[0], found.files[name])
  broken = {int(each.split('/')[1]) for each in found.damaged if each.startswith(f'{CHECKPOINTS}/')}
  steps = set(checkpoint_folders.steps_in(found.folder / CHECKPOINTS))
  whole = steps - broken
  return f'{found.folder / name} is {found.files[name]}; ' + (
    f'the newest whole checkpoint is that of step {max(whole)}, from which a training of the same command goes on'
    if whole
    else 'no checkpoint is whole: restore one from a copy, or train anew'
  )
