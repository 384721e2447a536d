"""dglke: DGL-KE's DATASET_MODEL_entity.npy and _relation.npy, config.json, and its files of names.

  TransE_l1  transe;  TransE, TransE_l2  transe_l2;  DistMult  distmult
  ComplEx    [re | im], halves of every row: complex
  SimplE     [head | tail] of an entity, [forward | inverse] of a relation: simple. DGL-KE clamps its scores to 20
             either way, which ties only those beyond.
  RotatE     [re | im] of an entity; an angle is a relation's number * pi / ((gamma + 2) / C): rotate

entities.tsv (or .dict) and relations.tsv have lines `id<tab>name`. gamma stands in config.json, and so may the model's
name, which the files' names have otherwise.
"""

import pathlib

from jaxtyping import Float
import numpy as np

from medjax import errors
from medjax.data.graph import Graph
from medjax.serve.interop import names, sources
from medjax.serve.interop.sources import Source, Table

SCORES = {
  'TransE_l1': 'transe',
  'TransE_l2': 'transe_l2',
  'TransE': 'transe_l2',
  'DistMult': 'distmult',
  'ComplEx': 'complex',
  'SimplE': 'simple',
  'RotatE': 'rotate',
}
MARGIN = 2.0  # that initial values are bounded by (gamma + 2) / C is also the unit of an angle


def read(path: pathlib.Path, score: str, graph: Graph) -> Source:
  """Reads the folder that DGL-KE saved a model in, with the files of names beside; `score` and `graph` are not asked.

  Raises:
    errors.DataError: files that are missing or damaged, or a model that medjax has no score for.
  """
  entity_file = names.find(path, '*_entity.npy')
  relation_file = names.find(path, '*_relation.npy')
  config = path / 'config.json'
  fields = sources.read_settings(config)
  named = str(fields.get('model_name', fields.get('model', entity_file.name.removesuffix('_entity.npy'))))
  model = next((known for known in SCORES if f'_{named}'.endswith(f'_{known}')), None)
  if model is None:
    raise errors.DataError(f'{path}: {named!r} ends with no model that medjax has a score for: {", ".join(SCORES)}.')
  needs_gamma = model == 'RotatE' or ('gamma' in fields and model.startswith('TransE'))
  gamma = sources.number(fields, 'gamma', config) if needs_gamma else 0.0
  entity, relation = leaves(SCORES[model], sources.load_array(entity_file), sources.load_array(relation_file), gamma)
  entities, relations = (
    names.read(names.find(path, f'{kind}.tsv', f'{kind}.dict', f'{kind}*'), 'id') for kind in ('entities', 'relations')
  )
  return Source(entity_file, SCORES[model], entity, relation, entities, relations, gamma)


def leaves(
  score: str, entity: Float[np.ndarray, 'E D'], relation: Float[np.ndarray, 'R D_r'], gamma: float
) -> tuple[Table, Table]:
  """Returns the leaves of tables whose rows are halves, as this library and RotatE's code have them."""
  if score == 'complex':
    return sources.halves(entity, 're', 'im'), sources.halves(relation, 're', 'im')
  if score == 'simple':
    return sources.halves(entity, 'head', 'tail'), sources.halves(relation, 'forward', 'inverse')
  if score == 'rotate':
    unit = (gamma + MARGIN) / relation.shape[1]
    return sources.halves(entity, 're', 'im'), {'phase': np.asarray(relation, np.float64) * np.pi / unit}
  return {'vector': entity}, {'vector': relation}
