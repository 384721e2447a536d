"""From a command line to one call, and from an expected error to one clear line."""
import errno
import sys

from absl import logging

from medjax import artifact
from medjax import checkpoint
from medjax import config as config_lib
from medjax import crop
from medjax import model
from medjax import runs
from medjax import runtime
from medjax.data.triples import DataError
from medjax.training import loop

EXPECTED = (artifact.ArtifactError, checkpoint.CheckpointError, config_lib.ConfigError, crop.WidthError, DataError,
            loop.Diverged, model.UnknownLabel, runs.UsageError)


FLAGS = {'train': (), 'evaluate': ('width',), 'crop': ('width', 'output'),
         'predict': ('width', 'head', 'relation', 'tail')}  # what a mode makes use of


def run(mode, config, workdir, *, width, output, split, head, relation, tail, k, new):
  """Runs one command and returns the process's exit code."""
  runtime.cache_compilations()
  logging.set_verbosity(logging.ERROR)
  workdir = workdir or f'runs/{config.name}'
  given = {'width': width, 'output': output, 'head': head, 'relation': relation, 'tail': tail}
  try:
    for name, value in given.items():
      if value is not None and name not in FLAGS[mode]:
        raise runs.UsageError(f'--{name}={value} has no meaning with --mode={mode}')
    if mode == 'train':
      runs.train(config, workdir)
    elif mode == 'evaluate':
      runs.evaluate(workdir, split, width)
    elif mode == 'crop':
      runs.crop(workdir, width, output)
    else:
      runs.predict(workdir, head, relation, tail, width, k, new)
  except EXPECTED as error:
    print(f'error: {error}', file=sys.stderr)
    return 2
  except OSError as error:
    remedy = '; free some space and run the same command to go on' if error.errno == errno.ENOSPC else ''
    print(f'error: {error}{remedy}', file=sys.stderr)
    return 2
  except loop.Stopped as stop:
    print(stop, file=sys.stderr)
    return stop.exit_code
  except KeyboardInterrupt:
    print('interrupted; run the same command to go on from the last checkpoint', file=sys.stderr)
    return 130
  return 0
