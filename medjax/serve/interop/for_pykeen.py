"""pykeen: weights.npz under the names of PyKEEN's state_dict, pykeen.json with the model's arguments, triples.npz.

`pykeen_side.load`, which runs where PyTorch and PyKEEN are installed, makes a PyKEEN model of them whose evaluator
gives our figures. No pickle is written or read.

  ours                     PyKEEN's
  complex, rotate          complex numbers as neighbouring pairs (re_0, im_0, re_1, ...)
  rotate's angle           the complex number e^(i angle)
  simple's head, tail      entity representations 0 and 1; forward and inverse: relation representations 0 and 1
  a reciprocal relation r  relations 2 r and 2 r + 1, the second for queries for heads
  transe, transe_l2        scoring_fct_norm 1 and 2

PairRE normalises by width in a way of its own and is refused.
"""

import json
import pathlib
from typing import Any, TYPE_CHECKING

import numpy as np

from medjax import errors
from medjax.saved.files import replacing, write_text
from medjax.serve import vectors

if TYPE_CHECKING:
  from medjax.serve.model import Model

MODELS: dict[str, tuple[str, dict[str, Any]]] = {  # {our score: (PyKEEN's model, its arguments)}
  'transe': ('TransE', {'scoring_fct_norm': 1}),
  'transe_l2': ('TransE', {'scoring_fct_norm': 2}),
  'rotate': ('RotatE', {}),
  'simple': ('SimplE', {}),
  'distmult': ('DistMult', {}),
  'complex': ('ComplEx', {}),
  'distmult_reciprocal': ('DistMult', {}),
  'complex_reciprocal': ('ComplEx', {}),
}


def write(model: 'Model', folder: pathlib.Path, dtype: str) -> None:
  """Writes the three files; raises errors.FormatError for a score that PyKEEN has not."""
  score, graph = model.description.score, model.graph
  if score not in MODELS:
    raise errors.FormatError(f'PyKEEN has no model that scores as {score} does; it has {", ".join(MODELS)}')
  name, arguments = MODELS[score]
  with replacing(folder / 'weights.npz') as file:
    np.savez(file, **weights(model))
  with replacing(folder / 'triples.npz') as file:
    np.savez_compressed(file, train=graph.train, valid=graph.valid, test=graph.test)
  components = len(vectors.LEAVES[score][0])
  about = {
    'model': name,
    'arguments': {'embedding_dim': model.description.widths[-1] // components} | arguments,
    'create_inverse_triples': score.endswith('_reciprocal'),
    'entities': list(model.entities.identifiers),
    'relations': list(model.relations.identifiers),
  }
  write_text(folder / 'pykeen.json', json.dumps(about, ensure_ascii=False) + '\n')


def weights(model: 'Model') -> dict[str, Any]:
  """Returns {name in PyKEEN's state_dict: float32 array}."""
  score = model.description.score
  entity, relation = (vectors.rows_of(model, table, slice(None)) for table in ('entity', 'relation'))
  if score == 'rotate':
    relation = {'re': np.cos(relation['phase']), 'im': np.sin(relation['phase'])}
  if score == 'simple':
    entities, relations = [entity['head'], entity['tail']], [relation['forward'], relation['inverse']]
  else:
    leaves = vectors.LEAVES[score.removesuffix('_reciprocal')][0]
    entities, relations = [vectors.side_by_side(entity, leaves)], [vectors.side_by_side(relation, leaves)]
    if score.endswith('_reciprocal'):
      inverse = vectors.side_by_side(relation, tuple(vectors.INVERSE + leaf for leaf in leaves))
      relations = [np.stack([relations[0], inverse], 1).reshape(-1, inverse.shape[1])]
  return {
    f'{kind}_representations.{i}._embeddings.weight': np.ascontiguousarray(table)
    for kind, tables in (('entity', entities), ('relation', relations))
    for i, table in enumerate(tables)
  }
