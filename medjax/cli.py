"""From a command line to one call, and from an expected error to one clear line.

What a mode needs is imported when it is called, so that a command starts as fast as what it does.
"""

from collections.abc import Callable, Mapping, Sequence
import dataclasses
import errno
import io
import os
import sys
from typing import Any, NamedTuple, TYPE_CHECKING

from absl import logging

from medjax import errors
from medjax.config.fields import Config
from medjax.core import runtime
from medjax.training import signals

if TYPE_CHECKING:
  from medjax.applications.settings import Applications
  from medjax.experiments.study import Study


def train(config: Config, workdir: str) -> None:
  """Trains a run, or goes on with it."""
  from medjax.experiments import runs
  from medjax.training import processes

  if config.parallel.distributed:
    processes.initialize()
  runs.train(config, workdir)


def study(config: 'Study', workdir: str) -> None:
  """Trains what a study still lacks."""
  from medjax.experiments import study

  study.run(config, workdir)


def application(config: 'Applications', workdir: str) -> None:
  """Trains what the applications of a shop still lack, and measures them."""
  from medjax.applications import command

  command.run(config, workdir)


def distill(config: Config, workdir: str, widths: str | None = None) -> None:
  """Trains what a chain of distillations still lacks."""
  from medjax.experiments import distillation

  distillation.run(config, workdir, widths)


def compare(config: Config, workdir: str, widths: str | None = None) -> None:
  """Trains everything that MED is compared with, and reports on it."""
  from medjax.experiments import comparison

  comparison.run(config, workdir, widths)


def inspect(config: Config, workdir: str) -> None:
  """Prints a first look at the graph of a data configuration."""
  from medjax.experiments import commands

  commands.inspect(config)


def prepare(config: Config, workdir: str, output: str | None = None) -> None:
  """Prepares the graph of a data configuration."""
  from medjax.experiments import commands

  commands.prepare(config, output)


def evaluate(config: Config, workdir: str, **flags: Any) -> None:
  """Evaluates a run or cropped model."""
  from medjax.experiments import runs

  runs.evaluate(workdir, **flags)


def crop(config: Config, workdir: str, **flags: Any) -> None:
  """Writes a sub-model as a model of its own."""
  from medjax.experiments import commands

  commands.crop(workdir, **flags)


def export(config: Config, workdir: str, **flags: Any) -> None:
  """Writes a sub-model in the format of another library."""
  from medjax.experiments import commands

  commands.export(workdir, **flags)


def import_model(config: Config, workdir: str, **flags: Any) -> None:
  """Writes another library's trained model as one of medjax."""
  from medjax.experiments import commands

  commands.import_model(config, **flags)


def extract(config: Config, workdir: str, **flags: Any) -> None:
  """Writes the most important components of a model as a model of its own."""
  from medjax.experiments import commands

  commands.extract(workdir, **flags)


def predict(config: Config, workdir: str, **flags: Any) -> None:
  """Prints the most plausible answers of a query, or of a file of queries."""
  from medjax.serve import ask

  ask.ask(workdir, form=flags.pop('format', 'table'), **flags)


def choose(config: Config, workdir: str, **flags: Any) -> None:
  """Says which width to crop to."""
  from medjax.experiments import choosing

  choosing.choose(workdir, **flags)


def calibrate(config: Config, workdir: str, **flags: Any) -> None:
  """Makes probabilities of scores."""
  from medjax.experiments import calibration

  calibration.calibrate(workdir, **flags)


def report(config: Config, workdir: str, **flags: Any) -> None:
  """Writes the tables and figures of a folder of runs."""
  from medjax.report.figures import folder

  folder.report(workdir, **flags)


class Mode(NamedTuple):
  """What the command line can ask for.

  Attributes:
    run: (config, workdir, **flags) -> nothing.
    flags: that it takes.
    reads: the beginning of the configuration's fields that it reads; None: the workdir has all of it.
  """

  run: Callable[..., None]
  flags: tuple[str, ...] = ()
  reads: str | None = None


