"""pykeen: what PyKEEN's `PipelineResult.save_to_directory` writes, or a state_dict; no code of theirs is run.

trained_model.pkl is read by `data.arrays.read_tensors`; training_triples/ names the rows. PyKEEN 1.11 has

  ComplEx   complex numbers as neighbouring pairs (re_0, im_0, re_1, ...): complex
  DistMult  distmult
  TransE    transe or transe_l2, by its norm
  SimplE    (<h_0, r_0, t_0> + <h_1, r_1, t_1>) / 2, which never crosses the roles: distmult of both tables side by
            side, the relation's halved
  RotatE    -|h r - t|_2, the root of the sum of the squared moduli, where the paper has the sum of the moduli. Since
            -|h r - t|^2 = Re <h, 2 r, conj(t)> - |h|^2 - |t|^2, it ranks as complex with two more components, which are
            real: x + 1 and x - 1 of an entity with x = |e|^2 / c, and -c/2 and c/2 of every relation, where c is the
            mean of |e|^2.

Of a model trained with inverse triples, rows 2 r and 2 r + 1 are relation r and its inverse: a reciprocal score.
"""

import pathlib

from jaxtyping import Complex64, Float
import numpy as np

from medjax import errors
from medjax.data import arrays
from medjax.data.graph import Graph
from medjax.serve import vectors
from medjax.serve.interop import names
from medjax.serve.interop.sources import Source, Table

MODELS = ('ComplEx', 'DistMult', 'TransE', 'SimplE', 'RotatE')
NAMES = {  # what --score may say of a state_dict: {medjax's name: (PyKEEN's model, norm)}
  'complex': ('ComplEx', ''),
  'distmult': ('DistMult', ''),
  'transe': ('TransE', '1'),
  'transe_l2': ('TransE', '2'),
  'simple': ('SimplE', ''),
  'rotate': ('RotatE', ''),
}
PLACE = '{}_representations.{}._embeddings.weight'


def read(path: pathlib.Path, score: str, graph: Graph) -> Source:
  """Reads a folder, or a file beside its training_triples.

  Args:
    path: the folder, or the file of the model.
    score: of a state_dict, which does not say what it is of: a name of `NAMES`; '' for a whole model.
    graph: not asked.

  Raises:
    errors.DataError: files that are missing or damaged, or a model that no score of medjax ranks as.
  """
  file = path if path.is_file() else names.find(path, 'trained_model.pkl', '*.pkl', '*.pt', '*.pth')
  tensors, kinds = arrays.read_tensors(file)
  model, norm = identify(file, kinds, score)
  for kind in ('entity', 'relation'):
    if normalizer := kinds.get(f'{kind}_representations.0.normalizer', ''):
      raise errors.DataError(f'{file}: its {kind} vectors pass through {normalizer}, which medjax does not read.')
  folder = file.parent
  entities, relations = (
    names.read(names.find(folder, f'training_triples/{kind}_to_id.tsv.gz', f'{kind}_to_id.tsv*'), 'id')
    for kind in ('entity', 'relation')
  )
  tables = {
    kind: [table(file, tensors, kind, i) for i in range(2 if model == 'SimplE' else 1)]
    for kind in ('entity', 'relation')
  }
  inverse = len(tables['relation'][0]) == 2 * len(relations)
  if model == 'RotatE' and np.abs(np.abs(as_complex(tables['relation'][0])) - 1).max() > 1e-3:
    raise errors.DataError(f'{file}: its relations are not of modulus 1, so they are no rotations.')
  name, entity, relation = convert(model, norm, *tables.values())
  if inverse and name not in ('complex', 'distmult'):
    raise errors.DataError(f'{file}: {model} with inverse triples has no score in medjax; only bilinear ones have.')
  if inverse:
    both = {vectors.INVERSE + leaf: rows[1::2] for leaf, rows in relation.items()}
    name, relation = f'{name}_reciprocal', {leaf: rows[::2] for leaf, rows in relation.items()} | both
  return Source(file, name, entity, relation, entities, relations)


