"""The contract of a score, and the one-pass identity for scores that are sums over components.

Shape letters: N sub-models, B batch, K negatives, E entities, C components (width / numbers per
component), Q queries. A raw score is "higher = more plausible"; a distance is negated. The score of
sub-model i is offset_i + scale_i * raw_i (see `affine`), which changes no rank.
"""
import functools
from typing import Any, Callable, NamedTuple

import jax
import jax.numpy as jnp

from medjax import crop


class Score(NamedTuple):
  """A knowledge graph embedding score as pure functions.

  A triple is scored as (query, candidate): the query holds two of its three parts, the candidate is
  the entity in question. Tables are dicts of arrays, croppable axis last.

  Attributes:
    name: the registry's name.
    components: real numbers per croppable component.
    margin: whether the score is gamma - distance (else it has no gamma).
    init: (key, num_entities, num_relations, width) -> {'entity': {...}, 'relation': {...}}.
    tail_query: (head rows, relation rows) -> query for the tail.
    head_query: (tail rows, relation rows) -> query for the head.
    sums: (query, candidate, widths) -> raw scores [..., N]; leaves broadcast, components last.
    walk: (query, rows, widths, start, visit, each) -> visit(raw scores [E, Q], each[b]) of every block b
      that ends a width (anything for the others), stacked on a leading axis; rows are [E, C], query leaves
      [C, Q], `each` a pytree of arrays [blocks, ...]. `start` [E, Q] is added to every sum.
    cross: (queries [..., S, C], candidates [..., K, C], widths) -> N raw scores [..., S, K] of all pairs.
    left_out: (query, candidate) -> raw scores [..., C], each of which lacks one component; None where only
      computing every one anew is exact, see `leave_one_out`.
    moduli: rows of a table -> the size of each of their components, leaves [..., C], as N3 adds up their cubes; None
      for a margin score.
  """
  name: str
  components: int
  margin: bool
  init: Callable
  tail_query: Callable
  head_query: Callable
  sums: Callable
  walk: Callable
  cross: Callable
  left_out: Callable | None = None
  moduli: Callable | None = None


def additive(terms, finish=lambda total: total):
  """Returns (sums, walk, cross, left_out) of a score that is finish(sum over components of terms).

  All sub-model scores are prefix sums of the same terms, so they cost about one model.

  Args:
    terms: (query, candidate) -> the term of each component, elementwise.
    finish: monotone map from a sum of terms to the raw score.
  """

  def sums(query, candidate, widths):
    return finish(prefix_sums(terms(query, candidate), widths))

  def walk(query, rows, widths, start, visit, each):
    block = widths.block

    def add_block(carry, after):
      total, query, rows = carry
      following, each = after
      seen = visit(finish(total), each)
      for j in range(block):
        total += terms(jax.tree.map(lambda x: x[None, j], query), jax.tree.map(lambda x: x[:, j, None], rows))
      return (total, *following), seen

    # A block's slices and sums pass through the carry: XLA would fuse what is sliced or summed in the same
    # iteration into the loop over scores, compute it again for every score, and not vectorise that.
    parts = (jax.tree.map(lambda x: x.reshape(-1, block, x.shape[-1]), query),
             jax.tree.map(lambda x: split_blocks(x, block).swapaxes(0, 1), rows))
    roll = lambda tree, shift: jax.tree.map(lambda x: jnp.roll(x, shift, 0), tree)
    at = lambda tree, b: jax.tree.map(lambda x: x[b], tree)
    (total, *_), seen = jax.lax.scan(add_block, (start, *at(parts, 0)), (roll(parts, -1), roll(each, 1)))
    last = visit(finish(total), at(each, -1))
    return jax.tree.map(lambda x, y: jnp.concatenate([x[1:], y[None]]), seen, last)

  def left_out(query, candidate):
    each = terms(query, candidate)
    return finish(each.sum(-1, keepdims=True) - each)

  return sums, walk, broadcast_cross(sums), left_out


def broadcast_cross(sums):
  """Returns the `cross` of a score that has no better way than its `sums`."""

  def cross(queries, candidates, widths):
    every = sums(lift(queries), jax.tree.map(lambda x: x[..., None, :, :], candidates), widths)
    return tuple(every[..., i] for i in range(every.shape[-1]))

  return cross


