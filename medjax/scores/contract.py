"""What a score is: a record of pure functions, from which all code that meets one takes what it needs.

Shape letters: N sub-models, B batch, K negatives, E entities, C components (width / numbers per component), Q queries.
A raw score is "higher = more plausible"; a distance is negated. The score of sub-model i is offset_i + scale_i * raw_i
(see `core.width_scale.affine`), which changes no rank.
"""

from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from medjax.core import axes as axes_lib
from medjax.core import rows as rows_lib
from medjax.core import sides
from medjax.core.sides import Side
from medjax.core.widths import Widths

Table = dict[str, Any]  # leaves [rows, C]; in a query or candidate [..., C]
Params = dict[str, Table]  # {'entity': {...}, 'relation': {...}}


class Init(Protocol):
  """Draws the tables of a new model of full `width`."""

  def __call__(self, key: jax.Array, num_entities: int, num_relations: int, width: int) -> Params: ...


class MakeQuery(Protocol):
  """Makes the query [..., C] for one entity of a triple from the rows of the other entity and of the relation."""

  def __call__(self, entity: Table, relation: Table, /) -> Table: ...


class ScoresByWidth(Protocol):
  """Raw scores [..., N] of candidates under every width; leaves [..., C] broadcast against each other."""

  def __call__(self, query: Table, candidate: Table, widths: Widths) -> Float[Array, '... N']: ...


class OnBlock(Protocol):
  """Sees the raw scores [E, Q] after a block, and that block's slice of `per_block`; what it returns is stacked."""

  def __call__(self, raw: Float[Array, 'E Q'], per_block: PyTree) -> PyTree: ...


class ScanBlocks(Protocol):
  """Returns on_block(raw scores [E, Q], per_block[b]) of every block b that ends a width, on a new leading axis.

  At other blocks it may hold anything. Query leaves are [C, Q], `rows` are entities [E, C], `start` [E, Q] is added to
  every score, and the leaves of `per_block` are [blocks, ...].
  """

  def __call__(
    self, query: Table, rows: Table, widths: Widths, start: Float[Array, 'E Q'], on_block: OnBlock, per_block: PyTree
  ) -> PyTree: ...


class LeftOut(Protocol):
  """Raw scores [..., C] of a triple, each of which lacks one component."""

  def __call__(self, query: Table, candidate: Table) -> Float[Array, '... C']: ...


class ComponentMagnitudes(Protocol):
  """The magnitude of every component of rows, leaves [..., C], as N3 adds up their cubes."""

  def __call__(self, rows: Table) -> PyTree[Float[Array, '... C']]: ...


class Score(NamedTuple):
  """A knowledge graph embedding score as pure functions.

  A triple is scored as (query, candidate): the query holds two of its three parts, the candidate is the entity in
  question. Tables are dicts of arrays, croppable axis last.

  Attributes:
    name: the registry's name.
    components: real numbers per croppable component.
    margin: whether the score is gamma - distance (else it has no gamma).
    init: draws the tables of a new model.
    tail_query: (head rows, relation rows) -> query for the tail.
    head_query: (tail rows, relation rows) -> query for the head.
    scores_by_width: (query, candidate, widths) -> raw scores [..., N].
    scan_blocks: (query, rows, widths, start, on_block, per_block) -> what `on_block` saw, for evaluation.
    left_out: (query, candidate) -> raw scores [..., C] without each component; None where only computing every one
      anew is exact, see `leave_one_out`.
    inner_product: whether a raw score is the inner product of query and candidate, leaf by leaf.
    component_magnitudes: rows -> the magnitude of each component; None for a margin score.
  """

  name: str
  components: int
  margin: bool
  init: Init
  tail_query: MakeQuery
  head_query: MakeQuery
  scores_by_width: ScoresByWidth
  scan_blocks: ScanBlocks
  left_out: LeftOut | None = None
  inner_product: bool = False
  component_magnitudes: ComponentMagnitudes | None = None

  @property
  def axes(self) -> dict[str, axes_lib.Axes]:
    """The declared axes of the tables: their columns are components."""
    columns = axes_lib.columns(self.components)
    return {'entity': columns, 'relation': columns}

  def query(self, side: Side) -> MakeQuery:
    """Returns what makes the query for the entity that is asked for: 'tail' or 'head'."""
    return {'tail': self.tail_query, 'head': self.head_query}[side]


class Ways(NamedTuple):
  """The functions of a `Score` that a family of scores shares; its fields are those of the same names."""

  scores_by_width: ScoresByWidth
  scan_blocks: ScanBlocks
  left_out: LeftOut | None = None
  inner_product: bool = False


def score_triples(
  score: Score, params: Params, triples: Int[Array, '... 3'], widths: Widths, side: Side = 'tail'
) -> Float[Array, '... N']:
  """Raw scores of triples int32 [..., 3] under every width, [..., N].

  >>> from medjax import scores
  >>> score = scores.make('distmult', {'init_scale': 1.0})
  >>> params = {'entity': {'vector': jnp.array([[1.0, 2.0], [3.0, 4.0]])}, 'relation': {'vector': jnp.ones((1, 2))}}
  >>> score_triples(score, params, jnp.array([0, 0, 1]), Widths((1, 2))).tolist()
  [3.0, 11.0]

  `side` is the entity that is asked for, 'tail' or 'head'; only with reciprocal relations does it make a difference.
  """
  known, asked = sides.columns(side)
  query = score.query(side)(
    rows_lib.gather(params['entity'], triples[..., known]), rows_lib.gather(params['relation'], triples[..., 1])
  )
  return score.scores_by_width(query, rows_lib.gather(params['entity'], triples[..., asked]), widths)


def leave_one_out(score: Score, query: Table, candidate: Table) -> Float[Array, '... C']:
  """Returns the raw scores [..., C] of a triple without each of its C > 1 components in turn, exactly."""
  if score.left_out:
    return score.left_out(query, candidate)
  length = jax.tree.leaves(candidate)[0].shape[-1]
  rest = Widths(((length - 1) * score.components,), score.components)

  def without(component):
    cut = lambda x: jnp.roll(x, -1 - component, -1)[..., :-1]
    return score.scores_by_width(jax.tree.map(cut, query), jax.tree.map(cut, candidate), rest)[..., 0]

  return jnp.moveaxis(jax.lax.map(without, jnp.arange(length)), 0, -1)
