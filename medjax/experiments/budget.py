"""What a training or an evaluation will need of memory, by arithmetic, before anything of it is made.

Tables, moments and gradients are counted exactly. What a step holds of its batch is counted in gathered rows and in
scores, times what XLA's programs were measured to keep of them; `python -m benchmarks.budget` compares all of it with
measured peaks.
"""

from typing import NamedTuple

import jax
from jaxtyping import PyTree

from medjax.config.fields import Config
from medjax.core import memory, sub_models
from medjax.core.widths import Widths
from medjax.data.graph import Graph
from medjax.evaluation import ranking
from medjax.kge import batches
from medjax.objectives import nested_softmax
from medjax.scores.contract import Score

FLOAT = 4  # bytes
PROGRAM = 220 * 2**20  # bytes that compiling and running programs, and what they import on the way, take
RUN = 16 * 2**20  # further bytes that compiling each run of such a walk takes, see `nested_softmax.runs`
DRAWN = 64 * 2**20  # further bytes that programs take which lay out what a step draws, see `sub_models.segments`
SAVED = 0.5  # times what a checkpoint holds that writing it takes besides
ROWS = 1.5  # times the gathered rows of a batch that a step keeps at its peak: themselves, and some of their gradient
MORE = 1.5  # further times, for every time that a query has as many numbers as an entity besides
TOUCHED = 1.25  # times the rows for every copy of a table of the rows that a batch touches, under sparse updates
SCORES = 7.0  # times the scores of all its sub-models: raw ones, margins, weights and gradients
WALKED = 2.7  # times the scores of one sub-model, where those of inner products are walked over block by block
SUMMED = 1.4  # further times, for every sum of blocks that such a walk keeps
LEARNED = 3.2  # the same where sub-models learn from each other
TRIPLE = 120  # bytes that a triple takes where known answers are looked up, and on the device
TILES = 8  # tables of scores of a chunk that a worker of an evaluation holds
MOMENTS = {'adam': 2, 'adagrad': 1}


class Size(NamedTuple):
  """How large a graph is: its entities, relations, training triples, and the triples of all splits."""

  entities: int
  relations: int
  train: int
  triples: int


def size_of(graph: Graph) -> Size:
  """Returns the `Size` of a graph."""
  return Size(graph.num_entities, graph.num_relations, len(graph.train), sum(map(len, graph.splits)))


class Budget(NamedTuple):
  """Bytes that work needs at its peak, on the device that holds most, or in this process.

  Attributes:
    tables: parameters, moments and a gradient, or what an evaluation holds of them.
    batch: what is made of a batch.
    rest: triples, ranks, and compiled programs.
  """

  tables: float
  batch: float
  rest: float

  @property
  def total(self) -> float:
    """All of it."""
    return sum(self)


def training(config: Config, score: Score, widths: Widths, size: Size, data: int = 1, split: int = 1) -> Budget:
  """Returns the `Budget` of a training, the evaluation at its end included.

  Args:
    config: the resolved `Config`.
    score, widths: of its model.
    size: of its graph.
    data, split: shares of the batch and of the dimensions, see `training.parallel.Layout`.
  """
  train = batches.settled(config.train, size.entities)
  of_entity, of_relation, of_query = numbers(score)
  columns = widths.full // widths.components / split
  tables = FLOAT * columns * (of_entity * size.entities + of_relation * size.relations)
  batch, candidates = train.batch / data, train.negatives or size.entities
  sets = batch / train.share_negatives if train.negatives else 1
  rows = of_entity * (sets * candidates + 2 * batch) + of_relation * batch
  gathered, scores = FLOAT * columns * rows, FLOAT * batch * candidates
  trained = sub_models.drawings(config.objective.sub_models, widths.values)
  ends = widths.values if trained is None else sub_models.segment_ends(widths.values, trained)
  copies = 1 + MOMENTS[train.optimizer]
  kept = ROWS + MORE * (of_query / of_entity - 1)
  program = PROGRAM + TRIPLE * size.triples
  if config.objective.loss == 'softmax' and score.inner_product and sets < batch:
    sums = nested_softmax.sums_kept(int(batch * candidates), ends)
    made = kept * gathered + scores * (WALKED + sums * (LEARNED if config.objective.mutual else SUMMED))
    program += RUN * len(list(nested_softmax.runs(ends))) + DRAWN * (trained is not None)
  else:
    made = max(kept * gathered, gathered + SCORES * scores * len(ends))
  if train.sparse_updates:
    made += TOUCHED * copies * gathered
  held, gradient = copies * tables, (not train.sparse_updates) * tables
  looked = evaluation(score, widths, size, config.eval.batch)
  at_peaks = (
    Budget(held + gradient, made, program),
    Budget((1 + SAVED) * held, 0, program),
    looked._replace(rest=program),
  )
  return max(at_peaks, key=lambda peak: peak.total)


def evaluation(score: Score, widths: Widths, size: Size, batch: int) -> Budget:
  """Returns the `Budget` of ranking a split of a graph among all entities, `batch` queries at once."""
  of_entity, of_relation, _ = numbers(score)
  columns = widths.full // widths.components
  tables = FLOAT * columns * (of_entity * size.entities + of_relation * size.relations)
  queries = min(batch, ranking.CHUNK, size.entities)
  tile = FLOAT * ranking.CHUNK * (TILES * queries + 4 * of_entity * columns)
  return Budget(2 * tables, ranking.processors() * tile, PROGRAM + TRIPLE * size.triples)


def numbers(score: Score) -> tuple[int, int, int]:
  """Returns how many numbers an entity, a relation and a query have for each component of a score."""

  def one() -> tuple[PyTree, PyTree, PyTree]:
    tables = score.init(jax.random.key(0), 1, 1, score.components)
    return tables['entity'], tables['relation'], score.tail_query(tables['entity'], tables['relation'])

  entity, relation, query = (sum(leaf.size for leaf in jax.tree.leaves(part)) for part in jax.eval_shape(one))
  return entity, relation, query


def there() -> float:
  """Returns the bytes that are left where a training lies: on an accelerator what its device tells, else in memory."""
  told = jax.local_devices()[0].memory_stats() if jax.default_backend() != 'cpu' else None
  return memory.available() if not told else told['bytes_limit'] - told.get('bytes_in_use', 0)


def check(budget: Budget, what: str) -> None:
  """Raises TooLarge for work that is hopeless, and names the fields that would change it."""
  if budget.batch > budget.tables:
    remedy = 'Lower config.train.batch or config.train.negatives, or let positives share theirs'
  else:
    remedy = 'Lower the last of config.model.widths, or split the dimensions over devices'
  memory.check(budget.total, what, remedy, there())
