"""Vectors of entities, relations and queries, and the metric that they are searched with: numpy alone, no JAX.

The numbers of one component stand side by side (re_0, im_0, re_1, im_1, ...), so the first w numbers of an entity's
vector are the vector of the sub-model of width w. A query is a vector in the same space, and how close an entity is to
it tells the entity's score:

  metric  scores                          score of entity e
  'ip'    distmult, complex, simple, ...  offset + scale * <query, e>
  'l1'    transe                          offset - scale * |query - e|_1
  'l2'    transe_l2                       offset - scale * |query - e|_2

offset and scale (> 0) are those of `Description` at the model's width, so the nearest entities are the most plausible.
RotatE, a sum of moduli of complex numbers, and PairRE, whose relation stretches the candidate too, have no such metric.

Shape letters: E entities, R relations, Q queries, D width.
"""

from typing import Literal, TYPE_CHECKING

from jaxtyping import Float32, Int
import numpy as np

from medjax import errors
from medjax.core.sides import Side

if TYPE_CHECKING:
  from medjax.serve.model import Model

INVERSE = 'inverse_'  # marks the leaves of a reciprocal score that its queries for heads read
METRICS: dict[str, Literal['ip', 'l1', 'l2'] | None] = {
  'transe': 'l1',
  'transe_l2': 'l2',
  'rotate': None,
  'pairre': None,
  'simple': 'ip',
  'distmult': 'ip',
  'complex': 'ip',
  'distmult_reciprocal': 'ip',
  'complex_reciprocal': 'ip',
}
COMPLEX = ('re', 'im')
LEAVES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # of an entity and of a relation, in a vector's order
  'transe': (('vector',), ('vector',)),
  'transe_l2': (('vector',), ('vector',)),
  'rotate': (COMPLEX, ('phase',)),
  'pairre': (('vector',), ('head', 'tail')),
  'simple': (('head', 'tail'), ('forward', 'inverse')),
  'distmult': (('vector',), ('vector',)),
  'complex': (COMPLEX, COMPLEX),
  'distmult_reciprocal': (('vector',), ('vector', 'inverse_vector')),
  'complex_reciprocal': (COMPLEX, (*COMPLEX, 'inverse_re', 'inverse_im')),
}
Rows = dict[str, Float32[np.ndarray, 'Q C']]


def metric(score: str) -> Literal['ip', 'l1', 'l2'] | None:
  """Returns the metric under which the nearest entities of a query are the most plausible, by the score's name.

  >>> metric('complex'), metric('transe_l2'), metric('rotate')
  ('ip', 'l2', None)

  Returns:
    'ip' (the largest inner product), 'l1' or 'l2' (the smallest distance); None: no metric of vectors ranks so.
  """
  return METRICS.get(score)


def entity_vectors(model: 'Model') -> Float32[np.ndarray, 'E D']:
  """Returns the vectors of all entities, float32 [E, D]; the first w columns are those of a sub-model of width w."""
  return side_by_side(rows_of(model, 'entity', slice(None)), leaves_of(model, 'entity'))


def relation_vectors(model: 'Model') -> Float32[np.ndarray, 'R D_r']:
  """Returns the vectors of all relations, float32 [R, D_r].

  D_r is D; but D/2 for RotatE, whose angles are in radians, and 2 D for PairRE (its head's and tail's stretch) and the
  reciprocal scores (a relation and its inverse).
  """
  return side_by_side(rows_of(model, 'relation', slice(None)), leaves_of(model, 'relation'))


def query_vectors(
  model: 'Model', side: Side, anchors: Int[np.ndarray, ' Q'], relations: Int[np.ndarray, ' Q']
) -> Float32[np.ndarray, 'Q D']:
  """Returns the vectors of queries, float32 [Q, D]: what to search the entities' vectors for, under `metric`.

  Args:
    model: the `Model`.
    side: what is asked for, 'tail' or 'head'.
    anchors: ids of the entities that are given, int [Q].
    relations: ids of the relations, int [Q].

  Raises:
    errors.FormatError: the score has no metric of vectors.
  """
  score = model.description.score
  check_metric(score)
  return side_by_side(query_rows(model, side, anchors, relations), LEAVES[score][0])


def query_rows(model: 'Model', side: Side, anchors: Int[np.ndarray, ' Q'], relations: Int[np.ndarray, ' Q']) -> Rows:
  """Returns the queries leaf by leaf, float32 [Q, C] each, of any score; the arguments are those of `query_vectors`.

  PairRE's have a leaf more, 'stretch': what stretches the candidates.
  """
  score = model.description.score
  if score not in LEAVES:
    from medjax.serve import by_jax  # loads JAX

    return by_jax.query_rows(model, side, anchors, relations)
  entity, relation = rows_of(model, 'entity', anchors), rows_of(model, 'relation', relations)
  if score.endswith('_reciprocal'):
    inverse = {name.removeprefix(INVERSE): leaf for name, leaf in relation.items() if name.startswith(INVERSE)}
    relation, side = (relation if side == 'tail' else inverse), 'tail'
  return QUERIES[score.removesuffix('_reciprocal')](entity, relation, side)


