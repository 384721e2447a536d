"""Distillation to several widths by one command; every link is a run of its own.

  python launch.py --mode=distill --config=configs/distill/umls.py --widths=160,80,40,20,10 \
      --config.distill.method=ta --workdir=runs/baselines

The widest model is trained directly (or is config.distill.teacher), in <workdir>/direct-<width>. BKD and DualDE teach
every narrower width by it; TA and IterDE teach each width by the next wider one. Students lie in
<workdir>/<method>-<width>. What is there already is not trained again, so the same command goes on after an
interruption, and several methods in one workdir share the teacher.
"""

from collections.abc import Sequence
import pathlib

import pandas as pd

from medjax import config as config_lib
from medjax import errors
from medjax.config import rules
from medjax.config.fields import Config
from medjax.core import terminal, width_scale
from medjax.core import widths as widths_lib
from medjax.experiments import study
from medjax.experiments import teacher as teacher_lib
from medjax.kge import settings as settings_lib
from medjax.saved.files import Path

STEPWISE = ('ta', 'iterde')  # each width learns from the next wider one


def run(config: Config, workdir: Path, widths: str | None = None) -> pd.DataFrame:
  """Trains what a chain still lacks, and prints the results of all its links.

  Args:
    config: the `Config`; its distill.method says how, its model.widths are not read.
    workdir: the folder of the runs.
    widths: as text, the widest first or last; None are those of the configuration.

  Returns:
    The links' results as a DataFrame, a row each.

  Raises:
    errors.ConfigError, errors.WidthError: links that cannot be run; found before anything is trained.
    errors.TeacherError: a teacher that has changed or does not fit.
  """
  workdir = pathlib.Path(workdir)
  if not config.distill.method:
    raise errors.ConfigError(
      "config.distill.method='': --mode=distill needs one of "
      + ', '.join(filter(None, rules.CHOICES['distill.method']))
    )
  wanted = links(config, workdir, downwards(widths or config.model.widths))
  workdir.mkdir(parents=True, exist_ok=True)
  rows = []
  for i, (folder, link) in enumerate(wanted):
    terminal.say(
      f'\n[{i + 1}/{len(wanted)}] {folder}' + (f', taught by {link.distill.teacher}' * bool(link.distill.method))
    )
    link, _ = teacher_lib.find(link, folder)
    rows += [{'run': folder.name} | row for row in study.results_of(link, folder, 'test').to_dict('records')]
  frame = pd.DataFrame(rows)[['run', *study.COLUMNS]]
  terminal.say('\n' + frame.to_string(index=False, float_format='{:.4f}'.format, na_rep='-'))
  return frame


def downwards(text: str) -> tuple[int, ...]:
  """Returns widths written in either order, the widest first."""
  listed = text.split(',')
  if ':' in text or not all(part.strip().isdigit() for part in listed):
    return widths_lib.parse_widths(text)[::-1]
  return widths_lib.parse_widths(','.join(sorted(listed, key=int)))[::-1]


def links(config: Config, workdir: pathlib.Path, widths: Sequence[int]) -> list[tuple[pathlib.Path, Config]]:
  """Returns [(folder, resolved configuration)] of a chain, teachers before their students."""
  given, found = config.distill.teacher, []
  if len(widths) < 2 and not given:
    raise errors.ConfigError(
      f'widths {widths[0]}: a chain needs the width of the teacher and those of students, as in --widths=160,40,10'
    )
  first = given or str(workdir / f'direct-{widths[0]}')
  if not given:
    found.append((pathlib.Path(first), link(config, widths[0], widths[0], '', '')))
  method, above = config.distill.method, first
  for width in widths if given else widths[1:]:
    folder = workdir / f'{method}-{width}'
    found.append((folder, link(config, width, widths[0], method, above)))
    if method in STEPWISE:
      above = str(folder)
  return found


def link(config: Config, width: int, widest: int, method: str, teacher: str) -> Config:
  """Returns the resolved configuration of one training of a chain: direct, with the margin that MED gives its width."""
  margin = config.model.gamma * width_scale.margin_factor(width, config.model.gamma_half, config.model.gamma_power)
  fields = (
    config_lib.flatten(config)
    | config_lib.PRESETS['direct']
    | {
      'objective.name': 'direct',
      'model.widths': str(width),
      'model.gamma': margin,
      'distill.method': method,
      'distill.teacher': teacher,
    }
  )
  if config.distill.rates == 'width':
    fields['train.learning_rate'] = config.train.learning_rate * widest / width
  if not method:
    fields |= {
      name: value for name, value in config_lib.flatten(config_lib.Config()).items() if name.startswith('distill.')
    }
  return settings_lib.resolve(config_lib.from_flat(fields))
