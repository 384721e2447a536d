"""The trackers that a configuration names."""

from collections.abc import Callable
import functools
import importlib
import importlib.util
import os
import sys

from medjax import errors
from medjax.config.fields import Config
from medjax.report.trackers import function, mlflow, tensorboard, wandb
from medjax.report.trackers.following import Open

OPEN: dict[str, tuple[Open, Callable[[], tuple[str, ...]]]] = {  # how one is opened, and the packages that it needs
  'tensorboard': (tensorboard.Board, lambda: ('tensorboardX',)),
  'wandb': (wandb.Run, lambda: ('wandb',)),
  'mlflow': (mlflow.Run, mlflow.packages),
}


def find(config: Config, given: function.Call | None = None) -> dict[str, Open]:
  """Returns {name: how it is opened} of the trackers of a configuration, and of a function that is given.

  Raises:
    errors.ConfigError: a package is not installed, or a function not to be found.
  """
  found: dict[str, Open] = {}
  for name in filter(None, map(str.strip, config.train.tracker.split(','))):
    if name in OPEN:
      found[name], packages = OPEN[name]
      if lacking := [package for package in packages() if importlib.util.find_spec(package) is None]:
        raise errors.ConfigError(
          f'config.train.tracker={config.train.tracker!r}: {lacking[0]} is not installed; '
          f"pip install 'medjax[{name}]', or leave {name} out"
        )
    else:
      found[name] = functools.partial(function.Tracker, load(name))
  if given is not None:
    found['function'] = functools.partial(function.Tracker, given)
  return found


def load(name: str) -> function.Call:
  """Returns the function that module:function names, of a module that is installed or lies in this folder.

  Raises:
    errors.ConfigError: there is none, or it cannot be called.
  """
  module, _, attribute = name.partition(':')
  if os.getcwd() not in sys.path:
    sys.path.append(os.getcwd())
  try:
    found = getattr(importlib.import_module(module), attribute)
  except Exception as error:  # of the module itself too
    reason = f'{type(error).__name__}: {error}'
    raise errors.ConfigError(f'config.train.tracker: there is no {name!r} to be had: {reason}') from error
  if not callable(found):
    raise errors.ConfigError(f'config.train.tracker: {name!r} is a {type(found).__name__}, not a function')
  return found
