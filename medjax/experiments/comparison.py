"""Everything that MED is compared with, on one graph with one score, by one command.

  python launch.py --mode=compare --config=configs/baselines.py:wn18rr-rotate --widths=160,40,10 --workdir=runs/a

MED is trained at the configuration's widths, in <workdir>/med; direct training at each of the widths of the command,
the widest of which is the teacher and what extraction cuts from; and every distillation, see `distillation`. What is
there already is not trained again, so the same command goes on after an interruption.
"""

import pathlib
import shutil

from medjax import config as config_lib
from medjax.config import rules
from medjax.config.fields import Config
from medjax.core import terminal
from medjax.experiments import commands, distillation, study
from medjax.kge import settings as settings_lib
from medjax.report.figures import folder
from medjax.saved.files import Path

EXTRACTED = {'loss': 'extract-loss', 'value': 'extract-value', 'random': 'extract-random'}


def run(config: Config, workdir: Path, widths: str | None = None) -> pathlib.Path:
  """Trains what a comparison still lacks, and reports on it.

  Args:
    config: the `Config` of MED; its objective's other fields and its distill fields are those of all methods.
    workdir: the folder of the runs; the report lies in <workdir>/report.
    widths: that are compared, as text; None are those of the configuration.

  Returns:
    The path of report.md.

  Raises:
    errors.ConfigError, errors.WidthError: what cannot be run; found before anything is trained.
  """
  workdir, listed = pathlib.Path(workdir), distillation.downwards(widths or config.model.widths)
  direct = [(workdir / f'direct-{width}', distillation.link(config, width, listed[0], '', '')) for width in listed]
  med = settings_lib.resolve(config)
  chains = [
    config_lib.from_flat(config_lib.flatten(config) | {'distill.method': method})
    for method in filter(None, rules.CHOICES['distill.method'])
  ]
  for each in chains:
    distillation.links(each, workdir, listed)
  workdir.mkdir(parents=True, exist_ok=True)
  for path, link in [(workdir / 'med', med), *direct]:
    terminal.say(f'\n{path}')
    study.results_of(link, path, 'test')
  for by, name in EXTRACTED.items():
    if len(listed) > 1 and not (workdir / name / 'cost.json').exists():
      terminal.say(f'\n{workdir / name}')
      shutil.rmtree(workdir / name, ignore_errors=True)  # what an interruption left of it
      commands.extract(direct[0][0], by, ','.join(map(str, listed[:0:-1])), workdir / name)
  for each in chains:
    distillation.run(each, workdir, widths)
  return folder.report(workdir)
