"""What a user holds: a loaded, perhaps cropped, model that scores and predicts by label."""
import collections
import difflib
import functools
import pathlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from medjax import artifact
from medjax import crop
from medjax.data import labels as labels_lib
from medjax.training import restore

CHUNK = 8192  # entities scored at once


class UnknownLabel(KeyError):
  """An entity or relation that the model does not know; the message names the nearest ones."""

  def __str__(self):
    return self.args[0]


class Vocabulary:
  """Finds ids by identifier or label; a label that several entries share is told apart as 'label (identifier)'."""

  def __init__(self, kind, identifiers, labels):
    self.kind, self.identifiers = kind, identifiers
    self.labels = labels_lib.unique_labels(labels, identifiers)
    self._ids = {label: i for i, label in enumerate(self.labels)} | {name: i for i, name in enumerate(identifiers)}
    folded = collections.Counter(label.casefold() for label in self.labels)
    self._folded = {label.casefold(): i for i, label in enumerate(self.labels) if folded[label.casefold()] == 1}

  def find(self, name):
    """Returns the id of an identifier, else of a label, else of a label in another case; ids may be given as ints.

    Raises:
      UnknownLabel: nothing, or several labels that differ only in case, is called so; the nearest are named.
    """
    if isinstance(name, (int, np.integer)) and not isinstance(name, bool) and 0 <= name < len(self.labels):
      return int(name)
    found = self._ids.get(name, self._folded.get(name.casefold())) if isinstance(name, str) else None
    if found is None:
      near = difflib.get_close_matches(str(name).casefold(), self._folded, n=3, cutoff=0.5)
      hint = f'; near it: {", ".join(repr(self.labels[self._folded[n]]) for n in near)}' if near else ''
      raise UnknownLabel(f'the model has no {self.kind} {name!r}{hint}')
    return found


