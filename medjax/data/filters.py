"""What is already known: the answers that filtered evaluation leaves out, and the categories of relations."""

from jaxtyping import Bool, Int, Int32, Int64, Shaped
import numpy as np

from medjax.core import sides
from medjax.core.sides import Side

CHUNK = 1 << 20  # triples looked at once
SHIFT = 31  # ids are below 2**31, so two of them fit in one int64
Facts = Int[np.ndarray, '_ 3'] | tuple[Int[np.ndarray, '_ 3'], ...]  # triples of all splits, in one array or several


def known_keys(
  triples: Facts, queries: Int[np.ndarray, 'Q 3'], side: Side
) -> tuple[Int64[np.ndarray, ' Q'], Int64[np.ndarray, ' keys']]:
  """The known facts that answer some queries, as sorted keys.

  Args:
    triples: int [M, 3] of all splits, or a tuple of such arrays; they are walked in chunks, so they may be
      memory-mapped.
    queries: int32 [Q, 3]. With side 'tail' query i asks for the tails of (head, relation); with 'head' for the
      heads of (relation, tail).
    side: 'tail' or 'head'.

  Returns:
    questions: int64 [Q], queries that ask the same have the same number.
    keys: int64, sorted, each once: entity e is known to answer query i if questions[i] << SHIFT | e is among them.
      A query's own answer is, even where `triples` lacks it.

  Raises:
    ValueError: any other side.
  """
  given, asked = sides.columns(side)
  pair = lambda rows: rows[:, given].astype(np.int64) << SHIFT | rows[:, 1]
  distinct, questions = np.unique(pair(queries), return_inverse=True)
  found = [questions << SHIFT | queries[:, asked]]
  for part in (triples,) if isinstance(triples, np.ndarray) else triples:
    for first in range(0, len(part) if len(distinct) else 0, CHUNK):
      rows = np.asarray(part[first : first + CHUNK])
      question = np.minimum(np.searchsorted(distinct, pair(rows)), len(distinct) - 1)
      rows, question = (values[distinct[question] == pair(rows)] for values in (rows, question))
      found.append(question << SHIFT | rows[:, asked])
  return questions, np.unique(np.concatenate(found))


def known_answers(
  triples: Facts, queries: Int[np.ndarray, 'Q 3'], side: Side
) -> tuple[Int64[np.ndarray, ' Q+1'], Int32[np.ndarray, ' answers']]:
  """All entities known to answer each query.

  Args:
    triples, queries, side: see `known_keys`.

  Returns:
    offsets: int64 [Q + 1].
    answers: int32 [offsets[-1]]; those of query i are answers[offsets[i]:offsets[i + 1]], sorted, each once,
      its own answer among them even where `triples` lacks it.

  The filtered setting is that of Bordes et al. 2013, "Translating Embeddings for Modeling Multi-relational
  Data".
  """
  questions, keys = known_keys(triples, queries, side)
  start = np.searchsorted(keys, questions << SHIFT)
  end = np.searchsorted(keys, (questions + 1) << SHIFT)
  offsets = np.concatenate([[0], np.cumsum(end - start)]).astype(np.int64)
  index = np.arange(offsets[-1]) + np.repeat(start - offsets[:-1], end - start)
  return offsets, (keys[index] & ((1 << SHIFT) - 1)).astype(np.int32)


def contains(keys: Int64[np.ndarray, ' keys'], values: Int64[np.ndarray, '...']) -> Bool[np.ndarray, '...']:
  """Whether values are among sorted keys, of which there is at least one."""
  return keys[np.minimum(np.searchsorted(keys, values), len(keys) - 1)] == values


def relation_categories(train: Int[np.ndarray, 'M 3'], num_relations: int) -> Shaped[np.ndarray, ' R']:
  """The category of each relation: '1-1', '1-N', 'N-1' or 'N-N'.

  A side counts as N if it has 1.5 or more distinct entities, on average, per entity of the other side: '1-N'
  means that a head has many tails (Bordes et al. 2013, section 4.2). A relation without triples is '1-1'.

  Args:
    train: int [M, 3].
    num_relations: R.

  Returns:
    Array of str, [R].
  """
  distinct = np.unique(train, axis=0)

  def per_relation(columns):
    return np.bincount(np.unique(distinct[:, columns], axis=0)[:, 0], minlength=num_relations)

  return categories(np.bincount(distinct[:, 1], minlength=num_relations), per_relation([1, 0]), per_relation([1, 2]))


def categories(
  triples: Int[np.ndarray, ' R'], heads: Int[np.ndarray, ' R'], tails: Int[np.ndarray, ' R']
) -> Shaped[np.ndarray, ' R']:
  """The categories of relations by their numbers of triples, distinct heads and distinct tails, [R] each."""
  tails_per_head = triples / np.maximum(heads, 1)
  heads_per_tail = triples / np.maximum(tails, 1)
  names = np.array([['1-1', '1-N'], ['N-1', 'N-N']])
  return names[(heads_per_tail >= 1.5).astype(int), (tails_per_head >= 1.5).astype(int)]
