"""Finds saved runs and extracted models, and groups them: rows of equal runs up to their seed."""

import collections
from collections.abc import Iterable, Mapping, Sequence
import dataclasses
import pathlib
import re
from typing import Any, TypeVar

import pandas as pd

from medjax import config as config_lib
from medjax import errors
from medjax.core import widths as widths_lib
from medjax.report import cost as cost_lib
from medjax.saved import files as files_lib
from medjax.saved import schemas
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path

NOT_EVALUATED = '{} runs there, such as {}, have no results.csv: unfinished, or their graph holds no test triples'
MISSING = 'no saved results below {}; name a folder of runs, each with results.csv and config.json or extraction.json'
# fields that tell runs apart without changing the method
ASIDE = {
  'train.seed',
  'eval.widths',
  'eval.valid_triples',
  'distill.teacher_hash',
  'distill.teacher_width',
  *config_lib.FREE,
}
DEFAULTS = config_lib.flatten(config_lib.Config())
DISTILLED = {'bkd': 'BKD', 'ta': 'TA', 'dualde': 'DualDE', 'iterde': 'IterDE'}
ORDER = (
  'DT',
  'Ext-L',
  'Ext-V',
  'Ext-random',
  *DISTILLED.values(),
  '',
  'plain sum',
  'MED (literal)',
  'MED',
)  # '' is the place of any other method
Group = tuple[str, str]  # (data set, score)
T = TypeVar('T')


@dataclasses.dataclass(frozen=True)
class Run:
  """A saved run or extracted model.

  Attributes:
    name: its folder, relative to where it was looked for.
    folder: its path.
    method: 'DT', 'MED', 'Ext-L', ... the objective's own name where the tables have none.
    fields: {dotted field: value} of its configuration (an extracted model's: of the run it was cut from).
    results: DataFrame of results.csv, indexed by width.
    cost: the figures of cost.json, or {}.
  """

  name: str
  folder: pathlib.Path
  method: str
  fields: dict[str, Any]
  results: pd.DataFrame
  cost: dict[str, Any]

  @property
  def group(self) -> Group:
    """(data set, score)."""
    return data_name(self.fields), self.fields['model.score']

  @property
  def seed(self) -> int:
    """Of its training."""
    return self.fields['train.seed']


@dataclasses.dataclass(frozen=True)
class Row:
  """Runs of one method that differ in their seed, or train one width each.

  Attributes:
    label: the method and what sets it apart from the others of its name.
    runs: its runs.
  """

  label: str
  runs: tuple[Run, ...]

  def values(self, measure: str) -> dict[int, list[float]]:
    """Returns {width: [value of each seed]}, widths increasing."""
    found = collections.defaultdict(list)
    for run in self.runs:
      for width, value in run.results[measure].items():
        found[int(width)].append(float(value))
    return dict(sorted(found.items()))


def data_name(fields: Mapping[str, Any]) -> str:
  """Name of a run's graph: the registered one, or that of its file or folder."""
  return pathlib.PurePath(fields['data.path']).name or fields['data.name']


def method_name(fields: Mapping[str, Any]) -> str:
  """Returns the name of what a training does."""
  objective, single = fields['objective.name'], ',' not in fields['model.widths'] and ':' not in fields['model.widths']
  if method := fields.get('distill.method'):
    return DISTILLED[method]
  if objective == 'direct':
    return 'DT' if single else 'plain sum'
  return {'med': 'MED', 'paper': 'MED (literal)'}.get(objective, objective)


def natural(path: Path) -> list[int | str]:
  """Sort key under which run-40 comes before run-160."""
  return [int(part) if part.isdigit() else part for part in re.split(r'(\d+)', str(path))]


def results_below(folder: Path, pattern: str = '**') -> list[pathlib.Path]:
  """Returns the paths of results.csv in the folders below `folder` that match, in natural order."""
  return sorted(pathlib.Path(folder).glob(f'{pattern}/results.csv'), key=natural)


def read_results(path: pathlib.Path) -> tuple[pd.DataFrame, dict[str, Any]]:
  """Returns (results indexed by width, cost) of a results.csv and the cost.json beside it."""
  results = files_lib.read_table(path)
  with files_lib.reading(path):
    results = results.set_index('width')
  return results, cost_lib.read(path.parent)


