"""Every run, extracted and cropped model below a folder, evaluated or not."""

import dataclasses
import pathlib
from typing import Any

import pandas as pd

from medjax import config as config_lib
from medjax import errors
from medjax.report import collect
from medjax.report import cost as cost_lib
from medjax.saved import artifact, graph_files, workdir
from medjax.saved import files as files_lib
from medjax.saved.files import Path

MARKS = ('config.json', 'extraction.json', 'model.json')  # each tells that a folder holds one
NOTHING = 'no run and no model below {}; name the --workdir of a run, or a folder of several'


@dataclasses.dataclass(frozen=True)
class Saved:
  """A folder of a run or model.

  Attributes:
    name: the folder, relative to where it was looked for.
    folder: its path.
    method: 'MED', 'DT', 'Ext-L', ... or 'cropped model'.
    data, score: names of its graph and score.
    fields: {dotted field: value} of its configuration (an extracted model's: of the run it was cut from); {} of a crop.
    widths: that are trained.
    cost: the figures of cost.json, or {}.
    results: DataFrame of results.csv, indexed by width, or None.
    detail: DataFrame of results-detail.csv, or None.
  """

  name: str
  folder: pathlib.Path
  method: str
  data: str
  score: str
  fields: dict[str, Any]
  widths: tuple[int, ...]
  cost: dict[str, Any]
  results: pd.DataFrame | None
  detail: pd.DataFrame | None

  @property
  def is_run(self) -> bool:
    """Whether it was trained here, so that it has curves and a command."""
    return (self.folder / 'config.json').exists()

  @property
  def has_triples(self) -> bool:
    """Whether it can be evaluated: whether triples lie beside it, or it names a prepared graph."""
    return any((self.folder / name).exists() for name in (graph_files.TRIPLES, graph_files.REFERENCE))


def find(root: Path) -> list[Saved]:
  """Returns every `Saved` below a folder, and in it, in the natural order of their names.

  Raises:
    errors.NothingSaved: there is none.
    errors.ArtifactError: a file of one is damaged.
  """
  root = pathlib.Path(root)
  places = {path.parent for mark in MARKS for path in root.glob(f'**/{mark}')}
  if not places:
    raise errors.NothingSaved(NOTHING.format(root))
  return [read(place, root) for place in sorted(places, key=collect.natural)]


def read(folder: pathlib.Path, root: pathlib.Path) -> Saved:
  """Returns the `Saved` of one folder below `root`."""
  name = folder.relative_to(root).as_posix() if folder != root else folder.resolve().name
  description = artifact.read_description(folder) if (folder / 'model.json').exists() else None
  fields: dict[str, Any] = {}
  if config := workdir.read_config(folder):
    fields = config_lib.flatten(config)
    method = collect.method_name(fields)
  elif (record := folder / 'extraction.json').exists():
    fields, method = collect.extracted(record)
  else:
    method = 'cropped model'
  results = table(folder / 'results.csv')
  cost = cost_lib.read(folder)
  return Saved(
    name,
    folder,
    method,
    data=collect.data_name(fields) if fields else description.source if description else '',
    score=fields['model.score'] if fields else description.score if description else '',
    fields=fields,
    widths=tuple(description.widths) if description else widths_of(results),
    cost=cost,
    results=None if results is None else results.set_index('width'),
    detail=table(folder / 'results-detail.csv'),
  )


def widths_of(results: pd.DataFrame | None) -> tuple[int, ...]:
  """Returns the widths that results are of."""
  return () if results is None else tuple(map(int, results['width']))


def table(path: pathlib.Path) -> pd.DataFrame | None:
  """Returns the DataFrame of a CSV file, or None if there is none."""
  return files_lib.read_table(path) if path.exists() else None
