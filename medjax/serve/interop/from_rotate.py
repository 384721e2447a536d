"""rotate: what RotatE's authors' code saves: entity_embedding.npy, relation_embedding.npy and config.json.

  RotatE    [re | im], halves of an entity's row; an angle is a relation's number * pi / ((gamma + 2) / C): rotate
  ComplEx   [re | im], halves of either: complex
  DistMult  distmult;  TransE  transe (its norm is the L1 norm)

entities.dict and relations.dict, lines `id<tab>name`, are those of the data that it was trained on; put them into the
folder, unless they still lie where config.json says (data_path).
"""

import os
import pathlib

from medjax import errors
from medjax.data.graph import Graph
from medjax.serve.interop import from_dglke, names, sources
from medjax.serve.interop.sources import Source

SCORES = {'RotatE': 'rotate', 'ComplEx': 'complex', 'DistMult': 'distmult', 'TransE': 'transe'}


def read(path: pathlib.Path, score: str, graph: Graph) -> Source:
  """Reads the folder of a run; `score` and `graph` are not asked.

  Raises:
    errors.DataError: files that are missing or damaged, or a model that medjax has no score for (pRotatE).
  """
  config = names.find(path, 'config.json')
  fields = sources.read_settings(config)
  model = fields.get('model')
  if not isinstance(model, str) or model not in SCORES:
    raise errors.DataError(f'{config}: the model {model!r:.120} has no score in medjax; read are {", ".join(SCORES)}.')
  gamma = sources.number(fields, 'gamma', config) if model in ('RotatE', 'TransE') else 0.0
  file = names.find(path, 'entity_embedding.npy')
  tables = sources.load_array(file), sources.load_array(names.find(path, 'relation_embedding.npy'))
  entity, relation = from_dglke.leaves(SCORES[model], *tables, gamma)
  data = pathlib.Path(str(fields.get('data_path', '')))
  there = os.path.exists(data / 'entities.dict')  # of any text: what is no path is not there
  home = data if there and not (path / 'entities.dict').exists() else path
  entities, relations = (names.read(names.find(home, f'{kind}.dict'), 'id') for kind in ('entities', 'relations'))
  return Source(file, SCORES[model], entity, relation, entities, relations, gamma)