def check_metric(score: str) -> Literal['ip', 'l1', 'l2']:
  """Returns the metric of a score, by its name; raises errors.FormatError for a score that has none."""
  found = metric(score)
  if found is None:
    searchable = ', '.join(name for name, one in METRICS.items() if one)
    raise errors.FormatError(
      f'{score} scores have no metric of vectors, so no query is a vector and no vector index ranks as they do; '
      f'ask the model itself (predict), or train one of {searchable}'
    )
  return found


def leaves_of(model: 'Model', table: str) -> tuple[str, ...]:
  """Returns the leaves of a table in a vector's order: of a score that has no form here, as the table has them."""
  known = LEAVES.get(model.description.score)
  return known[('entity', 'relation').index(table)] if known else tuple(model.params[table])


def rows_of(model: 'Model', table: str, ids: Int[np.ndarray, ' Q'] | slice) -> Rows:
  """Returns rows of every leaf of a table, float32 [Q, C] each; angles in radians."""
  leaves = {name: np.asarray(leaf)[ids].astype(np.float32, copy=False) for name, leaf in model.params[table].items()}
  if 'phase' in leaves:
    leaves['phase'] = leaves['phase'] * np.float32(model.description.constants['phase_scale'])
  return leaves


def side_by_side(rows: Rows, names: tuple[str, ...]) -> Float32[np.ndarray, 'Q D']:
  """Returns leaves [Q, C] as vectors [Q, C * leaves] in which the numbers of a component are neighbours."""
  stacked = np.stack([rows[name] for name in names], -1)
  return stacked.reshape(len(stacked), -1)


def apart(vectors: Float32[np.ndarray, 'Q D'], names: tuple[str, ...]) -> Rows:
  """Undoes `side_by_side`: vectors [Q, D] as leaves [Q, D / leaves]."""
  stacked = np.asarray(vectors, np.float32).reshape(len(vectors), -1, len(names))
  return {name: np.ascontiguousarray(stacked[..., i]) for i, name in enumerate(names)}


def translated(entity: Rows, relation: Rows, side: Side) -> Rows:
  """TransE's query: h + r for the tail, t - r for the head."""
  sign = 1 if side == 'tail' else -1
  return {'vector': entity['vector'] + sign * relation['vector']}


def multiplied(entity: Rows, relation: Rows, side: Side) -> Rows:
  """DistMult's query: the product with the relation, for either side."""
  return {'vector': entity['vector'] * relation['vector']}


def turned(entity: Rows, relation: Rows, side: Side) -> Rows:
  """ComplEx's query: h r for the tail; t conj(r) for the head, since Re(h r conj(t)) = Re(h conj(t conj(r)))."""
  real, imaginary = relation['re'], relation['im'] if side == 'tail' else -relation['im']
  return {
    're': entity['re'] * real - entity['im'] * imaginary,
    'im': entity['re'] * imaginary + entity['im'] * real,
  }


def crossed(entity: Rows, relation: Rows, side: Side) -> Rows:
  """SimplE's query: each role of the entity that is given, times the relation that leads to the other role."""
  to_other, to_same = ('forward', 'inverse') if side == 'tail' else ('inverse', 'forward')
  return {
    'tail': 0.5 * entity['head'] * relation[to_other],
    'head': 0.5 * entity['tail'] * relation[to_same],
  }


def rotated(entity: Rows, relation: Rows, side: Side) -> Rows:
  """RotatE's query: ComplEx's, with the numbers of length 1 that have the relation's angles."""
  return turned(entity, {'re': np.cos(relation['phase']), 'im': np.sin(relation['phase'])}, side)


def stretched(entity: Rows, relation: Rows, side: Side) -> Rows:
  """PairRE's query: the entity at length 1, stretched by its side of the relation; the other side is kept."""
  mine, other = ('head', 'tail') if side == 'tail' else ('tail', 'head')
  return {'vector': of_length_one(entity['vector']) * relation[mine], 'stretch': relation[other]}


def of_length_one(rows: Float32[np.ndarray, 'Q C']) -> Float32[np.ndarray, 'Q C']:
  """Returns rows [Q, C] at length 1, as PairRE compares them."""
  return rows / np.sqrt(np.square(rows).sum(-1, keepdims=True) + np.float32(1e-12))


QUERIES = {
  'transe': translated,
  'transe_l2': translated,
  'rotate': rotated,
  'pairre': stretched,
  'distmult': multiplied,
  'complex': turned,
  'simple': crossed,
}
