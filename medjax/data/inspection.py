"""A first look at a graph: what was understood, what its relations are like, and what a test would measure."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from jaxtyping import Int, Int64
import numpy as np
import pandas as pd

from medjax.core import terminal
from medjax.data import filters
from medjax.data.graph import Graph
from medjax.data.triples import SPLITS

CHUNK = 1 << 20  # triples looked at once
PAIRED = 0.5  # share of a relation's triples from which on another one counts as its inverse, or as the same
LEAST = 0.05  # below this share, a relation is not named as another one's inverse or parallel
TINY = 10  # training triples below which a relation is tiny
LEAKS = 0.1  # share of test triples from which on a leak is worth a word
SHOWN = 40  # relations in a table that is printed
LONG = 36  # characters of a name in it


class Inspection(NamedTuple):
  """What `inspect` finds.

  Attributes:
    graph: the `Graph`, with its files and notes.
    splits: DataFrame, a row for train, valid and test each: `triples`; how many of them are `loops`, from an entity
      to itself, or `repeated` in the split; and how many name an entity that is `unseen` in train, or are `in train`,
      there as their `inverse` (from tail to head by any relation), or there `parallel` (from head to tail by another).
    relations: DataFrame, a row for each: `relation`, its label; of train, `triples`, `heads`, `tails` (distinct ones)
      and `category`; `symmetric`, the share of its triples that hold the other way round too; `inverse` and `parallel`,
      the other relation by which most of its triples hold the other way round, or the same way; `inverse share`
      and `parallel share`, how many do ('' and 0 for fewer than one in twenty).
    inverses: pairs of relations, (relation, inverse), each of which says most of what the other says.
    advice: what a person may want to change.
  """

  graph: Graph
  splits: pd.DataFrame
  relations: pd.DataFrame
  inverses: tuple[tuple[str, str], ...]
  advice: tuple[str, ...]

  def __repr__(self) -> str:
    return describe(self)


def inspect(graph: Graph) -> Inspection:
  """Returns the `Inspection` of a graph; it takes the memory of a few copies of the triples."""
  train = np.unique(np.asarray(graph.train), axis=0)
  splits = pd.DataFrame({split: _split(graph, split, train) for split in SPLITS}).T
  relations = _relations(graph, train)
  inverses = _mutual(relations)
  return Inspection(graph, splits, relations, inverses, tuple(_advice(graph, splits, relations, inverses)))


def describe(found: Inspection) -> str:
  """Returns an inspection as text that is read on a terminal."""
  graph = found.graph
  lines = [f'{graph.name}: {graph.num_entities:,} entities, {graph.num_relations:,} relations', '', 'read from']
  lines += [
    f'  {file.name}: {file.form}; {file.triples:,} triples'
    + (f'; header {file.header}' if file.header else '; no header' if file.columns else '')
    + (f'; data.columns={file.columns}' if file.columns else '')
    for file in graph.files
  ] or ['  no files: a built or prepared graph']
  lines += ['', 'notes', *(f'  {note}' for note in graph.notes or ('none',))]
  lines += ['', 'triples, and how many of them are', found.splits.to_string()]
  shown = found.relations.sort_values('triples', ascending=False, kind='stable')[:SHOWN]
  formats: dict[str, Callable[..., str]] = {}
  formats |= dict.fromkeys(('symmetric', 'inverse share', 'parallel share'), '{:.2f}'.format)
  formats |= dict.fromkeys(('relation', 'inverse', 'parallel'), _short)
  rest = len(found.relations) - len(shown)
  lines += ['', 'relations in train', shown.to_string(index=False, formatters=formats)]
  lines += [f'... and {rest} more'] if rest else []
  lines += [
    '',
    'relations of each category',
    found.relations['category'].value_counts().sort_index().to_string(header=False),
  ]
  lines += ['', 'to think about', *(f'  {advice}' for advice in found.advice or ('nothing stands out',))]
  return '\n'.join(lines)


def _short(name: str) -> str:
  """A name as a terminal may show it, without its middle where it is long."""
  name = terminal.line(name)
  return name if len(name) <= LONG else f'{name[: LONG // 2 - 1]}...{name[-(LONG // 2 - 2) :]}'


def matches(
  first: Int[np.ndarray, 'M 3'], others: Int[np.ndarray, 'N 3'], turned: bool
) -> Iterator[tuple[Int64[np.ndarray, ' K'], Int64[np.ndarray, ' K']]]:
  """Yields rows (i, j), in pieces: triple j of `others` joins the entities of triple i of `first`.

  Args:
    first, others: triples.
    turned: whether j leads from the tail of i to its head, instead of the same way.
  """
  size = 1 + max((int(part[:, ::2].max(initial=0)) for part in (first, others)), default=0)
  keys = others[:, 0].astype(np.int64) * size + others[:, 2]
  order = np.argsort(keys, kind='stable')
  keys = keys[order]
  head, tail = (2, 0) if turned else (0, 2)
  for begin in range(0, len(first), CHUNK):
    part = first[begin : begin + CHUNK]
    wanted = part[:, head].astype(np.int64) * size + part[:, tail]
    left, right = (np.searchsorted(keys, wanted, side) for side in ('left', 'right'))
    times = right - left
    ends = np.cumsum(times)
    rows = np.repeat(np.arange(len(part)), times)
    yield rows + begin, order[np.arange(len(rows)) - np.repeat(ends - times, times) + left[rows]]


def _split(graph: Graph, split: str, train: Int[np.ndarray, 'M 3']) -> dict[str, int]:
  """The row of a split in `Inspection.splits`."""
  rows = np.asarray(getattr(graph, split))
  found = {
    'triples': len(rows),
    'loops': int((rows[:, 0] == rows[:, 2]).sum()),
    'repeated': len(rows) - len(np.unique(rows, axis=0)),
  }
  held = {name: np.zeros(len(rows), bool) for name in ('in train', 'inverse', 'parallel')}
  if split != 'train':
    for i, _ in matches(rows, train, turned=True):
      held['inverse'][i] = True
    for i, j in matches(rows, train, turned=False):
      same = rows[i, 1] == train[j, 1]
      held['in train'][i[same]] = True
      held['parallel'][i[~same]] = True
  unseen = graph.unseen_entities()[rows[:, ::2]].any(1)
  return found | {'unseen': int(unseen.sum())} | {name: int(value.sum()) for name, value in held.items()}


def _relations(graph: Graph, train: Int[np.ndarray, 'M 3']) -> pd.DataFrame:
  """`Inspection.relations`."""
  size = graph.num_relations
  count = lambda columns: np.bincount(np.unique(train[:, columns], axis=0)[:, 0], minlength=size)
  triples = np.bincount(train[:, 1], minlength=size)
  straight = train[train[:, 0] != train[:, 2]]  # a loop is its own inverse, whatever the relation is like
  compared = np.bincount(straight[:, 1], minlength=size)
  names = list(graph.relation_labels)
  frame: dict[str, Any] = {
    'relation': names,
    'triples': triples,
    'heads': count([1, 0]),
    'tails': count([1, 2]),
    'category': filters.categories(triples, count([1, 0]), count([1, 2])),
  }
  for name, turned in (('inverse', True), ('parallel', False)):
    pairs, times = _paired(straight, size, turned)
    shares = times / np.maximum(compared[pairs[:, 0]], 1)
    same = pairs[:, 0] == pairs[:, 1]
    if turned:
      frame['symmetric'] = np.zeros(size)
      frame['symmetric'][pairs[same, 0]] = shares[same]
    best, share = np.full(size, -1), np.zeros(size)
    for (one, other), value in zip(pairs[~same], shares[~same]):
      if value >= LEAST and value > share[one]:
        best[one], share[one] = other, value
    frame |= {name: [names[i] if i >= 0 else '' for i in best], f'{name} share': share}
  return pd.DataFrame(frame)


def _paired(
  triples: Int[np.ndarray, 'M 3'], size: int, turned: bool
) -> tuple[Int[np.ndarray, 'P 2'], Int[np.ndarray, ' P']]:
  """(pairs of relations, how many triples of the first hold by the second too), of all that share one."""
  found = [np.zeros(0, np.int64)]
  for i, j in matches(triples, triples, turned):
    found.append(triples[i, 1].astype(np.int64) * size + triples[j, 1])
  keys, times = np.unique(np.concatenate(found), return_counts=True)
  return np.stack([keys // size, keys % size], 1), times


def _mutual(relations: pd.DataFrame) -> tuple[tuple[str, str], ...]:
  """`Inspection.inverses`."""
  strong = relations[relations['inverse share'] >= PAIRED]
  inverse = dict(zip(strong['relation'], strong['inverse']))
  return tuple(sorted({(min(a, b), max(a, b)) for a, b in inverse.items() if inverse.get(b) == a}))


def _advice(
  graph: Graph, splits: pd.DataFrame, relations: pd.DataFrame, inverses: tuple[tuple[str, str], ...]
) -> Iterator[str]:
  """`Inspection.advice`."""
  lacking = [split for split in ('valid', 'test') if not len(getattr(graph, split))]
  if lacking:
    yield f'{" and ".join(lacking)}: no triples, so nothing says how good the model is, or when to stop training'
  if inverses:
    listed = ', '.join(f'{one} and {other}' for one, other in inverses[:5]) + (', ...' if len(inverses) > 5 else '')
    yield f'inverse relations: {listed}. One of each pair says what the other says; leave one out to test fairly'
  parallel = relations[relations['parallel share'] >= PAIRED]
  if len(parallel):
    first = parallel.iloc[0]
    yield (
      f'relations that hold mostly where another one does: {len(parallel)}, such as {first["relation"]} where '
      f'{first["parallel"]} does ({first["parallel share"]:.0%})'
    )
  for kind, words in (('inverse', 'the other way round'), ('parallel', 'by another relation')):
    for split in ('valid', 'test'):
      number, size = splits.loc[split, kind], splits.loc[split, 'triples']
      if size and number / size >= LEAKS:
        yield (
          f'{split}: train joins the entities of {number} of {size} triples ({number / size:.0%}) {words}, which makes '
          'them easier than new facts are'
        )
  seen = splits.loc[['valid', 'test'], 'in train']
  if seen.sum():
    yield f'{seen["valid"]} valid and {seen["test"]} test triples are in train: take them out of one of the two'
  unseen = splits.loc[['valid', 'test'], 'unseen']
  if unseen.sum():
    yield (
      f'{unseen["valid"]} valid and {unseen["test"]} test triples name entities without a training triple, of which '
      'nothing is learned; --config.eval.unseen=skip leaves them out of an evaluation'
    )
  tiny = relations[relations['triples'] < TINY]
  if len(tiny):
    yield (
      f'{len(tiny)} relations have fewer than {TINY} training triples, such as {tiny["relation"].iloc[0]} '
      f'({tiny["triples"].iloc[0]}): little is learned of them'
    )
  if len(relations) > graph.num_entities:
    yield f'there are more relations ({len(relations)}) than entities ({graph.num_entities}): check data.columns'
