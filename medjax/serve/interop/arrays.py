"""numpy: entities.npy [E, D] and relations.npy [R, D_r], whose rows entities.tsv and relations.tsv name.

The vectors are those of `serve.vectors`: the first w columns of entities.npy are those of the width w. Of int8 the
columns' factors lie beside, entities.scale.npy float32 [D]: a vector is row * scale.
"""

import pathlib
from typing import TYPE_CHECKING

import numpy as np

from medjax.saved import small
from medjax.saved.files import replacing
from medjax.serve import vectors
from medjax.serve.interop import names

if TYPE_CHECKING:
  from medjax.serve.model import Model


def write(model: 'Model', folder: pathlib.Path, dtype: str) -> None:
  """Writes the four files, and two more of factors for int8; the errors are those of `small.shrink`."""
  for name, table in (('entities', vectors.entity_vectors(model)), ('relations', vectors.relation_vectors(model))):
    for stored, array in small.shrink(name, table, dtype).items():
      with replacing(folder / f'{stored.replace(small.SCALE, ".scale")}.npy') as file:
        np.save(file, array, allow_pickle=False)
  names.write(folder, model)
