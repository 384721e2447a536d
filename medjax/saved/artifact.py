"""A model's description and tables, as a cropped model stores them: JSON and safetensors. Loading runs no code."""

import dataclasses
import json
import pathlib
from typing import Any, TYPE_CHECKING

from jaxtyping import Float32
import msgspec
import numpy as np

from medjax.core import score_names
from medjax.core.widths import parse_widths, Widths
from medjax.saved import schemas, small, tensors
from medjax.saved.files import FORMAT, Path, read_bytes, reading, write_text

if TYPE_CHECKING:
  from medjax.scores.contract import Params, Score

WEIGHTS = 'model.safetensors'
FILES = ('model.json', WEIGHTS, 'entities.tsv', 'relations.tsv', 'notes.txt', 'triples.npz', 'calibration.json')


@dataclasses.dataclass(frozen=True)
class Description:
  """What a model's numbers mean: model.json.

  Attributes:
    score: name of the score.
    constants: the full model's constants, see `scores.make`.
    widths: trained widths, the last one is the width of the stored tables.
    block: components per partial sum, see `core.widths.Widths`.
    offset, scale: score_i = offset_i + scale_i * raw_i; empty in a workdir whose gamma is being learned.
    source: name of the graph.
    unseen, extra_widths, candidates: how the run was evaluated, see `config.EvalConfig`.
  """

  score: str
  constants: dict[str, float]
  widths: tuple[int, ...]
  block: int
  offset: tuple[float, ...] = ()
  scale: tuple[float, ...] = ()
  source: str = ''
  unseen: str = 'rank'
  extra_widths: str = ''
  candidates: int = 0

  def make_score(self) -> 'Score':
    """Returns the model's `Score`."""
    from medjax import scores  # on use: writing and reading files needs no JAX

    return scores.make(self.score, self.constants)

  def make_widths(self) -> Widths:
    """Returns the model's `Widths`."""
    components = score_names.COMPONENTS.get(self.score) or self.make_score().components
    return Widths(tuple(self.widths), components, self.block)

  def up_to(self, width: int) -> 'Description':
    """Returns the description of the crop to a trained width."""
    last = self.make_widths().index(width) + 1
    return dataclasses.replace(self, widths=self.widths[:last], offset=self.offset[:last], scale=self.scale[:last])


def write_description(folder: Path, description: Description) -> None:
  """Writes model.json."""
  text = json.dumps({'format': FORMAT} | dataclasses.asdict(description), indent=1)
  write_text(pathlib.Path(folder) / 'model.json', text + '\n')


def read_description(folder: Path) -> Description:
  """Returns the `Description` of a workdir or cropped model; raises ArtifactError where it is missing or damaged."""
  path = pathlib.Path(folder) / 'model.json'
  with reading(path):
    found = schemas.read(read_bytes(path), schemas.Description, path)
    description = Description(**msgspec.structs.asdict(found))
    for name in score_names.CONSTANTS.get(description.score, ()):
      if name not in description.constants:
        raise ValueError(f'constants lacks {name}, of which {description.score} is made')
    widths = description.make_widths()
    if any(width % (widths.components * widths.block) for width in widths.values):
      raise ValueError(f'block is {widths.block}, with which not every width ends')
    if description.extra_widths:
      parse_widths(description.extra_widths)
    return description


def write_params(folder: Path, params: 'Params', dtype: str = 'float32') -> None:
  """Writes tables as model.safetensors; a leaf is called by its path, such as entity.re.

  Args:
    folder: where.
    params: {'entity': {leaf: [E, C]}, 'relation': {leaf: [R, C]}}.
    dtype: 'float32', or 'float16' or 'int8', see `saved.small`.
  """
  flat: dict[str, Any] = {}
  for table, leaves in params.items():
    for name, leaf in leaves.items():
      flat |= small.shrink(f'{table}.{name}', np.ascontiguousarray(leaf), dtype)
  tensors.write(pathlib.Path(folder) / WEIGHTS, flat)


def read_params(folder: Path) -> 'Params':
  """Returns the tables of model.safetensors as float32.

  Raises:
    ArtifactError: it is missing or damaged, or holds other numbers than `check_numbers` and `small.restore` take.
  """
  path = pathlib.Path(folder) / WEIGHTS
  params: dict[str, dict[str, Any]] = {}
  with reading(path):
    for place, leaf in small.restore(tensors.read(path)).items():
      check_numbers(place, leaf)
      table, _, name = place.partition('.')
      params.setdefault(table, {})[name] = leaf
  return params


def check_numbers(name: str, leaf: Float32[np.ndarray, '...']) -> None:
  """Raises ValueError for a table with a number that is not finite, or so large that no score of it is.

  One pass over it: where a number is not finite, neither is the sum of all squares.
  """
  flat = np.ravel(leaf)
  with np.errstate(all='ignore'):
    if np.isfinite(np.vdot(flat, flat)):
      return
  finite = np.isfinite(flat)
  worst = int(np.abs(flat).argmax() if finite.all() else finite.argmin())
  raise ValueError(f'{name} has {flat[worst]} in row {worst // leaf[0].size}, of which no score can be made')
