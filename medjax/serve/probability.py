"""How probable a score makes a triple: calibration.json, which `--mode=calibrate` writes."""

import json
import pathlib
from typing import NamedTuple

from jaxtyping import Float
import numpy as np

from medjax.core import files
from medjax.saved import schemas
from medjax.saved.files import FORMAT, Path, read_bytes, reading, write_text

FILE = 'calibration.json'


class Calibration(NamedTuple):
  """A map from scores to probabilities that never falls, straight between its points.

  A probability is that of a triple which is as likely to be true as to have a random entity in place of its head or
  tail.

  Attributes:
    scores: increasing.
    probabilities: at these scores.
  """

  scores: tuple[float, ...]
  probabilities: tuple[float, ...]

  def probability(self, score: Float[np.ndarray, '...']) -> Float[np.ndarray, '...']:
    """Returns the probabilities of scores.

    >>> Calibration((-1.0, 1.0), (0.1, 0.9)).probability(np.array([0.0, 1e9, -1e9])).tolist()
    [0.5, 0.9, 0.1]
    """
    return np.interp(score, self.scores, self.probabilities)


def write(folder: Path, calibrations: dict[int, Calibration]) -> None:
  """Writes the calibrations of widths."""
  widths = {str(width): one._asdict() for width, one in calibrations.items()}
  write_text(pathlib.Path(folder) / FILE, json.dumps({'format': FORMAT, 'widths': widths}, indent=1) + '\n')


def read(folder: Path) -> dict[int, Calibration]:
  """Returns {width: `Calibration`}, {} if there is none; raises errors.ArtifactError for a damaged file."""
  path = pathlib.Path(folder) / FILE
  if not path.exists():
    return {}
  with reading(path):
    widths = schemas.read(read_bytes(path, files.SMALL), schemas.Calibrations, path).widths
    found = {int(width): Calibration(one.scores, one.probabilities) for width, one in widths.items()}
    for scores, probabilities in found.values():
      if not (len(scores) == len(probabilities) > 0 and np.isfinite(scores).all() and (np.diff(scores) > 0).all()):
        raise ValueError('scores of a calibration do not increase')
      if not ((np.diff(probabilities) >= 0).all() and 0 <= probabilities[0] <= probabilities[-1] <= 1):
        raise ValueError('probabilities of a calibration fall, or are none')
    return found
