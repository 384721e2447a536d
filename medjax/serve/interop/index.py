"""Vector indexes: faiss, usearch and hnswlib, each with the metric that ranks as the score does.

An index holds the entities' vectors under the keys 0 to E - 1; entities.tsv and relations.tsv beside it name them, and
index.json says the metric, the score and its affine map. `serve.vectors.query_vectors` makes what to search for.

faiss searches exactly, by inner product, L2 or L1. usearch and hnswlib search approximately, through a graph of
neighbours, and have no L1.
"""

from collections.abc import Callable, Mapping
import functools
import json
import pathlib
from typing import Any, TYPE_CHECKING

from jaxtyping import Float32
import numpy as np

from medjax import errors
from medjax.core.files import replacing_path, write_text
from medjax.serve import vectors
from medjax.serve.interop import extras, names

if TYPE_CHECKING:
  from medjax.serve.model import Model

Vectors = Float32[np.ndarray, 'E D']
SEED = 100  # of the levels of hnswlib's graph
LINKS, EFFORT = 16, 200  # neighbours in the graphs, and how many are looked at when an entity is added


def write_faiss(model: 'Model', folder: pathlib.Path, dtype: str) -> None:
  """Writes index.faiss; the distance that a search gives for 'l2' is squared."""
  _write(model, folder, 'faiss', {'ip': 'METRIC_INNER_PRODUCT', 'l1': 'METRIC_L1', 'l2': 'METRIC_L2'}, _faiss)


def write_usearch(model: 'Model', folder: pathlib.Path, dtype: str) -> None:
  """Writes index.usearch; the distance that a search gives is 1 - <q, e> for 'ip', and squared for 'l2'."""
  _write(model, folder, 'usearch', {'ip': 'ip', 'l2': 'l2sq'}, functools.partial(_usearch, dtype=dtype))


def write_hnswlib(model: 'Model', folder: pathlib.Path, dtype: str) -> None:
  """Writes index.hnswlib; the distance that a search gives is 1 - <q, e> for 'ip', and squared for 'l2'."""
  _write(model, folder, 'hnswlib', {'ip': 'ip', 'l2': 'l2'}, _hnswlib)


def _write(
  model: 'Model',
  folder: pathlib.Path,
  library: str,
  kinds: Mapping[str, str],
  build: Callable[[Vectors, str, pathlib.Path], None],
) -> None:
  description = model.description
  metric = vectors.check_metric(description.score)
  if metric not in kinds:
    raise errors.FormatError(
      f'{library} has no {metric.upper()} metric, by which {description.score} ranks; export to faiss, which has it'
    )
  build(vectors.entity_vectors(model), kinds[metric], folder / f'index.{library}')
  names.write(folder, model)
  about = {
    'library': library,
    'metric': metric,
    'score': description.score,
    'width': description.widths[-1],
    'offset': description.offset[-1] if description.offset else 0.0,
    'scale': description.scale[-1] if description.scale else 1.0,
  }
  write_text(folder / 'index.json', json.dumps(about, indent=1) + '\n')


def _faiss(table: Vectors, kind: str, path: pathlib.Path) -> None:
  faiss: Any = extras.need('faiss')
  index = faiss.IndexFlat(table.shape[1], getattr(faiss, kind))
  index.add(table)
  with replacing_path(path) as partial:
    faiss.write_index(index, str(partial))


def _usearch(table: Vectors, kind: str, path: pathlib.Path, dtype: str) -> None:
  numbers = {'float32': 'f32', 'float16': 'f16'}[dtype]
  index = extras.need('usearch.index').Index(
    ndim=table.shape[1], metric=kind, dtype=numbers, connectivity=LINKS, expansion_add=EFFORT
  )
  index.add(np.arange(len(table)), table)
  with replacing_path(path) as partial:
    index.save(str(partial))


def _hnswlib(table: Vectors, kind: str, path: pathlib.Path) -> None:
  index = extras.need('hnswlib').Index(space=kind, dim=table.shape[1])
  index.init_index(max_elements=len(table), ef_construction=EFFORT, M=LINKS, random_seed=SEED)
  index.add_items(table, np.arange(len(table)))
  with replacing_path(path) as partial:
    index.save_index(str(partial))