class Model(NamedTuple):
  """A model of one width, with its narrower sub-models inside it.

  Attributes:
    description: what the numbers mean, with the affine map of every width.
    params: {'entity': {...}, 'relation': {...}}, float32 leaves, croppable axis last.
    graph: the vocabularies and triples that it was trained on.
  """
  description: artifact.Description
  params: dict
  graph: object

  @property
  def width(self):
    """Numbers per entity."""
    return self.widths.full

  @property
  def widths(self):
    return self.description.make_widths()

  @property
  def entities(self):
    return _vocabulary('entity', self.graph)

  @property
  def relations(self):
    return _vocabulary('relation', self.graph)

  def crop(self, width):
    """Returns the sub-model of a trained width; raises crop.WidthError otherwise."""
    description = self.description.up_to(width)
    return Model(description, crop.crop(self.params, width, description.make_widths().components), self.graph)

  def save(self, folder):
    """Writes a standalone model: model.json, model.safetensors, the vocabularies and the triples."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    artifact.write_graph(folder, self.graph)
    artifact.write_params(folder, self.params)
    artifact.write_description(folder, self.description)

  def score(self, head, relation, tail):
    """Returns the score of one triple, or an array of the scores of equally long lists, by label.

    With reciprocal relations it is that of the query for the tail, which `predict_heads` does not ask.

    Raises:
      UnknownLabel: an entity or relation that the model does not know.
    """
    single = isinstance(head, (str, int, np.integer))
    columns = [[name] if isinstance(name, (str, int, np.integer)) else list(name) for name in (head, relation, tail)]
    lengths = [len(column) for column in columns]
    length = max(lengths)
    if not set(lengths) <= {1, length}:
      raise ValueError(f'heads, relations and tails are {", ".join(map(str, lengths))} in number; give equally many, '
                       'or one')
    if not length:
      return np.zeros(0, np.float32)
    columns = [column * length if len(column) == 1 else column for column in columns]
    finders = (self.entities, self.relations, self.entities)
    heads, relations, tails = ([finder.find(name) for name in column] for finder, column in zip(finders, columns))
    score, entity = self.description.make_score(), self.params['entity']
    query = score.tail_query(pick(entity, heads), pick(self.params['relation'], relations))
    raw = score.sums(query, pick(entity, tails), self._last)[:, 0]
    result = self.description.offset[-1] + self.description.scale[-1] * np.asarray(raw)
    return float(result[0]) if single and length == 1 else result

  def predict_tails(self, head, relation, k=10, filter_known=False):
    """Returns the k most plausible tails as a DataFrame: label, score, rank, in_training.

    Args:
      head, relation: labels or identifiers.
      k: how many.
      filter_known: leave out the answers that the training triples hold.
    """
    return self._predict('tail', self.entities.find(head), self.relations.find(relation), k, filter_known)

  def predict_heads(self, relation, tail, k=10, filter_known=False):
    """Returns the k most plausible heads; see `predict_tails`."""
    return self._predict('head', self.entities.find(tail), self.relations.find(relation), k, filter_known)

  @property
  def _last(self):
    return crop.Widths((self.width,), self.widths.components, self.widths.block)

  def _predict(self, side, anchor, relation, k, filter_known):
    values = self.score_all(side, anchor, relation)
    train, (asked, answer) = self.graph.train, ((0, 2) if side == 'tail' else (2, 0))
    known = np.unique(train[(train[:, asked] == anchor) & (train[:, 1] == relation), answer])
    in_training = np.isin(np.arange(len(values)), known)
    order = np.argsort(-values, kind='stable')
    if filter_known:
      order = order[~in_training[order]]
    order = order[:k]
    return pd.DataFrame({'label': [self.entities.labels[i] for i in order], 'score': values[order],
                         'rank': np.arange(1, len(order) + 1), 'in_training': in_training[order]})

  def score_all(self, side, anchor, relation):
    """Returns the scores of all entities as the answer of a query by ids, float32 [E]."""
    score, entity = self.description.make_score(), self.params['entity']
    query = (score.tail_query if side == 'tail' else score.head_query)(
        pick(entity, [anchor]), pick(self.params['relation'], [relation]))
    size = len(next(iter(entity.values())))
    parts = [score.sums(query, pick(entity, slice(first, first + CHUNK)), self._last)
             for first in range(0, size, CHUNK)]
    raw = np.concatenate([np.asarray(part)[:, 0] for part in parts])
    return self.description.offset[-1] + self.description.scale[-1] * raw


def pick(table, ids):
  """Rows of every leaf of a table, on the device."""
  return {name: jnp.asarray(leaf[ids]) for name, leaf in table.items()}


@functools.lru_cache(maxsize=8)
def _vocabulary(kind, graph):
  if kind == 'entity':
    return Vocabulary(kind, graph.entities, graph.entity_labels)
  return Vocabulary(kind, graph.relations, graph.relation_labels)


def load(folder, width=None, *, truncate_dim=None, dimensions=None, step=None):
  """Loads a trained run or a cropped model.

  Args:
    folder: a workdir or the output of a crop.
    width: a trained width; None is the full one. Of a run, only what this width needs is read.
    truncate_dim, dimensions: other names for `width`, as in sentence-transformers and embedding services.
    step: of a run, the checkpoint; None is the best by validation, else the latest.

  Returns:
    A `Model`.

  Raises:
    artifact.ArtifactError, checkpoint.CheckpointError: something is missing or damaged.
    crop.WidthError: a width that was not trained; the message names the nearest ones.
  """
  given = {value for value in (width, truncate_dim, dimensions) if value is not None}
  if len(given) > 1:
    raise crop.WidthError(f'width, truncate_dim and dimensions are one thing, but were given as {sorted(given)}')
  folder = pathlib.Path(folder)
  description = artifact.read_description(folder)
  graph = artifact.read_graph(folder, description.source)
  wanted = given.pop() if given else description.widths[-1]
  if (folder / artifact.WEIGHTS).exists():
    params = artifact.read_params(folder)
    check_shapes(folder, description, graph, params)
    return Model(description, params, graph).crop(wanted)
  return Model(*restore.sub_model(folder, description, graph, wanted, step), graph)


def check_shapes(folder, description, graph, params):
  """Raises artifact.ArtifactError unless the tables of a cropped model fit its description and vocabularies."""
  like = jax.eval_shape(lambda: description.make_score().init(
      jax.random.key(0), graph.num_entities, graph.num_relations, description.widths[-1]))
  shapes = lambda tree: {f'{table}.{name}': tuple(leaf.shape) for table, leaves in tree.items()
                         for name, leaf in leaves.items()}
  if shapes(params) != shapes(like):
    raise artifact.ArtifactError(f'{folder / artifact.WEIGHTS} holds tables of shapes {shapes(params)}, but '
                                 f'model.json, entities.tsv and relations.tsv call for {shapes(like)}; '
                                 'crop or train anew')
