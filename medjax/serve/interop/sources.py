"""A model of another library, read: its tables in medjax's leaves, and from there to a folder that `medjax.load` reads.

Its triples come from a graph that the caller names, and its rows are put into that graph's order, by identifier.
"""

from collections.abc import Mapping, Sequence
import json
import pathlib
import tokenize
from typing import Any, NamedTuple

from jaxtyping import Float, Float32, Int64
import numpy as np

from medjax import errors
from medjax.core import files
from medjax.core.widths import Widths
from medjax.data import arrays
from medjax.data.graph import Graph
from medjax.saved import artifact, graph_files, sealing

LARGEST = float(np.finfo(np.float32).max)  # number of a setting
Table = Mapping[str, Float[np.ndarray, 'rows C']]


class Source(NamedTuple):
  """What another library trained.

  Attributes:
    path: the file that the tables are of, for messages.
    score: medjax's name of the score that ranks as its own does.
    entity, relation: leaves [E, C] and [R, C] in the source's order; an angle is in radians.
    entities, relations: the identifiers of the rows.
    gamma: the margin of a distance, 0 if the source has none: it changes no rank.
  """

  path: pathlib.Path
  score: str
  entity: Table
  relation: Table
  entities: Sequence[str]
  relations: Sequence[str]
  gamma: float = 0.0


def write(source: Source, graph: Graph, folder: pathlib.Path) -> list[str]:
  """Writes a model of the source's full width, with a graph's vocabularies and triples.

  Returns:
    Notes: what of the source the graph does not name.

  Raises:
    errors.DataError: tables that do not fit together, are not finite, or lack an entity or relation of the graph.
  """
  from medjax import scores  # on use: everything else here goes without JAX

  rows = {
    'entity': (source.entity, source.entities, graph.entities),
    'relation': (source.relation, source.relations, graph.relations),
  }
  params: dict[str, dict[str, Any]] = {}
  notes = []
  for kind, (table, names, wanted) in rows.items():
    check(source.path, kind, table, names)
    order = places(source.path, kind, names, wanted, graph.name)
    params[kind] = {name: np.ascontiguousarray(leaf[order], np.float32) for name, leaf in table.items()}
    if len(names) > len(wanted):
      notes.append(f'{len(names) - len(wanted)} rows of {source.path} are no {kind} of {graph.name} and are left out')
  length = next(iter(params['entity'].values())).shape[1]
  components = len(params['entity'])  # a leaf for each number of a component
  constants = scores.default_constants(source.gamma, length * components)
  score = scores.make(source.score, constants)
  if 'phase' in params['relation']:
    params['relation']['phase'] = turns(params['relation']['phase'], constants['phase_scale'])
  widths = Widths((length * components,), components)
  offset = source.gamma if score.margin else 0.0
  description = artifact.Description(
    source.score, constants, widths.values, widths.block, (offset,), (1.0,), source=graph.name
  )
  graph_files.write_graph(folder, graph)
  artifact.write_params(folder, params)
  artifact.write_description(folder, description)
  sealing.write(folder, artifact.FILES)
  return notes


def turns(angles: Float[np.ndarray, 'R C'], phase_scale: float) -> Float32[np.ndarray, 'R C']:
  """Returns stored phases of angles in radians: within half a turn, in units of `phase_scale`."""
  wrapped = np.remainder(np.asarray(angles, np.float64) + np.pi, 2 * np.pi) - np.pi
  return (wrapped / phase_scale).astype(np.float32)


def check(path: pathlib.Path, kind: str, table: Table, names: Sequence[str]) -> None:
  """Raises errors.DataError unless a table's leaves have a row for every name, equal shapes and finite numbers."""
  shapes = {leaf.shape for leaf in table.values()}
  if len(shapes) != 1 or len(next(iter(shapes))) != 2:
    raise errors.DataError(f'{path}: its {kind} tables have the shapes {sorted(shapes)}, which do not fit together.')
  ((rows, _),) = shapes
  if rows != len(names):
    raise errors.DataError(f'{path}: it has {rows} {kind} rows, but there are {len(names)} names for them.')
  if not all(np.isfinite(leaf).all() for leaf in table.values()):
    raise errors.DataError(f'{path}: its {kind} tables hold numbers that are not finite; take another checkpoint.')


def places(
  path: pathlib.Path, kind: str, names: Sequence[str], wanted: Sequence[str], graph: str
) -> Int64[np.ndarray, ' n']:
  """Returns the row of every wanted identifier, int64 [n]; raises errors.DataError for those without one."""
  row = {name: i for i, name in enumerate(names)}
  missing = [name for name in wanted if name not in row]
  if missing:
    raise errors.DataError(
      f'{path}: {len(missing)} of the {len(wanted)} {kind} identifiers of {graph} have no row, {missing[0]!r} for one '
      f'(its first row is {names[0]!r}). Name the data that it was trained on, by --config.data.path or '
      '--config.data.name.'
    )
  return np.array([row[name] for name in wanted], np.int64)


def halves(table: Float[np.ndarray, 'rows D'], *names: str) -> dict[str, Float[np.ndarray, 'rows C']]:
  """Returns the equal parts, side by side, of a table [rows, D] as leaves: [re | im] for two names."""
  if table.ndim != 2 or table.shape[1] % len(names):
    raise errors.DataError(f'a table of shape {table.shape} does not split into {" and ".join(names)}.')
  return dict(zip(names, np.split(table, len(names), axis=1)))


def load_array(path: pathlib.Path) -> Float[np.ndarray, 'rows D']:
  """Returns the array of a .npy file, without running code; raises errors.DataError where it is none of numbers."""
  try:
    array = arrays.read_npy(path)
  except (OSError, ValueError, EOFError, SyntaxError, tokenize.TokenError) as error:
    raise errors.DataError(f'{path}: holds no array of numbers ({error}). Copy it again.') from error
  if array.ndim != 2 or array.dtype.kind != 'f':
    raise errors.DataError(f'{path}: holds no table of floating-point numbers.')
  return array


def read_settings(path: pathlib.Path) -> dict[str, Any]:
  """Returns the fields of a config.json, {} where there is none; raises errors.DataError where it is no object."""
  if not path.exists():
    return {}
  try:
    fields = json.loads(files.read_text(path, files.SETTINGS))
  except (OSError, ValueError, RecursionError) as error:
    raise errors.DataError(f'{path}: no JSON ({error}). Mend it.') from error
  if not isinstance(fields, dict):
    raise errors.DataError(f'{path}: holds a {type(fields).__name__}, but has to hold an object.')
  return fields


def number(fields: Mapping[str, Any], name: str, path: pathlib.Path) -> float:
  """Returns a number of a config.json; raises errors.DataError where it is missing or none."""
  value = fields.get(name)
  if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
    raise errors.DataError(f'{path}: {name} is {value!r:.120}, but has to be a number, as in {{"{name}": 12.0}}.')
  return float(value)
