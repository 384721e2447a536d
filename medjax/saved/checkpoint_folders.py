"""The folders of checkpoints as files, without opening any: which are there, which are damaged, putting those aside."""

from collections.abc import Callable
import math
import pathlib

from medjax.core import files
from medjax.errors import ArtifactError, CheckpointError
from medjax.saved import manifest
from medjax.saved.files import Path


def damage(folder: pathlib.Path, which: Callable[[str], bool] = lambda name: True) -> str:
  """Returns what of the folder of a step is not as it was written, in words; '' where nothing is known to be.

  Args:
    folder: of a step.
    which: whether the file of a name is looked at.
  """
  try:
    check_files(folder)
    found = manifest.states(folder, which)
  except (ArtifactError, OSError) as error:
    return str(error)
  said = {'missing': 'is missing', 'changed': 'was changed'}
  names = [f'{name} {said[now]}' for name, now in found.items() if now in said]
  return names[0] + (f', and {len(names) - 1} more' if names[1:] else '') if names else ''


def check_files(folder: pathlib.Path) -> None:
  """Raises ArtifactError where the folder of a step holds what orbax would wait for, or never come to the end of.

  That is what is neither folder nor file, a link that leads elsewhere or nowhere, and a description that is too large
  for one; the tables, which are read by pieces, may be of any size.
  """
  for path in sorted(folder.rglob('*')):
    if path.is_symlink() and not path.exists():
      raise ArtifactError(f'{path} is a link to nothing. Put the file itself there')
    if path.is_symlink() or not path.is_dir():
      files.check(path, math.inf if path.parent.name == 'd' else files.SMALL)


def steps_in(directory: Path) -> list[int]:
  """Returns the steps of the checkpoints in a folder, ascending, without opening any."""
  directory = pathlib.Path(directory)
  return sorted(int(path.name) for path in directory.iterdir() if path.name.isdecimal()) if directory.is_dir() else []


def set_damaged_aside(directory: Path) -> list[str]:
  """Moves damaged checkpoints into the folder `damaged` beside, so that a run goes on from the newest whole one.

  So is a checkpoint that a kill left without its manifest, of which nobody knows whether it is whole, in a run that has
  one; where no other is left, the run goes on from that.

  Args:
    directory: of the checkpoints, which nothing has open.

  Returns:
    Lines that tell of it.

  Raises:
    CheckpointError: there are checkpoints, and all of them are damaged.
  """
  directory = pathlib.Path(directory).resolve()
  steps = steps_in(directory)
  found = {step: f'is damaged ({said})' for step in steps if (said := damage(directory / str(step)))}
  unknown = [step for step in steps if step not in found and is_unknown(directory / str(step))]
  whole = [step for step in steps if step not in found and step not in unknown]
  if whole:
    found |= dict.fromkeys(unknown, f'has no {manifest.FILE}, so it was killed as it was written,')
  elif unknown:
    told = (
      f'the checkpoint of step {unknown[-1]} has no {manifest.FILE}, so it was killed as it was written: whether it '
    )
    return [*moved(directory, found), f'{told}is whole is not known, and as there is no other, it is gone on from']
  elif found:
    raise CheckpointError(
      f'none of the checkpoints in {directory} is whole: '
      + '; '.join(f'step {step} {said}' for step, said in found.items())
      + '. Restore one from a copy, or delete the workdir to start anew.'
    )
  return [*moved(directory, found), f'the newest whole checkpoint is that of step {max(whole)}'] if found else []


def is_unknown(folder: pathlib.Path) -> bool:
  """Whether the folder of a step lacks a manifest in a run that has one, so that its checkpoints got one each."""
  return not (folder / manifest.FILE).exists() and (folder.parent.parent / manifest.FILE).exists()


def moved(directory: pathlib.Path, found: dict[int, str]) -> list[str]:
  """Moves the checkpoints of {step: what is wrong with it} aside; returns a line that tells of each."""
  lines = []
  for step, said in found.items():
    place = directory.parent / 'damaged' / str(step)
    while place.exists():
      place = place.with_name(f'{place.name}-again')
    place.parent.mkdir(exist_ok=True)
    (directory / str(step)).rename(place)
    lines.append(f'the checkpoint of step {step} {said} and was moved to {place}')
  return lines
