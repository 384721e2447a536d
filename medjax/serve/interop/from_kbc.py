"""kbc: checkpoints of ComplEx-N3 (kbc) and ComplEx-N3-RP (ssl-relation-prediction), torch-saved state dictionaries.

embeddings.0.weight [E, 2 rank] has [re | im] halves of the entities; embeddings.1.weight [2 R, 2 rank] those of the
relations, relation r in row r and its inverse, which queries for heads read, in row R + r: complex_reciprocal. With R
rows, as trained without reciprocal relations: complex.

The files ent_id and rel_id of the prepared data, lines `name<tab>id`, name the rows; without them the rows are taken to
follow the sorted names of the graph, as that preparation numbers them.
"""

import pathlib

from medjax import errors
from medjax.data import arrays
from medjax.data.graph import Graph
from medjax.serve import vectors
from medjax.serve.interop import names, sources
from medjax.serve.interop.sources import Source

PLACES = ('embeddings.0.weight', 'embeddings.1.weight')


def read(path: pathlib.Path, score: str, graph: Graph) -> Source:
  """Reads a checkpoint, or a folder with one.

  Args:
    path: the folder, or the file.
    score: not asked.
    graph: whose sorted names number the rows where ent_id and rel_id are missing.

  Raises:
    errors.DataError: files that are missing or damaged, or no ComplEx.
  """
  file = path if path.is_file() else names.find(path, '*.model', '*.pt', '*.pth', '*.pkl')
  tensors, _ = arrays.read_tensors(file)
  found = [[tensor for name, tensor in tensors.items() if f'.{name}'.endswith(f'.{place}')] for place in PLACES]
  if any(len(one) != 1 or one[0].ndim != 2 for one in found):
    raise errors.DataError(f'{file}: lacks {" and ".join(PLACES)} of a ComplEx; it has {", ".join(tensors) or "none"}.')
  (entity,), (relation,) = found
  entities, relations = (
    names.read(file.parent / name, 'name') if (file.parent / name).exists() else tuple(sorted(known))
    for name, known in (('ent_id', graph.entities), ('rel_id', graph.relations))
  )
  table, count = sources.halves(relation, 're', 'im'), len(relations)
  if len(relation) != 2 * count:
    return Source(file, 'complex', sources.halves(entity, 're', 'im'), table, entities, relations)
  forward = {leaf: rows[:count] for leaf, rows in table.items()}
  inverse = {vectors.INVERSE + leaf: rows[count:] for leaf, rows in table.items()}
  return Source(file, 'complex_reciprocal', sources.halves(entity, 're', 'im'), forward | inverse, entities, relations)
