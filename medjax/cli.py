"""From a command line to one call, and from an expected error to one clear line."""
import errno
import sys

from absl import logging

from medjax import artifact
from medjax import chain
from medjax import checkpoint
from medjax import comparison
from medjax import config as config_lib
from medjax import crop
from medjax import model
from medjax import parallel
from medjax import runs
from medjax import runtime
from medjax import study
from medjax import teacher
from medjax.data.triples import DataError
from medjax.figures import folder
from medjax.report import collect
from medjax.training import loop

EXPECTED = (artifact.ArtifactError, checkpoint.CheckpointError, config_lib.ConfigError, crop.WidthError, DataError,
            collect.NothingSaved, loop.Diverged, model.UnknownLabel, parallel.ParallelError, runs.UsageError,
            teacher.TeacherError)


COMMANDS = {  # a mode's function, and the flags that it reads
    'evaluate': (runs.evaluate, ('split', 'width', 'ranks', 'candidates')),
    'crop': (runs.crop, ('width', 'output')),
    'extract': (runs.extract, ('by', 'widths', 'output', 'seed')),
    'predict': (runs.predict, ('head', 'relation', 'tail', 'width', 'k', 'new')),
    'report': (folder.report, ('output', 'widths')),
}
CHAINS = {'distill': chain.run, 'compare': comparison.run}  # several trainings of one configuration


def run(mode, config, workdir, given, fields=()):
  """Runs one command and returns the process's exit code.

  Args:
    mode: 'train', 'study', 'distill', 'compare', 'prepare' or one of `COMMANDS`.
    config: the `Config`, or the `study.Study`; the other modes take only the default workdir's name from it.
    workdir: the run's folder, or None.
    given: {flag: value} of the flags on the command line.
    fields: the configuration's fields on the command line.
  """
  runtime.cache_compilations()
  logging.set_verbosity(logging.ERROR)
  workdir = workdir or f'runs/{config.name}'
  try:
    if (mode == 'study') != isinstance(config, study.Study):
      raise runs.UsageError('--mode=study and a --config of configs/study/ belong together')
    command, flags = COMMANDS.get(mode, (runs.train, ()))
    if mode == 'prepare':
      flags = ('output',)
    if mode in CHAINS:
      flags = ('widths',)
    for name, value in given.items():
      if name not in flags:
        raise runs.UsageError(f'--{name}={value} has no meaning with --mode={mode}')
    reads = ('config.' if mode in ('train', 'study', *CHAINS) else 'config.data.' if mode == 'prepare' else ' ')
    if foreign := [field for field in fields if not field.startswith(reads)]:
      raise runs.UsageError(f'--{foreign[0]} has no meaning with --mode={mode}, which reads what --workdir holds')
    if mode == 'train':
      if config.parallel.distributed:
        parallel.initialize()
      runs.train(config, workdir)
    elif mode == 'study':
      study.run(config, workdir)
    elif mode in CHAINS:
      CHAINS[mode](config, workdir, **given)
    elif mode == 'prepare':
      runs.prepare(config, **given)
    else:
      command(workdir, **given)
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
