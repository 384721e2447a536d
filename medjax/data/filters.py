"""What is already known: the answers that filtered evaluation leaves out, and the categories of relations."""
import numpy as np


def known_answers(triples, queries, side):
  """All entities known to answer each query.

  Args:
    triples: int [M, 3], all splits together.
    queries: int [Q, 3]. With side 'tail' query i asks for the tails of (head, relation); with 'head' for the
      heads of (relation, tail).
    side: 'tail' or 'head'.

  Returns:
    offsets: int64 [Q + 1].
    answers: int32 [offsets[-1]]; those of query i are answers[offsets[i]:offsets[i + 1]], sorted, each once,
      its own answer among them even where `triples` lacks it.

  Raises:
    ValueError: any other side.

  The filtered setting is that of Bordes et al. 2013, "Translating Embeddings for Modeling Multi-relational
  Data".
  """
  if side not in ('tail', 'head'):
    raise ValueError(f"side is {side!r}, but has to be 'tail' or 'head'.")
  given, asked = (0, 2) if side == 'tail' else (2, 0)
  facts = np.concatenate([triples, queries]).astype(np.int64)
  num_relations = facts[:, 1].max(initial=0) + 1
  _, question = np.unique(facts[:, given] * num_relations + facts[:, 1], return_inverse=True)
  # questions are numbered first, so that the joint key stays below M * E and cannot overflow
  size = facts[:, asked].max(initial=0) + 1
  keys = np.unique(question * size + facts[:, asked])
  own = question[len(triples):]
  start = np.searchsorted(keys, own * size)
  end = np.searchsorted(keys, (own + 1) * size)
  offsets = np.concatenate([[0], np.cumsum(end - start)]).astype(np.int64)
  index = np.arange(offsets[-1]) + np.repeat(start - offsets[:-1], end - start)
  return offsets, (keys[index] % size).astype(np.int32)


def relation_categories(train, num_relations):
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

  triples = np.bincount(distinct[:, 1], minlength=num_relations)
  tails_per_head = triples / np.maximum(per_relation([1, 0]), 1)
  heads_per_tail = triples / np.maximum(per_relation([1, 2]), 1)
  names = np.array([['1-1', '1-N'], ['N-1', 'N-N']])
  return names[(heads_per_tail >= 1.5).astype(int), (tails_per_head >= 1.5).astype(int)]
