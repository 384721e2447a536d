"""parquet: entities.parquet and relations.parquet with the columns id, label and vector (a list of D floats).

The files' metadata says under `medjax` which score and width they have, as JSON.
"""

import json
import pathlib
from typing import TYPE_CHECKING

import numpy as np

from medjax.saved.files import replacing
from medjax.serve import vectors
from medjax.serve.interop import extras

if TYPE_CHECKING:
  from medjax.serve.model import Model


def write(model: 'Model', folder: pathlib.Path, dtype: str) -> None:
  """Writes both files; `dtype` is float32 or float16. Raises errors.FormatError without pyarrow."""
  arrow, parquet = extras.need('pyarrow'), extras.need('pyarrow.parquet')
  about = {'score': model.description.score, 'width': model.description.widths[-1]}
  for name, words, table in (
    ('entities', model.entities, vectors.entity_vectors(model)),
    ('relations', model.relations, vectors.relation_vectors(model)),
  ):
    numbers = arrow.array(np.ascontiguousarray(table, dtype).reshape(-1))
    columns = {
      'id': arrow.array(list(words.identifiers)),
      'label': arrow.array(list(words.labels)),
      'vector': arrow.FixedSizeListArray.from_arrays(numbers, table.shape[1]),
    }
    with replacing(folder / f'{name}.parquet') as file:
      parquet.write_table(arrow.table(columns).replace_schema_metadata({'medjax': json.dumps(about)}), file)
