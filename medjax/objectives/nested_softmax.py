"""The softmax objective of inner products, of all widths in one walk over the blocks between them.

With T_i [S, K] the sum of the blocks up to width i and c_i its scale, sub-model i gives candidate k the score
s_ik = c_i T_ik and, among the candidates, the probability p_ik = exp(s_ik - l_i). (An offset of a candidate is added to
its scores at all widths, so it falls out of their differences.) Upwards, a walk adds block after block to T and notes

  l_i = log sum over k of exp(s_ik)                  m_i = sum over k of p_ik (s_ik - s_{i-1,k})

of which the losses and the divergences between neighbours are functions, see `losses_of_totals`. Downwards it takes the
blocks off again, and adds up the gradient with respect to T of all wider sub-models, which is that with respect to a
block's products:

  dl_i/ds_i = p_i      dm_i/ds_i = p_i (1 + s_i - s_{i-1} - m_i)      dm_i/ds_{i-1} = -p_i

So a few matrices [S, K] are held at any time, however many widths there are. Where they are few, or not equally spaced,
the sums T_i are kept instead, and no block has to be taken off.

Arrays lie so that no product has to turn one of these matrices: candidates are [C, K]. Shape letters: G sets of S
queries that share K candidates, C components, N widths.
"""

from collections.abc import Iterator
import functools
import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from medjax.objectives import candidates as candidates_lib
from medjax.objectives import weights
from medjax.objectives.options import Held, Options, Strengths

FEW = 8  # sub-models of which all scores are kept for the way down
KEPT = 1 << 26  # scores, at most, that are kept
SCORES_OF_FEW = 1 << 20  # walked at once, unless all are kept
SCORES = 1 << 18  # walked at once of many: a few matrices of them stay near the cores, and yet occupy them all
CANDIDATES = 4096  # walked at once, about, unless all scores are kept
OUT = -1e30  # the score of a candidate that is left out: finite, so that differences are
NOTHING = -1e20  # less than any score, and far more than `OUT`: all candidates are left out of such a total
TINY = 1e-30  # less than the sum over any candidates, of which the largest is 1


class Totals(NamedTuple):
  """What the losses need of the candidates' scores.

  Attributes:
    log_total: l_i, the logarithms of the sums over the candidates.
    gain: m_i, by how much a candidate gains over the next narrower sub-model, as the wider one expects it.
  """

  log_total: Float[Array, '... N']
  gain: Float[Array, '... N']


class Walk(NamedTuple):
  """How a walk goes.

  Attributes:
    ends: the number of components of each width.
    divergence: whether the gains are asked for.
    detach: the side of a divergence that does not move, see `options.Mutual`.
  """

  ends: tuple[int, ...]
  divergence: bool = False
  detach: Held = 'none'


class Run(NamedTuple):
  """Widths one after another whose blocks are of one size: `number` from `first` on, from component `start` on."""

  first: int
  number: int
  start: int
  block: int

  def of(self, x: Array) -> Array:
    """What belongs to these widths, of an array [N, ...]."""
    return x[self.first : self.first + self.number]

  @property
  def part(self) -> slice:
    """Their components."""
    return slice(self.start, self.start + self.number * self.block)


def losses_of_totals(
  positive: Float[Array, 'B N'],
  totals: Totals,
  fractions: Float[Array, ' N'],
  strengths: Strengths,
  options: Options,
) -> tuple[Float[Array, ''], Float[Array, ' N']]:
  """Returns (loss [], losses of the widths [N]), those of `softmax_losses`, of what a walk gives.

  Args:
    positive: scores of the answers, [B, N].
    totals: `Totals`, [B, N].
    fractions, strengths, options: see `log_sigmoid_losses`.
  """
  log_total = jnp.logaddexp(positive, totals.log_total)
  said = positive - log_total
  even = jnp.full_like(said, 1 / len(said))
  if options.difficulty:
    hard = jax.lax.stop_gradient(1 - jnp.exp(said[:, :-1]))
    even = jnp.concatenate([even[:, :1], candidates_lib.masked_softmax(strengths.w1 * hard, 0)], 1)
  width_losses = -(even * said).sum(0)
  loss = jnp.sum(weights.width_weights(fractions, strengths.w3, options) * width_losses)
  if options.mutual and len(fractions) > 1:
    pairs = divergences(positive, totals, log_total, options.mutual.detach).mean(0)
    loss += jnp.sum(weights.pair_weights(fractions[1:], options.mutual) * pairs)
  return loss, width_losses


