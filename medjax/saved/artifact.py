"""A model's description and tables, as a cropped model stores them: JSON and safetensors. Loading runs no code."""

import dataclasses
import json
import pathlib
from typing import Any, TYPE_CHECKING

import numpy as np
from safetensors import numpy as safetensors_numpy
from safetensors import SafetensorError

from medjax.core import score_names
from medjax.core.widths import Widths
from medjax.saved.files import FORMAT, Path, reading, replacing, write_text

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
    from medjax import scores  # loads JAX, which who only asks a model does without

    return scores.make(self.score, self.constants)

  def make_widths(self) -> Widths:
    """Returns the model's `Widths`."""
    return Widths(tuple(self.widths), score_names.components(self.score), self.block)

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


def write_params(folder: Path, params: 'Params') -> None:
  """Writes nested tables as model.safetensors; a leaf is called by its path, such as entity.re."""
  flat = {
    f'{table}.{name}': np.ascontiguousarray(leaf) for table, leaves in params.items() for name, leaf in leaves.items()
  }
  with replacing(pathlib.Path(folder) / WEIGHTS) as file:
    file.write(safetensors_numpy.save(flat))


def read_params(folder: Path) -> 'Params':
  """Returns the tables of model.safetensors; raises ArtifactError where it is missing or damaged."""
  path = pathlib.Path(folder) / WEIGHTS
  with reading(path):
    try:
      flat = safetensors_numpy.load_file(path)
    except SafetensorError as error:
      raise ValueError(error) from error
    params: dict[str, Any] = {}
    for path_of_leaf, leaf in flat.items():
      table, name = path_of_leaf.split('.')
      params.setdefault(table, {})[name] = leaf
    return params
