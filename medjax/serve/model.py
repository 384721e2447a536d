"""What a user holds: a loaded, perhaps cropped, model that scores and predicts by label. It needs no JAX."""

from collections.abc import Iterable, Mapping, Sequence
import dataclasses
import functools
import pathlib
from typing import Any, TYPE_CHECKING

from jaxtyping import Float, Float32
import numpy as np

from medjax import errors
from medjax.core.sides import Side
from medjax.core.widths import Widths
from medjax.data.graph import Graph
from medjax.saved import artifact, graph_files, manifest, sealing
from medjax.saved.files import Path
from medjax.serve import answers, funnel, known, probability, search, spaces, vectors
from medjax.serve.answers import Answers, Asking
from medjax.serve.funnel import Funnel
from medjax.serve.probability import Calibration
from medjax.serve.spaces import Space
from medjax.serve.vocabulary import text_column, Vocabulary, vocabulary

if TYPE_CHECKING:
  import pandas as pd

Name = str | int  # a label or identifier
Names = Name | Sequence[Name]  # one, or several


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Model:
  """A model of one width, with its narrower sub-models inside it.

  >>> model = medjax.load(folder, width=8)  # the folder of a run or cropped model
  >>> model.width, model.widths.values
  (8, (4, 8))
  >>> model.predict_tails('e03', 'next', k=3).columns.tolist()
  ['label', 'score', 'rank', 'known']
  >>> model.crop(4).score('e03', 'next', 'e04') == medjax.load(folder, width=4).score('e03', 'next', 'e04')
  True

  Attributes:
    description: what the numbers mean, with the affine map of every width.
    params: {'entity': {...}, 'relation': {...}}, float32 leaves, croppable axis last.
    graph: the vocabularies, and the triples if they are there.
    calibrations: {width: `Calibration`}, if it was calibrated.
    funnel: what finds the best entities faster than by the scores of all, if it was asked for (`with_funnel`).
  """

  description: artifact.Description
  params: dict[str, dict[str, Any]]
  graph: Graph
  calibrations: Mapping[int, Calibration] = dataclasses.field(default_factory=dict)
  funnel: Funnel | None = None

  def __repr__(self) -> str:
    size = sum(leaf.nbytes for table in self.params.values() for leaf in table.values())
    known_triples = sum(map(len, self.graph.splits)) if self.has_triples else 0
    return (
      f'medjax.Model {self.graph.name or "(no name)"}: {self.description.score} of width {self.width}, '
      f'{size / 2**20:.1f} MiB\n'
      f'  widths {short_list(self.widths.values)}\n'
      f'  {len(self.graph.entities):,} entities, {len(self.graph.relations):,} relations, '
      f'{known_triples:,} known triples'
    )

  @property
  def width(self) -> int:
    """Numbers per entity."""
    return self.widths.full

  @functools.cached_property
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

  @property
  def has_triples(self) -> bool:
    """Whether it carries triples, by which answers are told to be known."""
    return self.graph.has_triples

  @property
  def metric(self) -> str | None:
    """The metric under which query vectors find their answers: 'ip', 'l1' or 'l2'; None: no metric of vectors does."""
    return vectors.metric(self.description.score)

  @functools.cached_property
  def space(self) -> Space:
    """Its entities, laid out for questions."""
    return spaces.make(self)

  def crop(self, width: int) -> 'Model':
    """Returns the sub-model of a trained width; raises errors.WidthError otherwise."""
    description = self.description.up_to(width)
    length = width // self.widths.components
    cut = lambda leaves: {name: np.ascontiguousarray(leaf[:, :length]) for name, leaf in leaves.items()}
    params = {table: cut(leaves) for table, leaves in self.params.items()}
    return Model(description, params, self.graph, self.calibrations)

  def with_funnel(self, stages: Sequence[int] | None = None, keep: int | None = None) -> 'Model':
    """Returns the model with a funnel, through which `predict_tails`, `predict_heads` and `predict` look for entities.

    Their answers stay exact: of what the first numbers of every embedding rule out, the rest is not read. That pays for
    many entities and distances (see "Exact top-k by funnel" in docs/benchmarks.md). A crop has no funnel.

    Args:
      stages: widths at which entities are ruled out, ascending; None chooses about 1/2 and 3/4 of the width, or 1/4
        with `keep`.
      keep: do not prove anything, but score only as many entities as this, the best at the first width; then answers
        may be missed.

    Raises:
      errors.WidthError: stages that the score cannot represent, or that are not below the width.
      errors.FormatError: a PairRE model, whose narrow scores rule out nothing.
    """
    return dataclasses.replace(self, funnel=funnel.make(self, stages, keep))

  def save(self, folder: Path, dtype: str = 'float32') -> None:
    """Writes a standalone model: model.json, model.safetensors, the vocabularies, and triples and calibrations if any.

    Args:
      folder: where; it is made.
      dtype: how numbers are stored: 'float32', 'float16' or 'int8'.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / manifest.FILE).unlink(missing_ok=True)
    artifact.write_params(folder, self.params, dtype)
    graph_files.write_graph(folder, self.graph)
    if own := {width: one for width, one in self.calibrations.items() if width <= self.width}:
      probability.write(folder, own)
    artifact.write_description(folder, self.description)
    sealing.write(folder, artifact.FILES)

  def score(self, head: Names, relation: Names, tail: Names) -> float | Float[np.ndarray, ' Q']:
    """Returns the score of one triple, or an array of those of equally long lists, by label: higher is more plausible.

    With reciprocal relations it is that of the query for the tail, which `predict_heads` does not ask.

    Raises:
      UnknownLabel: an entity or relation that the model does not know.
    """
    (heads, relations, tails), single = self._ids(head=head, relation=relation, tail=tail)
    result = self.affine(spaces.pairs(self, 'tail', heads, relations, tails))
    return float(result[0]) if single else result

  def score_all(self, side: Side, anchor: int, relation: int) -> Float32[np.ndarray, ' E']:
    """Returns the scores of all entities as the answer of a query by ids, float32 [E]."""
    raw = spaces.raw_scores(self.space, vectors.query_rows(self, side, np.array([anchor]), np.array([relation])))
    return self.affine(raw[0])

  def probability(self, head: Names, relation: Names, tail: Names) -> float | Float[np.ndarray, ' Q']:
    """Returns how probable a triple is, or an array of several; see `Calibration` for what that means.

    Raises:
      errors.UsageError: the width was not calibrated.
      UnknownLabel: an entity or relation that the model does not know.
    """
    if self.width not in self.calibrations:
      raise errors.UsageError(
        f'width {self.width} has no probabilities; --mode=calibrate or medjax.calibrate fits them'
      )
    found = self.calibrations[self.width].probability(np.asarray(self.score(head, relation, tail)))
    return found if found.ndim else float(found)

  def affine(self, raw: Float32[np.ndarray, '...']) -> Float32[np.ndarray, '...']:
    """Returns the scores of raw scores; it changes no order."""
    return np.float32(self.description.offset[-1]) + np.float32(self.description.scale[-1]) * raw

  def predict_tails(
    self,
    head: Names,
    relation: Names,
    k: int = 10,
    filter_known: bool | Sequence[str] = False,
    itself: bool | None = None,
  ) -> 'pd.DataFrame':
    """Returns the k most plausible tails as a DataFrame: label, score, rank, known.

    `known` is the split of the graph that holds the triple, 'train', 'valid' or 'test', or ''; without triples there is
    no such column. A calibrated width also tells the `probability`. If several questions are asked at once, their head
    and relation stand in front.

    Args:
      head, relation: labels or identifiers; one, or equally many.
      k: how many.
      filter_known: leave out answers that the graph holds; or the names of the splits that count.
      itself: whether the head may be its own tail; None: if the graph has such a triple of that relation.

    Raises:
      UnknownLabel: an entity or relation that the model does not know.
    """
    (heads, relations), single = self._ids(head=head, relation=relation)
    asking = self.asking(k, filter_known, itself)
    found = answers.of_entities(self, 'tail', heads, relations, asking)
    return self._frame(found, {} if single else {'head': heads, 'relation': relations})

  def predict_heads(
    self,
    relation: Names,
    tail: Names,
    k: int = 10,
    filter_known: bool | Sequence[str] = False,
    itself: bool | None = None,
  ) -> 'pd.DataFrame':
    """Returns the k most plausible heads; see `predict_tails`."""
    (relations, tails), single = self._ids(relation=relation, tail=tail)
    asking = self.asking(k, filter_known, itself)
    found = answers.of_entities(self, 'head', tails, relations, asking)
    return self._frame(found, {} if single else {'relation': relations, 'tail': tails})

  def predict_relations(
    self, head: Names, tail: Names, k: int = 10, filter_known: bool | Sequence[str] = False
  ) -> 'pd.DataFrame':
    """Returns the k most plausible relations from head to tail, by their scores; see `predict_tails`."""
    (heads, tails), single = self._ids(head=head, tail=tail)
    found = answers.of_relations(self, heads, tails, self.asking(k, filter_known, None))
    return self._frame(found, {} if single else {'head': heads, 'tail': tails}, self.relations)

  def predict(
    self,
    queries: 'pd.DataFrame',
    k: int = 10,
    filter_known: bool | Sequence[str] = False,
    itself: bool | None = None,
  ) -> 'pd.DataFrame':
    """Answers a DataFrame of queries: columns head, relation and tail, of which each row lacks one.

    Returns:
      A DataFrame like those of `predict_tails`, with `query`, the row of the query, in front.

    Raises:
      errors.UsageError: a row that lacks none of the three, or several.
      UnknownLabel: an entity or relation that the model does not know.
    """
    from medjax.serve import queries as queries_lib

    return queries_lib.answer(self, queries, self.asking(k, filter_known, itself))

  def entity_vectors(self, entities: Names | None = None, frame: bool = False) -> Any:
    """Returns the vectors of entities, float32 [n, width]: of the named ones, or of all.

    The numbers of one component are neighbours, so the first w numbers are the vector of the sub-model of width w.

    Args:
      entities: labels or identifiers; None is all, in the order of `entities.labels`.
      frame: as a DataFrame whose index are the labels.
    """
    return self._vectors(vectors.entity_vectors(self), self.entities, entities, frame)

  def relation_vectors(self, relations: Names | None = None, frame: bool = False) -> Any:
    """Returns the vectors of relations; see `entity_vectors`."""
    return self._vectors(vectors.relation_vectors(self), self.relations, relations, frame)

  def query_vector(
    self, head: Names | None = None, relation: Names | None = None, tail: Names | None = None
  ) -> Float32[np.ndarray, '*Q D']:
    """Returns what to search the entities' vectors for, under `metric`: the vector [width] of a query, or [Q, width].

    Args:
      head, relation: the query for their tail; or
      relation, tail: the query for their head.

    Raises:
      errors.FormatError: the score has no metric of vectors.
    """
    if relation is None or (head is None) == (tail is None):
      raise ValueError('a query has a relation, and either a head or a tail')
    side: Side = 'tail' if tail is None else 'head'
    (anchors, relations), single = self._ids(**{'head': head} if tail is None else {'tail': tail}, relation=relation)
    found = vectors.query_vectors(self, side, anchors, relations)
    return found[0] if single else found

  def neighbours(self, entity: Name, k: int = 10) -> 'pd.DataFrame':
    """Returns the k entities whose vectors are nearest by their angle, as a DataFrame: label, cosine, rank."""
    import pandas as pd

    table, place = vectors.entity_vectors(self), self.entities.find(entity)
    sizes = np.linalg.norm(table, axis=1)
    cosine = table @ table[place] / np.maximum(sizes * sizes[place], np.finfo(np.float32).tiny)
    cosine[place] = -np.inf
    ids, best = (x[0] for x in search.top_k(cosine[None], min(positive(k), len(table) - 1)))
    labels = self.entities.labels
    return pd.DataFrame({'label': [labels[i] for i in ids], 'cosine': best, 'rank': np.arange(1, len(ids) + 1)})

  def _vectors(self, table, words, names, frame):
    single = isinstance(names, (str, int, np.integer))
    found, labels = table, words.labels
    if names is not None:
      ids = words.find_all([names] if single else names)
      found, labels = table[ids], [words.labels[i] for i in ids]
    if not frame:
      return found[0] if single else found
    import pandas as pd

    return pd.DataFrame(found, index=pd.Index(labels, name='label'))

  def _ids(self, **names: Any) -> tuple[list[np.ndarray], bool]:
    """The ids of names, int64 [Q] each in the order given, and whether all of them are one name."""
    words = {'head': self.entities, 'relation': self.relations, 'tail': self.entities}
    one = lambda name: isinstance(name, (str, int, np.integer))
    found = {kind: words[kind].find_all([name] if one(name) else name) for kind, name in names.items()}
    lengths = [len(ids) for ids in found.values()]
    length = 0 if 0 in lengths else max(lengths)
    if not set(lengths) <= {1, length}:
      kinds = [f'{kind}s' for kind in found]
      raise ValueError(
        f'{", ".join(kinds[:-1])} and {kinds[-1]} are {", ".join(map(str, lengths))} in number; '
        'give equally many, or one'
      )
    single = all(map(one, names.values()))
    return [np.broadcast_to(ids, length) if len(ids) == 1 else ids for ids in found.values()], single

  def asking(self, k: int = 10, filter_known: bool | Sequence[str] = False, itself: bool | None = None) -> Asking:
    """Returns how a question is asked; the arguments are those of `predict_tails`."""
    every = known.SPLITS if filter_known is True else ()
    splits = every if isinstance(filter_known, bool) else known.check_splits(filter_known)
    if splits and not self.has_triples:
      raise errors.UsageError('the model carries no triples, so none of its answers is known; crop it with its triples')
    return Asking(positive(k), splits, itself)

  def _frame(self, found: Answers, given: dict[str, Any], words: Vocabulary | None = None) -> 'pd.DataFrame':
    import pandas as pd

    labels = lambda words, ids: words.column.take(ids)
    front = {
      kind: labels(self.relations if kind == 'relation' else self.entities, ids[found.query])
      for kind, ids in given.items()
    }
    columns = front | {'label': labels(words or self.entities, found.ids), 'score': found.scores, 'rank': found.ranks}
    if calibration := self.calibrations.get(self.width):
      columns['probability'] = calibration.probability(found.scores)
    if found.splits is not None:
      columns['known'] = split_column().take(found.splits)  # `answers.UNKNOWN` is the last
    return pd.DataFrame(columns, index=pd.RangeIndex(len(found.ids)), copy=False)


@functools.cache
def split_column() -> Any:
  """The names of the splits and of none, as a column of pandas."""
  return text_column([*known.SPLITS, ''])


def positive(k: Any) -> int:
  """Returns a number of answers; raises ValueError for one that is none."""
  if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
    raise ValueError(f'k={k!r}: the number of answers has to be 1 or more')
  return int(k)


def short_list(values: Iterable[int], most: int = 8) -> str:
  """Returns numbers as text, of many only the first and the last.

  >>> short_list(range(10, 650, 10))
  '10, 20, 30, 40, ... 640 (64)'
  """
  values = list(values)
  if len(values) <= most:
    return ', '.join(map(str, values))
  return f'{", ".join(map(str, values[: most // 2]))}, ... {values[-1]} ({len(values)})'
