"""What a user holds: a loaded, perhaps cropped, model that scores and predicts by label."""

from collections.abc import Sequence
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float
import numpy as np
import pandas as pd

from medjax import errors
from medjax.core import axes as axes_lib
from medjax.core import sides
from medjax.core.sides import Side
from medjax.core.widths import Widths
from medjax.data.graph import Graph
from medjax.saved import artifact, graph_files, restore
from medjax.saved.files import Path
from medjax.scores.contract import Params, Table
from medjax.serve.vocabulary import Vocabulary, vocabulary

CHUNK = 8192  # entities scored at once
Names = str | int | Sequence[str | int]  # one label, identifier or id, or several


class Model(NamedTuple):
  """A model of one width, with its narrower sub-models inside it.

  >>> model = medjax.load(folder, width=8)  # the folder of a run or cropped model
  >>> model.width, model.widths.values
  (8, (4, 8))
  >>> model.predict_tails('e03', 'next', k=3).columns.tolist()
  ['label', 'score', 'rank', 'in_training']
  >>> model.crop(4).score('e03', 'next', 'e04') == medjax.load(folder, width=4).score('e03', 'next', 'e04')
  True

  Attributes:
    description: what the numbers mean, with the affine map of every width.
    params: {'entity': {...}, 'relation': {...}}, float32 leaves, croppable axis last.
    graph: the vocabularies and triples that it was trained on.
  """

  description: artifact.Description
  params: Params
  graph: Graph

  @property
  def width(self) -> int:
    """Numbers per entity."""
    return self.widths.full

  @property
  def widths(self) -> Widths:
    """Its trained widths."""
    return self.description.make_widths()

  @property
  def entities(self) -> Vocabulary:
    """Identifiers and labels of the entities."""
    return vocabulary('entity', self.graph)

  @property
  def relations(self) -> Vocabulary:
    """Identifiers and labels of the relations."""
    return vocabulary('relation', self.graph)

  def crop(self, width: int) -> 'Model':
    """Returns the sub-model of a trained width; raises errors.WidthError otherwise."""
    description = self.description.up_to(width)
    return Model(description, axes_lib.crop(self.params, self.description.make_score().axes, width), self.graph)

  def save(self, folder: Path) -> None:
    """Writes a standalone model: model.json, model.safetensors, the vocabularies and the triples."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    graph_files.write_graph(folder, self.graph)
    artifact.write_params(folder, self.params)
    artifact.write_description(folder, self.description)

  def score(self, head: Names, relation: Names, tail: Names) -> float | Float[np.ndarray, ' Q']:
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
      raise ValueError(
        f'heads, relations and tails are {", ".join(map(str, lengths))} in number; give equally many, or one'
      )
    if not length:
      return np.zeros(0, np.float32)
    columns = [column * length if len(column) == 1 else column for column in columns]
    finders = (self.entities, self.relations, self.entities)
    heads, relations, tails = ([finder.find(name) for name in column] for finder, column in zip(finders, columns))
    score, entity = self.description.make_score(), self.params['entity']
    query = score.tail_query(pick(entity, heads), pick(self.params['relation'], relations))
    raw = score.scores_by_width(query, pick(entity, tails), self._last)[:, 0]
    result = self.description.offset[-1] + self.description.scale[-1] * np.asarray(raw)
    return float(result[0]) if single and length == 1 else result

  def predict_tails(
    self, head: str | int, relation: str | int, k: int = 10, filter_known: bool = False
  ) -> pd.DataFrame:
    """Returns the k most plausible tails as a DataFrame: label, score, rank, in_training.

    Args:
      head, relation: labels or identifiers.
      k: how many.
      filter_known: leave out the answers that the training triples hold.
    """
    return self._predict('tail', self.entities.find(head), self.relations.find(relation), k, filter_known)

  def predict_heads(
    self, relation: str | int, tail: str | int, k: int = 10, filter_known: bool = False
  ) -> pd.DataFrame:
    """Returns the k most plausible heads; see `predict_tails`."""
    return self._predict('head', self.entities.find(tail), self.relations.find(relation), k, filter_known)

  @property
  def _last(self) -> Widths:
    return Widths((self.width,), self.widths.components, self.widths.block)

  def _predict(self, side: Side, anchor: int, relation: int, k: int, filter_known: bool) -> pd.DataFrame:
    values = self.score_all(side, anchor, relation)
    train, (given, answer) = self.graph.train, sides.columns(side)
    known = np.unique(train[(train[:, given] == anchor) & (train[:, 1] == relation), answer])
    in_training = np.isin(np.arange(len(values)), known)
    order = np.argsort(-values, kind='stable')
    if filter_known:
      order = order[~in_training[order]]
    order = order[:k]
    return pd.DataFrame(
      {
        'label': [self.entities.labels[i] for i in order],
        'score': values[order],
        'rank': np.arange(1, len(order) + 1),
        'in_training': in_training[order],
      }
    )

  def score_all(self, side: Side, anchor: int, relation: int) -> Float[np.ndarray, ' E']:
    """Returns the scores of all entities as the answer of a query by ids, float32 [E]."""
    score, entity = self.description.make_score(), self.params['entity']
    query = score.query(side)(pick(entity, [anchor]), pick(self.params['relation'], [relation]))
    size = len(next(iter(entity.values())))
    parts = [
      score.scores_by_width(query, pick(entity, slice(first, first + CHUNK)), self._last)
      for first in range(0, size, CHUNK)
    ]
    raw = np.concatenate([np.asarray(part)[:, 0] for part in parts])
    return self.description.offset[-1] + self.description.scale[-1] * raw


def pick(table: Table, ids: Any) -> Table:
  """Rows of every leaf of a table, on the device."""
  return {name: jnp.asarray(leaf[ids]) for name, leaf in table.items()}


def load(
  folder: Path,
  width: int | None = None,
  *,
  truncate_dim: int | None = None,
  dimensions: int | None = None,
  step: int | None = None,
) -> Model:
  """Loads a trained run or a cropped model.

  >>> medjax.load(folder).width, medjax.load(folder, truncate_dim=4).width
  (12, 4)

  Args:
    folder: a workdir or the output of a crop.
    width: a trained width; None is the full one. Of a run, only what this width needs is read.
    truncate_dim, dimensions: other names for `width`, as in sentence-transformers and embedding services.
    step: of a run, the checkpoint; None is the best by validation, else the latest.

  Returns:
    A `Model`.

  Raises:
    errors.ArtifactError, errors.CheckpointError: something is missing or damaged.
    errors.WidthError: a width that was not trained; the message names the nearest ones.
  """
  given = {value for value in (width, truncate_dim, dimensions) if value is not None}
  if len(given) > 1:
    raise errors.WidthError(f'width, truncate_dim and dimensions are one thing, but were given as {sorted(given)}')
  folder = pathlib.Path(folder)
  description = artifact.read_description(folder)
  graph = graph_files.read_graph(folder, description.source)
  wanted = given.pop() if given else description.widths[-1]
  if (folder / artifact.WEIGHTS).exists():
    params = artifact.read_params(folder)
    check_shapes(folder, description, graph, params)
    return Model(description, params, graph).crop(wanted)
  return Model(*restore.sub_model(folder, description, graph, wanted, step), graph)


def check_shapes(folder: pathlib.Path, description: artifact.Description, graph: Graph, params: Params) -> None:
  """Raises errors.ArtifactError unless the tables of a cropped model fit its description and vocabularies."""
  like = jax.eval_shape(
    lambda: description.make_score().init(
      jax.random.key(0), graph.num_entities, graph.num_relations, description.widths[-1]
    )
  )
  shapes = lambda tree: {
    f'{table}.{name}': tuple(leaf.shape) for table, leaves in tree.items() for name, leaf in leaves.items()
  }
  if shapes(params) != shapes(like):
    raise errors.ArtifactError(
      f'{folder / artifact.WEIGHTS} holds tables of shapes {shapes(params)}, but '
      f'model.json, entities.tsv and relations.tsv call for {shapes(like)}; '
      'crop or train anew'
    )
