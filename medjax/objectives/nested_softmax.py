"""The softmax objective of inner products, of equally spaced widths in one walk over the blocks between them.

With T_i [S, K] the sum of the blocks up to width i, c_i its scale, and a_i [S] the answers' scores, sub-model i gives
candidate k the probability p_ik = exp(c_i T_ik - L_i), L_i = log(exp(a_i) + sum over k of exp(c_i T_ik)). Upwards, a
walk adds block after block to T and notes L_i [S] and the divergence from the next narrower one,

  D_i = KL(p_i || p_{i-1}) = sum over k and the answer of p_i (s_i - s_{i-1}) - L_i + L_{i-1},   s_ik = c_i T_ik.

Downwards it takes the blocks off again, and adds up the gradient with respect to T of all wider sub-models, which is
that with respect to a block's products:

  dL_i/ds_i = p_i      dD_i/ds_i = p_i (log p_i - log p_{i-1} - D_i)      dD_i/ds_{i-1} = p_{i-1} - p_i

So a few matrices [S, K] are held at any time, however many widths there are; the losses are functions of L_i, D_i and
a_i alone.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from medjax.objectives import candidates as candidates_lib
from medjax.objectives import weights
from medjax.objectives.options import Held, Options, Strengths

SCORES = 1 << 19  # walked at once: a few matrices of them stay near the cores, and yet are enough for all cores
ROWS = 64  # queries walked at once, at least


class Totals(NamedTuple):
  """What the losses need of the candidates' scores.

  Attributes:
    log_total: L_i [B, N], the logarithms of the sums over the answer and its candidates.
    divergence: D_i [B, N], KL(p_i || p_{i-1}); 0 for the narrowest.
  """

  log_total: Float[Array, 'B N']
  divergence: Float[Array, 'B N']


class Walk(NamedTuple):
  """How a walk goes.

  Attributes:
    divergence: whether divergences are asked for.
    detach: the side of a divergence that does not move, see `options.Mutual`.
  """

  divergence: bool
  detach: Held


def losses_of_totals(
  positive: Float[Array, 'B N'],
  totals: Totals,
  fractions: Float[Array, ' N'],
  strengths: Strengths,
  options: Options,
  mask: Float[Array, ' N'] | None = None,
) -> tuple[Float[Array, ''], Float[Array, ' N']]:
  """Returns (loss [], losses of the widths [N]), those of `softmax_losses`, of what a walk gives.

  Args:
    positive: scores of the answers, [B, N].
    totals: `Totals`.
    fractions, strengths, options, mask: see `log_sigmoid_losses`.
  """
  mask = jnp.ones_like(fractions) if mask is None else mask
  said = positive - totals.log_total
  even = jnp.full_like(said, 1 / len(said))
  if options.difficulty:
    hard = jax.lax.stop_gradient(1 - jnp.exp(said[:, :-1]))
    even = jnp.concatenate([even[:, :1], candidates_lib.masked_softmax(strengths.w1 * hard, 0)], 1)
  width_losses = -(even * said).sum(0)
  loss = jnp.sum(mask * weights.width_weights(fractions, strengths.w3, options) * width_losses)
  if options.mutual and len(fractions) > 1:
    pairs = totals.divergence[:, 1:].mean(0)
    loss += jnp.sum(mask[1:] * mask[:-1] * weights.pair_weights(fractions[1:], options.mutual) * pairs)
  return loss, width_losses


@functools.partial(jax.custom_vjp, nondiff_argnums=(5,))
def walk(
  queries: PyTree[Float[Array, 'G S C']],
  candidates: PyTree[Float[Array, 'G K C']],
  positive: Float[Array, 'G S N'],
  valid: Bool[Array, 'G S K'],
  scale: Float[Array, ' N'],
  how: Walk,
) -> tuple[Float[Array, 'G S N'], Float[Array, 'G S N']]:
  """Returns (log totals, divergences), each [G, S, N], of G sets of S queries that share K candidates.

  Args:
    queries, candidates: leaves of one name each, whose products over the components are added up.
    positive: scores of the answers.
    valid: False leaves a candidate out.
    scale: c_i > 0, taken as given.
    how: `Walk`.
  """
  return _walk_fwd(queries, candidates, positive, valid, scale, how)[0]


def _walk_fwd(queries, candidates, positive, valid, scale, how):
  tiles = _tiles((queries, positive, valid), candidates)
  if _shared(candidates):
    alone = _first(candidates)
    out = jax.lax.map(lambda tile: _up(tile, alone, scale, how), tiles)
  else:
    out = jax.lax.map(lambda each: _up(each[0], each[1], scale, how), (tiles, candidates))
  log_total, divergence, full = _untiled(out, positive)
  return (log_total, divergence), (queries, candidates, positive, valid, scale, log_total, divergence, full)


def _walk_bwd(how, kept, grads):
  queries, candidates, positive, valid, scale, log_total, divergence, full = kept
  tiles = _tiles((queries, positive, valid, log_total, divergence, full, *grads), candidates)
  if _shared(candidates):
    alone = _first(candidates)

    def add_tile(total, tile):
      query_grad, candidate_grad, positive_grad = _down(tile, alone, scale, how)
      return jax.tree.map(jnp.add, total, candidate_grad), (query_grad, positive_grad)

    candidate_grad, of_queries = jax.lax.scan(add_tile, jax.tree.map(jnp.zeros_like, alone), tiles)
    candidate_grad = jax.tree.map(lambda x: x[None], candidate_grad)
  else:
    query_grad, candidate_grad, positive_grad = jax.lax.map(
      lambda each: _down(each[0], each[1], scale, how), (tiles, candidates)
    )
    of_queries = query_grad, positive_grad
  query_grad, positive_grad = _untiled(of_queries, positive)
  return query_grad, candidate_grad, positive_grad, None, jnp.zeros_like(scale)


walk.defvjp(_walk_fwd, _walk_bwd)


def _up(tile, candidates, scale, how):
  """Walks upwards: (log totals [S, N], divergences [S, N], the full width's sums of blocks [S, K])."""
  queries, positive, valid = tile

  def add_block(before, block):
    narrower, scale_before, answer_before, log_before = before
    query, candidate, scale, answer = block
    wider = narrower + _products(query, candidate)
    scores = jnp.where(valid, scale * wider, -jnp.inf)
    top = jnp.maximum(answer, scores.max(1))
    weight, of_answer = jnp.exp(scores - top[:, None]), jnp.exp(answer - top)
    total = of_answer + weight.sum(1)
    log_total = top + jnp.log(total)
    divergence = jnp.zeros_like(log_total)
    if how.divergence:
      gap = jnp.where(valid, scale * wider - scale_before * narrower, 0)
      divergence = (of_answer * (answer - answer_before) + (weight * gap).sum(1)) / total - log_total + log_before
    return (wider, scale, answer, log_total), (log_total, divergence)

  zero, zeros = jnp.zeros(()), jnp.zeros(len(positive))
  start = jnp.zeros(valid.shape), zero, zeros, zeros
  blocks = _blocks(queries, len(scale)), _blocks(candidates, len(scale)), scale, positive.T
  (full, *_), (log_total, divergence) = jax.lax.scan(add_block, start, blocks)
  return log_total.T, divergence.T.at[:, 0].set(0), full


def _down(tile, candidates, scale, how):
  """Walks downwards: gradients of (queries [S, C], candidates [K, C], positive [S, N])."""
  queries, positive, valid, log_total, divergence, full, log_grad, divergence_grad = tile
  divergence_grad = divergence_grad.at[:, 0].set(0)
  after = lambda x: jnp.concatenate([x[:, 1:], jnp.zeros_like(x[:, :1])], 1)
  before = lambda x: jnp.concatenate([jnp.zeros_like(x[:, :1]), x[:, :-1]], 1)
  moves_wide, moves_narrow = (how.divergence and how.detach != side for side in ('wide', 'narrow'))

  def gradient(p, said, said_before, p_after, log_grad, divergence, divergence_grad, grad_after):
    total = log_grad * p
    if moves_wide:
      total += divergence_grad * p * (said - said_before - divergence)
    if moves_narrow:
      total += grad_after * (p - p_after)
    return total

  def take_block(carry, block):
    wider, total, p, p_after = carry
    query, candidate, scale, scale_before, log_total, log_before, *rest = block
    narrower = wider - _products(query, candidate)
    said, said_before = scale * wider - log_total[:, None], scale_before * narrower - log_before[:, None]
    p_before = jnp.where(valid, jnp.exp(said_before), 0)
    total += scale * gradient(p, said, said_before, p_after, *(x[:, None] for x in rest))
    query_grad = jax.tree.map(lambda rows: _matmul('sk,kc->sc', total, rows), candidate)
    candidate_grad = jax.tree.map(lambda rows: _matmul('sk,sc->kc', total, rows), query)
    return (narrower, total, p_before, p), (query_grad, candidate_grad)

  given = log_total, before(log_total), log_grad, divergence, divergence_grad, after(divergence_grad)
  blocks = (
    _blocks(queries, len(scale)),
    _blocks(candidates, len(scale)),
    scale,
    before(scale[None])[0],
    *(x.T for x in given),
  )
  last = jnp.where(valid, jnp.exp(scale[-1] * full - log_total[:, -1:]), 0)
  start = full, jnp.zeros_like(full), last, jnp.zeros_like(full)
  _, grads = jax.lax.scan(take_block, start, blocks, reverse=True)
  said = positive - log_total
  p = jnp.exp(said)
  positive_grad = gradient(
    p, said, before(said), after(p), log_grad, divergence, divergence_grad, after(divergence_grad)
  )
  return *(_joined(grad) for grad in grads), positive_grad


def _matmul(form, left, right):
  return jnp.einsum(form, left, right, precision='highest')


def _products(query, candidate):
  """Products of a block of queries [S, c] with one of candidates [K, c], added over the leaves: [S, K]."""
  return sum(_matmul('sc,kc->sk', query[name], candidate[name]) for name in query)


def _blocks(tree, number):
  """Leaves [rows, C] in equal blocks, [N, rows, C / N]."""
  return jax.tree.map(lambda x: x.reshape(len(x), number, -1).swapaxes(0, 1), tree)


def _joined(tree):
  """Undoes `_blocks`."""
  return jax.tree.map(lambda x: x.swapaxes(0, 1).reshape(x.shape[1], -1), tree)


def _shared(candidates):
  """Whether all queries have one set of candidates."""
  return len(jax.tree.leaves(candidates)[0]) == 1


def _first(tree):
  return jax.tree.map(lambda x: x[0], tree)


def _tiles(tree, candidates):
  """Arrays [G, S, ...] as tiles [T, S', ...]: the sets as they are, or one set in parts of about `SCORES` scores."""
  if not _shared(candidates):
    return tree
  rows, count = jax.tree.leaves(tree)[0].shape[1], jax.tree.leaves(candidates)[0].shape[1]
  while rows % 2 == 0 and rows > ROWS and rows * count > SCORES:
    rows //= 2
  return jax.tree.map(lambda x: x.reshape(-1, rows, *x.shape[2:]), tree)


def _untiled(tree, like):
  """Undoes `_tiles`, for arrays [T, S', ...] of as many queries as `like` [G, S, ...] has."""
  return jax.tree.map(lambda x: x.reshape(*like.shape[:2], *x.shape[2:]), tree)
