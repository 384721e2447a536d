"""safetensors: a folder that `medjax.load` reads, as a crop writes it, perhaps as float16 or int8.

model.safetensors has one array a leaf, such as `entity.re` [E, C] and `relation.im` [R, C], which any reader of
safetensors gives; of int8, `entity.re@scale` float32 [C] are the factors of its columns. model.json says what they
mean, and entities.tsv and relations.tsv name the rows.
"""

import pathlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
  from medjax.serve.model import Model


def write(model: 'Model', folder: pathlib.Path, dtype: str) -> None:
  """Writes what `Model.save` does, which see."""
  model.save(folder, dtype)
