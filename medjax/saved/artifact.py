"""A model's description and tables, as a cropped model stores them: JSON and safetensors. Loading runs no code."""

import dataclasses
import json
import pathlib
from typing import Any, TYPE_CHECKING

import numpy as np

from medjax.core import score_names
from medjax.core.widths import Widths
from medjax.saved import small, tensors
from medjax.saved.files import FORMAT, Path, reading, write_text

if TYPE_CHECKING:
  from medjax.scores.contract import Params, Score

WEIGHTS = 'model.safetensors'


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
    values = json.loads(path.read_text(encoding='utf-8'))
    if values.pop('format') != FORMAT:
      raise ValueError('another format')
    fields: dict[str, Any] = {
      name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    description = Description(**fields)
    description.make_widths()
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
  """Returns the tables of model.safetensors as float32; raises ArtifactError where it is missing or damaged."""
  path = pathlib.Path(folder) / WEIGHTS
  params: dict[str, dict[str, Any]] = {}
  with reading(path):
    for place, leaf in small.restore(tensors.read(path)).items():
      table, _, name = place.partition('.')
      params.setdefault(table, {})[name] = leaf
  return params