def extracted(path: pathlib.Path) -> tuple[dict[str, Any], str]:
  """Returns (fields of the run that a model was extracted from, method) of an extraction.json."""
  with files_lib.reading(path):
    found = schemas.convert(schemas.decode(files_lib.read_bytes(path), path), schemas.Extraction)
    return found.config or {}, found.method


def collect(root: Path) -> list[Run]:
  """Returns every `Run` below a folder, in the natural order of their names.

  Raises:
    NothingSaved: there is none.
    errors.ArtifactError: a run's configuration is damaged.
  """
  found = []
  for path in results_below(root):
    folder, fields, method = path.parent, None, ''
    config = workdir_lib.read_config(folder)
    if config is not None:
      fields = config_lib.flatten(config)
      method = method_name(fields)
    elif (record := folder / 'extraction.json').exists():
      fields, method = extracted(record)
    if fields:
      found.append(Run(folder.relative_to(root).as_posix(), folder, method, fields, *read_results(path)))
  if not found:
    lacking = unevaluated(root)
    raise errors.NothingSaved(
      MISSING.format(root) + (f'; {NOT_EVALUATED.format(len(lacking), lacking[0])}' if lacking else '')
    )
  return found


def unevaluated(root: Path) -> list[str]:
  """Returns the names of the runs below a folder that have no results.csv."""
  folders = sorted((path.parent for path in pathlib.Path(root).glob('**/config.json')), key=natural)
  return [folder.relative_to(root).as_posix() for folder in folders if not (folder / 'results.csv').exists()]


def grouped(runs: Iterable[Run]) -> dict[Group, list[Row]]:
  """Returns {(data set, score): [Row]} in the runs' order."""
  groups = collections.defaultdict(list)
  for run in runs:
    groups[run.group].append(run)
  return {group: rows(members) for group, members in sorted(groups.items())}


def rows(runs: Iterable[Run]) -> list[Row]:
  """Returns the `Row`s of the runs of one group: one for every method and every set of fields that it was run with."""
  methods = collections.defaultdict(list)
  for run in runs:
    methods[run.method].append(run)
  found = []
  place = lambda method: ORDER.index(method if method in ORDER else '')
  for method, members in sorted(methods.items(), key=lambda item: place(item[0])):
    aside = ASIDE | ({'model.widths'} if all(len(run.results) == 1 for run in members) else set()) | tuned(members)
    varying = [
      field
      for field in members[0].fields
      if field not in aside and not field.startswith('data.') and len({run.fields.get(field) for run in members}) > 1
    ]
    usual = {field: most_common([run.fields.get(field) for run in members], DEFAULTS[field]) for field in varying}
    sets = collections.defaultdict(list)
    for run in members:
      sets[tuple(run.fields.get(field) for field in varying)].append(run)
    for values, same in sets.items():
      apart = [told(field, value) for field, value in zip(varying, values) if value != usual[field]]
      found += [Row(' '.join([method, *apart]), tuple(part)) for part in without_repeats(same)]
  return found


def tuned(runs: Sequence[Run]) -> set[str]:
  """Returns which of learning rate and margin have one value at each width, where runs have one width each."""
  found = set()
  for field in ('train.learning_rate', 'model.gamma'):
    pairs = {(*run.results.index, run.fields.get(field)) for run in runs}
    if all(len(pair) == 2 for pair in pairs) and len({pair[0] for pair in pairs}) == len(pairs):
      found.add(field)
  return found


def most_common(values: Iterable[T], default: T) -> T:
  """Returns the most frequent value; of equally frequent ones the default, else the first."""
  counts = collections.Counter(values)
  return max(counts, key=lambda value: (counts[value], value == default))


def told(field: str, value: Any) -> str:
  """Returns a field's value in the words of a row's label."""
  if field == 'model.widths':
    return f'{len(widths_lib.parse_widths(value))} widths to {widths_lib.parse_widths(value)[-1]}'
  return f'{field.partition(".")[2]}={value}'


def without_repeats(runs: Iterable[Run]) -> list[list[Run]]:
  """Splits runs so that no part has two of the same seed at the same width: they would not be told apart."""
  parts: list[tuple[list[Run], set[tuple[int, int]]]] = []
  for run in runs:
    keys = {(run.seed, width) for width in run.results.index}
    free = next((part for part in parts if not part[1] & keys), None)
    if free is None:
      parts.append(([run], set(keys)))
    else:
      free[0].append(run)
      free[1].update(keys)
  return [part for part, _ in parts]
