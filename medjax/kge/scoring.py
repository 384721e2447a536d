"""The scores of a batch: rows are gathered, made into queries, and scored with their answers and negatives.

Shape letters: B batch, G sets of negatives, S positives that share one, K negatives, C components, N widths.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int32

from medjax.core import exchange, sub_models
from medjax.core import rows as rows_lib
from medjax.core.sub_models import Drawings
from medjax.core.widths import Widths
from medjax.kge.batches import Batch
from medjax.objectives import Mutual, nested_softmax
from medjax.objectives.nested_softmax import Totals, Walk
from medjax.scores.contract import Params, Score, Table


class Rows(NamedTuple):
  """What a step gathers: entity rows of anchors, answers [B, C] and negatives [B / S, K, C], relation rows [B, C]."""

  anchors: Table
  answers: Table
  negatives: Table
  relations: Table


def gather_rows(params: Params, batch: Batch) -> Rows:
  """Returns the `Rows` of a batch."""
  entity = lambda ids: rows_lib.gather(params['entity'], ids)
  return Rows(
    entity(batch.anchor),
    entity(batch.answer),
    entity(batch.negatives),
    rows_lib.gather(params['relation'], batch.relation),
  )


def make_queries(score: Score, rows: Rows) -> Table:
  """Returns the queries of a batch, leaves [B, C]: its first half asks for tails, the second for heads."""
  half = len(jax.tree.leaves(rows.anchors)[0]) // 2
  part = lambda where: jax.tree.map(lambda x: x[where], (rows.anchors, rows.relations))
  return jax.tree.map(
    lambda *x: jnp.concatenate(x),
    score.query('tail')(*part(slice(None, half))),
    score.query('head')(*part(slice(half, None))),
  )


def queries_of_a_set(queries: Table, rows: Rows) -> int:
  """How many queries share a set of negatives."""
  size, sets = (len(jax.tree.leaves(x)[0]) for x in (queries, rows.negatives))
  return size // sets


def in_sets(queries: Table, rows: Rows) -> Table:
  """Queries by the set of negatives that they share: leaves [B, C] -> [B / S, S, C]."""
  sets = len(jax.tree.leaves(rows.negatives)[0])
  return jax.tree.map(lambda x: x.reshape(sets, -1, x.shape[-1]), queries)


def score_batch(
  scorer: Callable[[Table, Table], Float[Array, '... N']], queries: Table, rows: Rows
) -> tuple[Float[Array, 'B N'], Float[Array, 'B K N']]:
  """Returns what `scorer` says of the answers [B, N] and of the negatives [B, K, N].

  Args:
    scorer: (query, candidate) -> [..., N], such as a score's `scores_by_width` at some widths.
    queries: those of the batch, see `make_queries`.
    rows: its `Rows`.
  """
  asked, wrong = in_sets(queries, rows), rows.negatives  # first: gradients of a query add up in the order of its uses
  positive = scorer(queries, rows.answers)
  size, (sets, count) = len(positive), jax.tree.leaves(wrong)[0].shape[:2]
  if sets < size:  # [B / S, S, 1, C] meets [B / S, 1, K, C]; else [B, 1, C] meets [B, K, C], in half the time
    asked, wrong = rows_lib.add_candidate_axis(asked), jax.tree.map(lambda x: x[:, None], wrong)
  return positive, scorer(asked, wrong).reshape(size, count, -1)


def walk_batch(
  queries: Table,
  rows: Rows,
  valid: Bool[Array, 'B K'],
  scale: Float[Array, ' N'],
  widths: Widths,
  mutual: Mutual | None,
  among: Drawings | None = None,
  drawn: Int32[Array, ' N'] | None = None,
  offset: Float[Array, 'G K'] | None = None,
) -> Totals:
  """Returns the `Totals` [B, N] of a batch under a score that is an inner product, without the scores in memory.

  Devices that share the components exchange them: each walks over all blocks of its share of the queries.

  Args:
    queries: those of the batch, see `make_queries`.
    rows: its `Rows`.
    valid: False leaves a negative out.
    scale: what a raw score is multiplied by.
    widths: those of a device.
    mutual: how neighbours learn from each other, or None.
    among, drawn: the places of the N sub-models that are trained now, and what they were drawn from, see
      `core.sub_models`; None is all of them.
    offset: added to the scores of a set's negatives, or None.
  """
  asked, wrong = in_sets(queries, rows), rows.negatives
  valid = valid.reshape(len(jax.tree.leaves(wrong)[0]), -1, valid.shape[1])
  size = valid.shape[1]
  if widths.axis:
    asked, wrong = exchange.own_rows(asked, widths), exchange.all_components(wrong, widths)
    valid = exchange.own_part(valid, widths)
  ends = tuple(width // widths.components for width in widths.values)
  if among is not None and drawn is not None:
    whole, ends = ends, sub_models.segment_ends(ends, among)
    asked, wrong = (sub_models.segments(x, whole, among, drawn) for x in (asked, wrong))
  how = Walk(ends, mutual is not None, mutual.detach if mutual else 'none')
  found = nested_softmax.totals(asked, wrong, valid, scale, how, offset)
  if widths.axis:
    found = Totals(*(exchange.all_rows(x, size, widths) for x in found))
  return Totals(*(x.reshape(-1, x.shape[-1]) for x in found))


def by_width(
  score: Score, widths: Widths, drawn: Int32[Array, ' N'] | None = None
) -> Callable[[Table, Table], Float[Array, '... N']]:
  """Returns the scorer (query, candidate) -> raw scores [..., N] of all widths or of drawn ones, for `score_batch`."""
  if drawn is None:
    return lambda query, candidate: score.scores_by_width(query, candidate, widths)
  # 0/1 columns: XLA's CPU backend gathers along the last axis one by one
  columns = (jnp.arange(len(widths.values))[:, None] == drawn[None]).astype(jnp.float32)
  return lambda query, candidate: jnp.matmul(
    score.scores_by_width(query, candidate, widths), columns, precision='highest'
  )
