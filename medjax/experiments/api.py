"""One call in Python: triples in, a trained run out."""

import base64
from collections.abc import Iterable, Mapping
import dataclasses
import functools
import os
import pathlib
import re
import tempfile
from typing import Any

import pandas as pd

from medjax import config as config_lib
from medjax import errors
from medjax.config.fields import Config
from medjax.core import files
from medjax.data import datasets, inspection
from medjax.data.inspection import Inspection
from medjax.data.registry import REGISTRY
from medjax.experiments import evaluating, runs, strength
from medjax.report import tables
from medjax.report.trackers import function
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path
from medjax.serve import loading
from medjax.serve.model import Model

SECTIONS = ('train', 'model', 'objective', 'data', 'eval', 'parallel')  # where the name of a field is looked for
COLUMNS = ('head', 'relation', 'tail')
Triples = Iterable[Any]  # of names, or a DataFrame


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
  """A trained run; where a folder is asked for, it stands for its workdir.

  Attributes:
    workdir: its folder.
    results: MRR, Hits@k and more, one row per width; None without triples to evaluate on.
  """

  workdir: pathlib.Path
  results: pd.DataFrame | None

  @functools.cached_property
  def model(self) -> Model:
    """The trained model of full width, with its sub-models inside."""
    return loading.load(self.workdir)

  def __fspath__(self) -> str:
    return str(self.workdir)

  def __str__(self) -> str:
    return str(self.workdir)

  def _repr_html_(self) -> str:
    """The results of a few widths and the plot of all, as notebooks show them."""
    if self.results is None:
      return f'<p>{self.workdir}: nothing to evaluate on</p>'
    shown = self.results[self.results['width'].isin(tables.few(list(self.results['width'])))]
    table = shown.to_html(index=False, formatters=tables.FORMATS)
    plot = self.workdir / 'results.png'
    picture = base64.b64encode(plot.read_bytes()).decode() if plot.exists() else ''
    return f'{table}<img alt="MRR against width" width="640" src="data:image/png;base64,{picture}">'


def train(
  data: Config | Path | Triples,
  workdir: Path | None = None,
  tracker: str | function.Call | None = None,
  **fields: Any,
) -> Run:
  """Trains a model at all widths, or goes on where the same call was interrupted, and evaluates every width.

  >>> run = train('my/facts.tsv', score='complex', widths='10:160:10', steps=2000)  # doctest: +SKIP
  >>> run.model.predict_tails('Paris', 'capital of')  # doctest: +SKIP

  Args:
    data: a file or folder of triples, the name of a registered graph, a DataFrame with columns head, relation and tail
      (or three columns in this order), an iterable of triples of names; or a `Config` of everything.
    workdir: a folder of the run's own; 'runs/' and the data's name if not given.
    tracker: a function of (step, {name: number}) that is told the metrics; or the field train.tracker, as text.
    **fields: of the configuration, by their own names (steps=2000; of two sections that have a name, the first of
      train, model, objective, data, eval holds), or by dotted ones (**{'eval.batch': 64}).

  Returns:
    The `Run`.

  Raises:
    errors.ConfigError: a field that does not exist, or a value that cannot be.
    errors.DataError: triples that cannot be read.
    errors.UsageError: a workdir that holds something else.
  """
  config, workdir = configured(data, workdir, fields)
  if isinstance(tracker, str):
    config.train.tracker, tracker = tracker, None
  return Run(workdir, runs.train(strength.find(config, workdir), workdir, tracker=tracker))