def bilinear():
  """Returns (sums, walk, cross, left_out) of a score that is the inner product of query and candidate."""

  def terms(query, candidate):
    return sum(query[name] * candidate[name] for name in query)

  def cross(queries, candidates, widths):
    if widths.axis:
      return split_cross(queries, candidates, widths)
    ends = [width // widths.components for width in widths.values]
    total, scores = 0.0, []
    for start, end in zip([0, *ends], ends):
      for name in queries:
        left, right = queries[name][..., start:end], candidates[name][..., start:end]
        total += jnp.einsum('...sc,...kc->...sk', left, right, precision='highest')
      scores.append(total)
    return tuple(scores)

  def sums(query, candidate, widths):
    if own_candidates(query, candidate):
      return up_to_widths(block_products(query, candidate, widths.fine.block), widths)
    return prefix_sums(terms(query, candidate), widths)

  _, walk, _, left_out = additive(terms)
  return sums, walk, cross, left_out


def own_candidates(query, candidate):
  """Whether queries [..., 1, C] meet candidates of their own [..., K, C]."""
  asked, given = (jax.tree.leaves(x)[0].shape for x in (query, candidate))
  return len(asked) > 2 and asked == (*given[:-2], 1, given[-1]) and given[-2] > 1


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def block_products(query, candidate, block):
  """Inner products by blocks of queries, leaves [..., 1, C], with their candidates [..., K, C]: [..., K, C / block]."""
  return block_sums(sum(query[name] * candidate[name] for name in query), block)


def _block_products_fwd(query, candidate, block):
  return block_products(query, candidate, block), (query, candidate)


def _block_products_bwd(block, given, grad):
  query, candidate = given
  at = lambda x, k: jax.lax.dynamic_index_in_dim(x, k, -2, keepdims=False)

  def add_candidate(k, total):  # the products [..., K, C] summed over K would be written to memory first
    return jax.tree.map(lambda total, rows: total + repeated(at(grad, k), block) * at(rows, k), total, candidate)

  zeros = jax.tree.map(lambda x: jnp.zeros_like(x[..., 0, :]), query)
  query_grad = jax.lax.fori_loop(0, grad.shape[-2], add_candidate, zeros, unroll=8)
  return lift(query_grad), jax.tree.map(lambda x: repeated(grad, block) * x, query)


block_products.defvjp(_block_products_fwd, _block_products_bwd)


def split_cross(queries, candidates, widths):
  """The bilinear `cross` on a device that holds a share of the components."""
  size = widths.num_blocks // widths.parts
  total = [jnp.zeros(())]
  for b in range(size):
    part = lambda x: x[..., b * widths.block:(b + 1) * widths.block]
    total.append(total[-1] + sum(jnp.einsum('...sc,...kc->...sk', part(queries[name]), part(candidates[name]),
                                            precision='highest') for name in queries))
  total = jnp.stack([jnp.zeros_like(total[-1]), *total[1:]])
  reached = jnp.clip(jnp.asarray(widths.ends) + 1 - first_block(widths), 0, size)
  return tuple(add_up(total[reached], widths.axis))


def sizes(rows):
  """The `moduli` of real components."""
  return jax.tree.map(jnp.abs, rows)


def leave_one_out(score, query, candidate):
  """Returns the raw scores [..., C] of a triple without each of its C > 1 components in turn, exactly."""
  if score.left_out:
    return score.left_out(query, candidate)
  length = jax.tree.leaves(candidate)[0].shape[-1]
  rest = crop.Widths(((length - 1) * score.components,), score.components)

  def without(component):
    cut = lambda x: jnp.roll(x, -1 - component, -1)[..., :-1]
    return score.sums(jax.tree.map(cut, query), jax.tree.map(cut, candidate), rest)[..., 0]

  return jnp.moveaxis(jax.lax.map(without, jnp.arange(length)), 0, -1)


def difference(query, candidate):
  """candidate - query. Its gradient is summed over a query's candidates first and negated then."""
  return candidate + -query


@jax.custom_jvp
def modulus(re, im):
  """|re + i im|, with gradient 0 at 0."""
  return jnp.sqrt(square(re, im))


@modulus.defjvp
def _modulus_jvp(primals, tangents):
  # one reciprocal for both gradients, instead of a root, its derivative and a division in memory
  reciprocal = jax.lax.rsqrt(square(*primals))
  return modulus(*primals), reciprocal * (primals[0] * tangents[0] + primals[1] * tangents[1])


def square(re, im):
  return jnp.maximum(jnp.square(re) + jnp.square(im), 1e-30)


def split_blocks(x, block):
  """[..., C] -> [..., C / block, block]."""
  return x.reshape(*x.shape[:-1], -1, block)


def repeated(x, block):
  """[..., C / block] -> [..., C], each number `block` times; the transpose of `block_sums`."""
  return jnp.broadcast_to(x[..., None], (*x.shape, block)).reshape(*x.shape[:-1], -1)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def block_sums(x, block):
  """Sums the last axis in blocks: [..., C] -> [..., C / block]."""
  parts = split_blocks(x, block)
  total = parts[..., 0]
  for j in range(1, block):  # slice by slice: XLA's CPU backend does not vectorise a short reduction
    total += parts[..., j]
  return total


def _block_sums_fwd(x, block):
  return block_sums(x, block), None


def _block_sums_bwd(block, _, grad):
  return (repeated(grad, block),)


block_sums.defvjp(_block_sums_fwd, _block_sums_bwd)


def first_block(widths):
  """The first block that this device holds."""
  return jax.lax.axis_index(widths.axis) * (widths.num_blocks // widths.parts) if widths.axis else 0


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def add_up(x, axis):
  """Sum over the devices of a mesh axis, of which every device then makes the same loss."""
  return jax.lax.psum(x, axis)


# every device has the gradient of the one loss with respect to the sum, which is that of its own term
add_up.defvjp(lambda x, axis: (jax.lax.psum(x, axis), None), lambda axis, _, grad: (grad,))


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def share_sum(x, axis):
  """Sum over the devices of a mesh axis, which every device then applies to components of its own."""
  return jax.lax.psum(x, axis)


share_sum.defvjp(lambda x, axis: (jax.lax.psum(x, axis), None), lambda axis, _, grad: (jax.lax.psum(grad, axis),))


def prefix_sums(x, widths, across=add_up):
  """Sums the last axis up to every width: [..., C] -> [..., N]; of split components, `across` their devices."""
  return up_to_widths(block_sums(x, widths.fine.block), widths, across)


def up_to_widths(blocks, widths, across=add_up):
  """`prefix_sums` of what is summed in the blocks of the fine widths already."""
  widths = widths.fine
  # a triangular 0/1 matrix: faster than a cumulative sum, and it reads off the widths on the way
  within = first_block(widths) + jnp.arange(blocks.shape[-1])[:, None] <= jnp.asarray(widths.ends)[None]
  total = jnp.matmul(blocks, within.astype(blocks.dtype), precision='highest')
  return across(total, widths.axis) if widths.axis else total


def sharpness(width, gamma_half, gamma_power):
  """Returns 1 / (1 + (gamma_half/width)^gamma_power), elementwise: the share of gamma that is the margin of a width."""
  return 1 / (1 + (gamma_half / width) ** gamma_power)


def affine(margin, widths, gamma, width_scale='linear', width_gamma='shared', gamma_half=0.0,
           gamma_power=2.0):
  """Returns (offset [N], scale [N]) of score_i = offset_i + scale_i * raw_i.

  Args:
    margin: whether the score is gamma - distance.
    widths: the increasing widths d_1..d_n.
    gamma: margin of a wide model.
    width_scale: 'linear' d_n/d_i, 'sqrt' (d_n/d_i)^(1/2), 'none' 1.
    width_gamma: 'shared' or 'learned' gamma, 'linear' gamma * d_i/d_n.
    gamma_half, gamma_power: of the `sharpness` by which a score with a margin is multiplied, its margin and its
      distance alike.
  """
  widths = jnp.asarray(widths, jnp.float32)
  share = widths / widths[-1]
  scale = {'linear': 1 / share, 'sqrt': share**-0.5, 'none': jnp.ones_like(share)}[width_scale]
  offset = gamma * {'shared': jnp.ones_like(share), 'learned': jnp.ones_like(share), 'linear': share}[width_gamma]
  factor = sharpness(widths, gamma_half, gamma_power)
  return (factor * offset, factor * scale) if margin else (jnp.zeros_like(offset), scale)


def lift(query):
  """Adds an axis for the candidates: leaves [B, C] -> [B, 1, C]."""
  return jax.tree.map(lambda x: x[..., None, :], query)


def gather(table, ids):
  """Rows of every leaf of a table."""
  return jax.tree.map(lambda leaf: leaf.at[ids].get(mode='promise_in_bounds'), table)


def scatter_add(table, ids, rows):
  """Adds rows, leaves [..., C], to those of a table with these ids [...]; `gather`'s transpose."""
  # XLA brings every scatter of rows to this form; brought there by itself, it copies the rows first
  form = jax.lax.ScatterDimensionNumbers(update_window_dims=(1, 2), inserted_window_dims=(),
                                         scatter_dims_to_operand_dims=(0,))
  add = lambda leaf, row: jax.lax.scatter_add(leaf, ids.reshape(-1, 1), row.reshape(-1, 1, row.shape[-1]), form,
                                              mode='promise_in_bounds')
  return jax.tree.map(add, table, rows)


def batch_pairs(score, params, batch):
  """Returns ((query, candidate) of the positives, leaves [B, C], and of the negatives, [B, 1, C] and [B, K, C]).

  The first half of a batch asks for tails, the second for heads; see `data.sampling.Batch`.
  """
  half = len(batch.anchor) // 2
  rows = gather(params['entity'], batch.anchor), gather(params['relation'], batch.relation)
  first, last = (jax.tree.map(lambda x: x[where], rows) for where in (slice(half), slice(half, None)))
  query = jax.tree.map(lambda *x: jnp.concatenate(x), score.tail_query(*first), score.head_query(*last))
  return (query, gather(params['entity'], batch.answer)), (lift(query), gather(params['entity'], batch.negatives))


def score_triples(score, params, triples, widths, side='tail') -> Any:
  """Raw scores of triples int32 [..., 3] under every width, [..., N].

  `side` is the entity that is asked for, 'tail' or 'head'; only with reciprocal relations does it make a difference.
  """
  head, relation, tail = (triples[..., i] for i in range(3))
  make_query, anchor, answer = (score.tail_query, head, tail) if side == 'tail' else (score.head_query, tail, head)
  query = make_query(gather(params['entity'], anchor), gather(params['relation'], relation))
  return score.sums(query, gather(params['entity'], answer), widths)
