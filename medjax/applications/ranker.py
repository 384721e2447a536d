"""A light ranker on embeddings that stay as they are: a small network of [user, item, user * item], trained by BPR.

BPR (Rendle et al., UAI 2009) raises the score of an item that a user liked above that of one that is drawn from the
rest. Validation chooses the learning rate and when to stop.

Shape letters: U users, I items, D numbers of an embedding, H hidden units, Q questions, B pairs of a step.
"""

from collections.abc import Callable
import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int
import numpy as np
import optax

HIDDEN = 16
BATCH = 1024
ROUND, ROUNDS = 500, 4  # steps between two looks at validation, and how many of them
RATES = (3e-3, 1e-2)
DECAY = 1e-3
Params = dict[str, Array]


def fit(
  users: Float[np.ndarray, 'U D'],
  items: Float[np.ndarray, 'I D'],
  likes: Bool[np.ndarray, 'U I'],
  merit: Callable[[Params], float],
  seed: int = 0,
) -> Params:
  """Returns the parameters with the greatest merit among those of all learning rates after each round.

  Args:
    users, items: embeddings, see `scaled`.
    likes: of training.
    merit: on validation.
    seed: of the first parameters, and of what is drawn.
  """
  pairs = jnp.asarray(np.argwhere(likes))
  best, found = -np.inf, None
  for rate in RATES:
    params = first(jax.random.key(seed), users.shape[1])
    optimizer = optax.adamw(rate, weight_decay=DECAY)
    state = optimizer.init(params)
    for turn in range(ROUNDS):
      key = jax.random.fold_in(jax.random.key(seed), turn)
      params, state = train(params, state, key, users, items, jnp.asarray(likes), pairs, rate)
      if (now := merit(params)) > best:
        best, found = now, params
  if found is None:
    raise FloatingPointError('a ranker on these embeddings has no merit: its scores are not finite')
  return found


def first(key: Array, width: int) -> Params:
  """Returns parameters that begin as the inner product of user and item, and a hidden layer drawn at random."""
  return {
    'hidden': jax.random.normal(key, (3, width, HIDDEN)) / np.sqrt(3 * width),
    'bias': jnp.zeros(HIDDEN),
    'out': jnp.zeros(HIDDEN),
    'plain': jnp.stack([jnp.zeros(width), jnp.zeros(width), jnp.ones(width) / np.sqrt(width)]),
  }


def score(params: Params, user: Float[Array, '... D'], item: Float[Array, '... D']) -> Float[Array, '...']:
  """Returns the scores of users with items, row by row."""
  parts = jnp.stack(jnp.broadcast_arrays(user, item, user * item), -2)
  hidden = jnp.einsum('...kd,kdh->...h', parts, params['hidden'])
  hidden = jax.nn.relu(hidden + jnp.broadcast_to(params['bias'], hidden.shape))
  return hidden @ params['out'] + jnp.einsum('...kd,kd->...', parts, params['plain'])


@functools.partial(jax.jit, static_argnames='rate')
def train(
  params: Params,
  state: optax.OptState,
  key: Array,
  users: Float[Array, 'U D'],
  items: Float[Array, 'I D'],
  likes: Bool[Array, 'U I'],
  pairs: Int[Array, 'n 2'],
  rate: float,
) -> tuple[Params, optax.OptState]:
  """Returns (params, optimizer's state) after a round of steps; a drawn item that the user likes counts nothing."""
  optimizer = optax.adamw(rate, weight_decay=DECAY)

  def loss(params, user, liked, drawn):
    ahead = score(params, users[user], items[liked]) - score(params, users[user], items[drawn])
    return -jnp.mean(jnp.where(likes[user, drawn], 0.0, jax.nn.log_sigmoid(ahead)))

  def step(carry, key):
    params, state = carry
    which, other = jax.random.split(key)
    user, liked = pairs[jax.random.randint(which, (BATCH,), 0, len(pairs))].T
    drawn = jax.random.randint(other, (BATCH,), 0, len(items))
    updates, state = optimizer.update(jax.grad(loss)(params, user, liked, drawn), state, params)
    return (optax.apply_updates(params, updates), state), None

  return jax.lax.scan(step, (params, state), jax.random.split(key, ROUND))[0]


@jax.jit
def scores(params: Params, users: Float[Array, 'Q D'], items: Float[Array, 'I D']) -> Float[Array, 'Q I']:
  """Returns the scores of users with all items, one user after another."""
  return jax.lax.map(lambda user: score(params, user[None], items), users)


def scaled(vectors: Float[np.ndarray, 'n D'], rows: Int[np.ndarray, ' m']) -> Float[np.ndarray, 'm D']:
  """Returns rows of embeddings around their mean in units of their deviation; 0 for rows that are not there (-1)."""
  chosen = np.where((rows >= 0)[:, None], vectors[np.maximum(rows, 0)], np.nan)
  middle, size = np.nanmean(chosen, 0), np.nanstd(chosen)
  return np.nan_to_num((chosen - middle) / (size if size > 0 else 1)).astype(np.float32)


def num_params(params: Params) -> int:
  """Returns how many numbers a ranker holds."""
  return sum(leaf.size for leaf in params.values())