def identify(file: pathlib.Path, kinds: dict[str, str], score: str) -> tuple[str, str]:
  """Returns (PyKEEN's name of a model, its norm or ''); raises errors.DataError for one that is not read."""
  if score:
    if score not in NAMES:
      raise errors.DataError(f'--score={score}: a PyKEEN model is read as one of {", ".join(NAMES)}.')
    return NAMES[score]
  if '' not in kinds:
    raise errors.DataError(f'{file}: a state_dict does not say what it is of; say --score, one of {", ".join(NAMES)}.')
  interactions = [kinds.get(place, '') for place in ('interaction', 'interaction.base')]
  found = next((m for m in MODELS if any(kind.endswith(f'.{m}Interaction') for kind in interactions)), None)
  norm = kinds.get('interaction.p', '').removesuffix('.0')
  if found is None or (found == 'TransE' and norm not in ('1', '2')):
    raise errors.DataError(
      f'{file}: a {kinds[""]} with {interactions[0] or "no interaction"} {norm} ranks as no score of medjax; '
      f'read are {", ".join(MODELS)}, TransE with the norms 1 and 2.'
    )
  return found, norm


def table(
  file: pathlib.Path, tensors: dict[str, Float[np.ndarray, '...']], kind: str, i: int
) -> Float[np.ndarray, 'rows D']:
  """Returns the weights [rows, D] of a representation; raises errors.DataError where there are none."""
  weights = tensors.get(PLACE.format(kind, i))
  if weights is None or weights.ndim != 2 or weights.dtype.kind != 'f':
    raise errors.DataError(
      f'{file}: lacks a plain table {PLACE.format(kind, i)}; it has {", ".join(tensors) or "no tensors"}.'
    )
  return weights


def convert(
  model: str, norm: str, entity: list[Float[np.ndarray, 'E D']], relation: list[Float[np.ndarray, 'R D']]
) -> tuple[str, Table, Table]:
  """Returns (medjax's score, entity leaves, relation leaves) of PyKEEN's representations."""
  if model == 'TransE':
    return {'1': 'transe', '2': 'transe_l2'}[norm], {'vector': entity[0]}, {'vector': relation[0]}
  if model == 'DistMult':
    return 'distmult', {'vector': entity[0]}, {'vector': relation[0]}
  if model == 'SimplE':
    return 'distmult', {'vector': np.concatenate(entity, 1)}, {'vector': np.concatenate(relation, 1) / 2}
  pairs = [vectors.apart(one, vectors.COMPLEX) for one in (entity[0], relation[0])]
  return ('complex', *(squared_distance(*pairs) if model == 'RotatE' else pairs))


def as_complex(table: Float[np.ndarray, 'rows D']) -> Complex64[np.ndarray, 'rows C']:
  """Returns neighbouring pairs as complex numbers."""
  return np.ascontiguousarray(table, np.float32).view(np.complex64)


def squared_distance(entity: Table, relation: Table) -> tuple[Table, Table]:
  """Returns ComplEx leaves whose score is -|h r - t|^2 for relations of modulus 1; see above."""
  squares = np.square(entity['re'], dtype=np.float64).sum(1) + np.square(entity['im'], dtype=np.float64).sum(1)
  mean = squares.mean()
  x, zeros = squares[:, None] / mean, np.zeros((len(squares), 2))
  ends = np.broadcast_to([-mean / 2, mean / 2], (len(relation['re']), 2))
  join = lambda *parts: np.concatenate(parts, 1).astype(np.float32)
  return (
    {'re': join(entity['re'], x + 1, x - 1), 'im': join(entity['im'], zeros)},
    {'re': join(2 * relation['re'], ends), 'im': join(2 * relation['im'], 0 * ends)},
  )