MODES = {
  'train': Mode(train, reads='config.'),
  'study': Mode(study, reads='config.'),
  'application': Mode(application, reads='config.'),
  'distill': Mode(distill, ('widths',), 'config.'),
  'compare': Mode(compare, ('widths',), 'config.'),
  'inspect': Mode(inspect, reads='config.data.'),
  'prepare': Mode(prepare, ('output',), 'config.data.'),
  'evaluate': Mode(evaluate, ('split', 'triples', 'relation', 'width', 'ranks', 'candidates'), 'config.data.'),
  'crop': Mode(crop, ('width', 'output', 'with_triples', 'dtype')),
  'export': Mode(export, ('width', 'output', 'format', 'dtype', 'push_to', 'with_triples')),
  'import': Mode(import_model, ('source', 'output', 'format', 'score'), 'config.data.'),
  'extract': Mode(extract, ('by', 'widths', 'output', 'seed')),
  'predict': Mode(predict, ('head', 'relation', 'tail', 'queries', 'width', 'k', 'new', 'format', 'output')),
  'choose': Mode(choose, ('keep', 'max_bytes', 'max_ms')),
  'calibrate': Mode(calibrate, ('seed',)),
  'report': Mode(report, ('output', 'widths')),
}
OWN_CONFIGS = {  # {mode: (what its configuration is, where such lie)}
  'study': ('Study', 'configs/study/'),
  'application': ('Applications', 'configs/applications/'),
}


def run(mode: str, config: Any, workdir: str | None, given: Mapping[str, Any], fields: Sequence[str] = ()) -> int:
  """Runs one command and returns the process's exit code.

  Args:
    mode: one of `MODES`.
    config: the `Config`, `experiments.study.Study` or `applications.settings.Applications`; modes that
      read none of it take only the default workdir's name from it.
    workdir: the run's folder, or None.
    given: {flag: value} of the flags on the command line.
    fields: the configuration's fields on the command line.
  """
  runtime.cache_compilations()
  if isinstance(sys.stdout, io.TextIOWrapper):
    sys.stdout.reconfigure(errors='backslashreplace')  # a path or a label may have what the terminal has not
  logging.set_verbosity(logging.ERROR)
  try:
    check_command(mode, config, given, fields)
    workdir, given = workdir or f'runs/{config.name}', dict(given)
    if given.get('output'):
      given['output'] = os.path.expanduser(given['output'])
    if mode == 'evaluate' and fields:
      named = {'config.data.path', 'config.data.name'} & set(fields)  # else the graph is the model's own
      given['data'] = config.data if named else dataclasses.replace(config.data, name='')
    MODES[mode].run(config, os.path.expanduser(workdir), **given)
  except errors.MedjaxError as error:
    print(f'error: {error}', file=sys.stderr)
    return 2
  except OSError as error:
    remedy = '; free some space and run the same command to go on' if error.errno == errno.ENOSPC else ''
    print(f'error: {error}{remedy}', file=sys.stderr)
    return 2
  except signals.Stopped as stop:
    print(stop, file=sys.stderr)
    return stop.exit_code
  except KeyboardInterrupt:
    print('interrupted; run the same command to go on from the last checkpoint', file=sys.stderr)
    return 130
  return 0


def check_command(mode: str, config: Any, given: Mapping[str, Any], fields: Sequence[str]) -> None:
  """Raises UsageError for what has no meaning with a mode; the arguments are those of `run`."""
  for own, (kind, folder) in OWN_CONFIGS.items():
    if (mode == own) != (type(config).__name__ == kind):
      raise errors.UsageError(f'--mode={own} and a --config of {folder} belong together')
  for name, value in given.items():
    if name not in MODES[mode].flags:
      raise errors.UsageError(f'--{name}={value} has no meaning with --mode={mode}')
  reads = MODES[mode].reads
  if foreign := [field for field in fields if reads is None or not field.startswith(reads)]:
    raise errors.UsageError(f'--{foreign[0]} has no meaning with --mode={mode}, which reads what --workdir holds')