def divergences(
  positive: Float[Array, 'B N'], totals: Totals, log_total: Float[Array, 'B N'], detach: Held
) -> Float[Array, 'B N-1']:
  """KL(p_i || p_{i-1}) of the probabilities of the answer and its candidates.

  It is the sum of p_i (s_i - s_{i-1}) - L_i + L_{i-1}, with `log_total` L the logarithms of the sums over both.
  """
  hold = lambda side: jax.lax.stop_gradient if detach == side else lambda x: x
  wide, narrow = hold('wide'), hold('narrow')
  candidates, answer = (jnp.exp(wide(x - log_total)) for x in (totals.log_total, positive))
  gained = wide(positive[:, 1:]) - narrow(positive[:, :-1])
  expected = candidates[:, 1:] * totals.gain[:, 1:] + answer[:, 1:] * gained
  return expected - wide(log_total[:, 1:]) + narrow(log_total[:, :-1])


def totals(
  queries: PyTree[Float[Array, 'G S C']],
  candidates: PyTree[Float[Array, 'G K C']],
  valid: Bool[Array, 'G S K'],
  scale: Float[Array, ' N'],
  how: Walk,
  offset: Float[Array, 'G K'] | None = None,
) -> Totals:
  """Returns the `Totals` [G, S, N] of G sets of S queries that share K candidates.

  Args:
    queries, candidates: leaves of one name each, whose products over the components are added up.
    valid: False leaves a candidate out.
    scale: c_i > 0, taken as given.
    how: `Walk`.
    offset: what is added to the scores of a candidate at every width, taken as given; None is nothing.
  """
  count, kept = valid.shape[2], sums_kept(valid.size, how.ends)
  keep = kept > 0
  parts = 1 if kept == len(how.ends) else -(-count // CANDIDATES)
  if parts == 1:
    return Totals(*walk(queries, candidates, valid, scale, offset, how, keep))
  apart = lambda x, axis: jnp.stack(jnp.split(_padded(x, -count % parts, axis), parts, axis))
  of_part = *jax.tree.map(lambda x: apart(x, 1), (candidates, offset)), apart(valid, 2)
  walk_part = lambda part: walk(queries, part[0], part[2], scale, part[1], how, keep)
  found = Totals(*jax.lax.map(walk_part, of_part))
  log_total = jax.nn.logsumexp(found.log_total, 0)
  share = jnp.exp(found.log_total - log_total[None])
  return Totals(log_total, ((jax.lax.stop_gradient(share) if how.detach == 'wide' else share) * found.gain).sum(0))


def sums_kept(scores: int, ends: tuple[int, ...]) -> int:
  """Returns how many sums of blocks, each of so many scores, are kept for the way down: one for each run, or none."""
  number = len(list(runs(ends)))
  return number if scores * number <= KEPT else 0


def _padded(x, more, axis):
  return jnp.pad(x, [(0, more if i == axis else 0) for i in range(x.ndim)])


@functools.partial(jax.custom_vjp, nondiff_argnums=(5, 6))
def walk(
  queries: PyTree[Float[Array, 'G S C']],
  candidates: PyTree[Float[Array, 'G K C']],
  valid: Bool[Array, 'G S K'],
  scale: Float[Array, ' N'],
  offset: Float[Array, 'G K'] | None,
  how: Walk,
  keep: bool,
) -> tuple[Float[Array, 'G S N'], Float[Array, 'G S N']]:
  """Returns the `Totals` of a part of the candidates; `keep` keeps sums of blocks for the way down, see `runs`."""
  return _walk_fwd(queries, candidates, valid, scale, offset, how, keep)[0]


def _walk_fwd(queries, candidates, valid, scale, offset, how, keep):
  turned = jax.tree.map(lambda x: x.swapaxes(1, 2), candidates)
  up = lambda tile, turned, offset: _up(tile, turned, scale, offset, how)
  *found, sums = _in_tiles(up, (queries, valid), turned, offset, _at_once(how, keep))
  return tuple(found), (queries, turned, valid, scale, offset, *found, sums if keep else None)


def _walk_bwd(how, keep, kept, grads):
  queries, turned, valid, scale, offset, log_total, gain, sums = kept
  tiles = queries, valid, log_total, gain, sums, *grads
  down = lambda tile, turned, offset: _down(tile, turned, scale, offset, how)
  query_grad, candidate_grad = _in_tiles(down, tiles, turned, offset, _at_once(how, sums is not None), 1)
  return query_grad, jax.tree.map(lambda x: x.swapaxes(1, 2), candidate_grad), None, jnp.zeros_like(scale), None


walk.defvjp(_walk_fwd, _walk_bwd)


def _at_once(how, keep):
  """How many scores are walked at once, at most."""
  few = len(how.ends) <= FEW
  return KEPT if few and keep else SCORES_OF_FEW if few else SCORES


def _in_tiles(of_tile, tree, candidates, offset, most, sums=0):
  """Applies a function to tiles of the queries of one set after another.

  Args:
    of_tile: (arrays [s, ...] of a tile, leaves [C, K], offset [K]) -> arrays [s, ...], and last `sums` trees like the
      leaves.
    tree: arrays [G, S, ...].
    candidates: leaves [G, C, K].
    offset: [G, K], or None.
    most: scores of a tile.
    sums: how many of the results are added up over the queries of a set.
  """
  queries, count = jax.tree.leaves(tree)[0].shape[1], jax.tree.leaves(candidates)[0].shape[2]
  size = queries
  while size % 2 == 0 and size * count > most:
    size //= 2

  def of_set(given):
    tree, candidates, offset = given

    def add_tile(totals, tile):
      found = of_tile(tile, candidates, offset)
      apart, added = found[: len(found) - sums], found[len(found) - sums :]
      return jax.tree.map(jnp.add, totals, added), apart

    zeros = tuple(jax.tree.map(jnp.zeros_like, candidates) for _ in range(sums))
    totals, found = jax.lax.scan(add_tile, zeros, jax.tree.map(lambda x: x.reshape(-1, size, *x.shape[1:]), tree))
    return *jax.tree.map(lambda x: x.reshape(queries, *x.shape[2:]), found), *totals

  return jax.lax.map(of_set, (tree, candidates, offset))


def _moved(scores, offset):
  return scores if offset is None else scores + offset[None]


def _up(tile, candidates, scale, offset, how):
  """Walks upwards: (log totals [S, N], gains [S, N], the sums of blocks up to the end of each run [S, K])."""
  queries, valid = tile

  def add_block(before, block):
    narrower, scale_before = before
    query, candidate, scale = block
    wider = narrower + _matmul('sc,ck->sk', query, candidate)
    raw = scale * wider
    scores = _moved(raw, offset)
    top = jnp.maximum(scores.max(1), NOTHING)
    weight = jnp.exp(scores - top[:, None])
    total = jnp.maximum(weight.sum(1), TINY)
    gain = (weight * (raw - scale_before * narrower)).sum(1) / total if how.divergence else jnp.zeros_like(top)
    return (wider, scale), (top + jnp.log(total), gain)

  carry, found, sums = (jnp.where(valid, 0, OUT), scale[0]), [], []
  for run in runs(how.ends):
    blocks = _query_blocks(queries, run), _candidate_blocks(candidates, run), run.of(scale)
    carry, of_run = _scan(add_block, carry, blocks)
    found.append(of_run)
    sums.append(carry[0])
  log_total, gain = (jnp.concatenate(x).T for x in zip(*found))
  return log_total, gain, tuple(sums)


def _down(tile, candidates, scale, offset, how):
  """Walks downwards: gradients of (queries [S, C], candidates [C, K])."""
  queries, valid, log_total, gain, sums, log_grad, gain_grad = tile
  moves_wide, moves_narrow = (how.divergence and how.detach != side for side in ('wide', 'narrow'))
  column = lambda x: x[:, None]

  def take_block(below, carry, block):
    wider, total = carry
    query, candidate, scale, scale_before, log_total, gain, log_grad, gain_grad = block
    narrower = wider - _matmul('sc,ck->sk', query, candidate) if below is None else below
    p = jnp.exp(_moved(scale * wider, offset) - column(log_total))
    strength = column(scale * log_grad)
    if moves_wide:
      gained = scale * wider - scale_before * narrower
      strength += column(scale * gain_grad) * (1 - column(gain) + gained)
    total += strength * p
    grads = _matmul('sk,ck->sc', total, candidate), _matmul('sc,sk->ck', query, total)
    if moves_narrow:
      total -= column(scale_before * gain_grad) * p
    return (narrower, total), grads

  all_runs, none = list(runs(how.ends)), jnp.where(valid, 0, OUT)
  if sums is None:
    full = none + sum(_matmul('sc,ck->sk', queries[name], candidates[name]) for name in queries)
    known: list[Any] = [None] * len(all_runs)
  else:
    full = sums[-1]
    known = [start if run.number == 1 else None for run, start in zip(all_runs, (none, *sums))]
  query_grads: list[Any] = []
  candidate_grads: list[Any] = []
  carry = full, jnp.zeros_like(full)
  scale_before = jnp.concatenate([scale[:1], scale[:-1]])
  of_widths = scale, scale_before, log_total.T, gain.T, log_grad.T, gain_grad.at[:, 0].set(0).T
  for run, below in reversed(list(zip(all_runs, known))):
    blocks = _query_blocks(queries, run), _candidate_blocks(candidates, run), *map(run.of, of_widths)
    carry, (query_grad, candidate_grad) = _scan(functools.partial(take_block, below), carry, blocks, reverse=True)
    query_grads.insert(0, _leaves_of(query_grad, queries, run, 2))
    candidate_grads.insert(0, _leaves_of(candidate_grad, queries, run, 1))
  join = lambda trees, axis: jax.tree.map(lambda *x: jnp.concatenate(x, axis), *trees)
  return join(query_grads, 1), join(candidate_grads, 0)


def runs(ends: tuple[int, ...]) -> Iterator[Run]:
  """Yields the `Run`s of widths that end at these components; `FEW` widths are one run each.

  >>> list(runs((10, 40)))
  [Run(first=0, number=1, start=0, block=10), Run(first=1, number=1, start=10, block=30)]
  >>> list(runs((*range(10, 100, 10), 120)))
  [Run(first=0, number=9, start=0, block=10), Run(first=9, number=1, start=90, block=30)]
  """
  starts = (0, *ends)
  kind = lambda i: (ends[i] - starts[i], i if len(ends) <= FEW else None)
  for (block, _), members in itertools.groupby(range(len(ends)), kind):
    first, *rest = members
    yield Run(first, 1 + len(rest), starts[first], block)


def _scan(body, carry, blocks, reverse=False):
  """`jax.lax.scan` over blocks; two at a time, which saves copies of what is carried."""
  return jax.lax.scan(body, carry, blocks, reverse=reverse, unroll=min(2, len(blocks[0])))


def _matmul(form, left, right):
  return jnp.einsum(form, left, right, precision='highest')


def _query_blocks(queries, run):
  """The blocks of a run, [n, S, c], of leaves [S, C]; a block has the components of all leaves."""
  cut = lambda x: x[:, run.part].reshape(len(x), run.number, 1, run.block)
  blocks = jnp.concatenate([cut(x) for x in queries.values()], 2)
  return blocks.reshape(len(blocks), run.number, -1).swapaxes(0, 1)


def _candidate_blocks(candidates, run):
  """The blocks of a run, [n, c, K], of leaves [C, K]; a block has the components of all leaves."""
  cut = lambda x: x[run.part].reshape(run.number, 1, run.block, -1)
  blocks = jnp.concatenate([cut(x) for x in candidates.values()], 1)
  return blocks.reshape(run.number, -1, blocks.shape[-1])


def _leaves_of(blocks, like, run, axis):
  """Undoes `_query_blocks` (blocks [n, S, c], axis 2) or `_candidate_blocks` ([n, c, K], axis 1)."""
  apart = jnp.split(blocks, len(like), axis)
  whole = [jnp.moveaxis(x, 0, axis - 1) for x in apart]
  return {
    name: x.reshape(*x.shape[: axis - 1], run.number * run.block, *x.shape[axis + 1 :]) for name, x in zip(like, whole)
  }