def inspect(data: Config | Path | Triples, **fields: Any) -> Inspection:
  """Looks at triples and trains nothing: how they were read, what their relations are like, what to think about.

  >>> facts = [('Oslo', 'capital of', 'Norway'), ('Norway', 'borders', 'Sweden')]
  >>> print(inspect(facts, split='1,0,0').splits['triples'].sum())
  2

  Args:
    data: as of `train`.
    **fields: of the configuration's section data, as of `train`.

  Returns:
    The `Inspection`, whose text says it all; its tables are DataFrames.

  Raises:
    errors.ConfigError, errors.DataError: as of `train`.
  """
  with tempfile.TemporaryDirectory() as folder:  # of triples that lie in no file
    return inspection.inspect(datasets.load(configured(data, pathlib.Path(folder) / 'run', fields)[0].data))


def evaluate(workdir: Path | Run, **flags: Any) -> pd.DataFrame | None:
  """Evaluates a run or cropped model; see `evaluating.evaluate`."""
  return evaluating.evaluate(os.fspath(workdir), **flags)


def field_of(name: str) -> str:
  """Returns the dotted field of a name.

  >>> field_of('steps'), field_of('batch'), field_of('eval.batch')
  ('train.steps', 'train.batch', 'eval.batch')
  """
  if '.' in name:
    return name
  flat = config_lib.flatten(Config())
  return next((field for section in SECTIONS if (field := f'{section}.{name}') in flat), name)


def str_of_widths(value: Any) -> str:
  """Returns widths as a configuration writes them: text as it is, numbers with commas."""
  return value if isinstance(value, str) else ','.join(map(str, [value] if isinstance(value, int) else value))


def is_registered(name: str) -> bool:
  """Whether this is the name of a registered graph, and of no file or folder."""
  return (name in REGISTRY or name == 'world') and not pathlib.Path(name).exists()


def write_triples(triples: Triples, workdir: pathlib.Path) -> pathlib.Path:
  """Writes triples of names into a workdir, where a run that goes on finds the same ones; returns the file's path."""
  frame = triples if isinstance(triples, pd.DataFrame) else pd.DataFrame(list(triples))
  if set(COLUMNS) <= set(frame.columns):
    frame = frame[list(COLUMNS)]
  if frame.shape[1] != 3 or not len(frame):
    raise errors.DataError(
      f'{len(frame)} rows of {frame.shape[1]} columns ({", ".join(map(str, frame.columns))}) are no triples; '
      'give columns head, relation and tail'
    )
  if frame.isna().to_numpy().any():
    row = int(frame.isna().any(axis=1).to_numpy().argmax())
    raise errors.DataError(f'row {row} of the triples lacks a name: {list(frame.iloc[row])}; leave it out')
  text = frame.set_axis(COLUMNS, axis=1).to_csv(index=False, quoting=1)
  path = workdir / workdir_lib.TRIPLES
  if path.exists() and path.read_text(encoding='utf-8') != text:
    raise errors.UsageError(f'{workdir} holds a run on other triples; name another workdir, or delete this one')
  workdir_lib.check_folder(workdir)
  workdir.mkdir(parents=True, exist_ok=True)
  files.write_text(path, text)
  return path


def configured(
  data: Config | Path | Triples, workdir: Path | None, fields: Mapping[str, Any]
) -> tuple[Config, pathlib.Path]:
  """Returns the configuration and the workdir of data and fields; triples of names are written into the workdir."""
  config = data if isinstance(data, Config) else Config()
  for name, value in fields.items():
    config_lib.put(config, field_of(name), str_of_widths(value) if name in ('widths', 'model.widths') else value)
  if isinstance(data, Config):
    workdir = pathlib.Path(workdir or f'runs/{config.name}')
  elif isinstance(data, (str, os.PathLike)):
    text = os.fspath(data)
    config.data.name, config.data.path = (text, '') if is_registered(text) else ('', text)
    config.name = re.sub(r'\W+', '-', pathlib.Path(text).name.split('.')[0]) or 'run'
    workdir = pathlib.Path(workdir or f'runs/{config.name}')
  else:
    config.name = 'triples'
    workdir = pathlib.Path(workdir or 'runs/triples')
    config.data.name, config.data.path = '', str(write_triples(data, workdir))
  return config, workdir
