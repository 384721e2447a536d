"""From a command line to one call, and to its exit code."""

from collections.abc import Mapping, Sequence
import dataclasses
import io
import os
import sys
from typing import Any

from absl import logging

from medjax import ending, errors
from medjax.config.text import TextConfig
from medjax.core import runtime
from medjax.modes import MODES
from medjax.saved import workdir as workdir_lib

OWN_CONFIGS = {  # {mode: (what its configuration is, where such lie)}
  'study': ('Study', 'configs/study/'),
  'application': ('Applications', 'configs/applications/'),
}

TEXT: dict[str, tuple[str, ...]] = {  # the modes of a croppable BERT, each with its flags
  'train': (),
  'evaluate': ('split', 'width'),
  'crop': ('width', 'output'),
  'export': ('width', 'output', 'format'),
  'predict': ('text', 'second', 'width', 'format'),
}
ONLY_TEXT = ('text', 'second')
ONLY_TEXT_SPLITS = ('dev', 'dev_mismatched')


def run(mode: str, config: Any, workdir: str | None, given: Mapping[str, Any], fields: Sequence[str] = ()) -> int:
  """Runs one command and returns the process's exit code.

  Args:
    mode: one of `modes.MODES`.
    config: the `Config`, the `TextConfig`, `experiments.study.Study` or `applications.settings.Applications`; modes
      that read none of it take only the default workdir's name from it.
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
    workdir = os.path.expanduser(workdir)
    if is_text(mode, config, workdir):
      run_text(mode, config, workdir, given, fields)
      return 0
    if foreign := [name for name, value in given.items() if name in ONLY_TEXT or value in ONLY_TEXT_SPLITS]:
      raise errors.UsageError(f'--{foreign[0]}={given[foreign[0]]}: only a BERT has it, and {workdir} holds none')
    if mode == 'evaluate' and fields:
      named = {'config.data.path', 'config.data.name'} & set(fields)  # else the graph is the model's own
      given['data'] = config.data if named else dataclasses.replace(config.data, name='')
    MODES[mode].run(config, workdir, **given)
  except (Exception, KeyboardInterrupt) as error:
    return ending.end(error, goes_on=MODES[mode].reads == 'config.')
  return 0


def is_text(mode: str, config: Any, workdir: str) -> bool:
  """Whether a command is for a croppable BERT: as the configuration says, or what the workdir holds."""
  if isinstance(config, TextConfig) or MODES[mode].reads not in (None, 'config.data.') or not os.path.isdir(workdir):
    return isinstance(config, TextConfig)
  return workdir_lib.is_text(workdir)


def run_text(mode: str, config: Any, workdir: str, given: Mapping[str, Any], fields: Sequence[str]) -> None:
  """Runs one command for a croppable BERT; raises UsageError for what it cannot do."""
  if mode not in TEXT:
    raise errors.UsageError(f'--mode={mode} is for models of graphs; of a BERT there are {", ".join(TEXT)}')
  foreign = [f'--{name}={value}' for name, value in given.items() if name not in TEXT[mode]]
  if foreign := foreign + [f'--{field}' for field in fields if mode != 'train']:
    raise errors.UsageError(f'{foreign[0]} has no meaning with --mode={mode} of a BERT')
  from medjax.experiments import text, text_training

  if mode == 'train':
    text_training.train(config, workdir)
    text.show(workdir)
  else:
    getattr(text, mode)(workdir, **given)


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
