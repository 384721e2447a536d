"""safetensors: a folder that `medjax.load` reads, as a crop writes it, perhaps as float16 or int8.

model.safetensors has one array a leaf, such as `entity.re` [E, C] and `relation.im` [R, C], which any reader of
safetensors gives; of int8, `entity.re@scale` float32 [C] are the factors of its columns. model.json says what they
mean, and entities.tsv and relations.tsv name the rows.
"""

import pathlib
from typing import TYPE_CHECKING

from medjax.saved import artifact, graph_files

if TYPE_CHECKING:
  from medjax.serve.model import Model


def write(model: 'Model', folder: pathlib.Path, dtype: str) -> None:
  """Writes model.json, model.safetensors, the vocabularies and the triples; the errors are those of `small.shrink`."""
  artifact.write_params(folder, model.params, dtype)
  graph_files.write_graph(folder, model.graph)
  artifact.write_description(folder, model.description)
