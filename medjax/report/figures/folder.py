"""--mode=report: the tables of a folder of runs, and the figures that its saved results allow."""

import pathlib

from medjax import errors
from medjax.core import files, terminal
from medjax.core import widths as widths_lib
from medjax.report import collect, summary
from medjax.report.figures import curves, overlap, quality, sub_models
from medjax.saved.files import Path


def report(workdir: Path, output: Path | None = None, widths: str | None = None) -> pathlib.Path:
  """Writes report.md, .csv, .tex, efficiency.csv and figures/ of all runs below a folder.

  Args:
    workdir: the folder of runs.
    output: where; None is the folder report/ in it.
    widths: columns of the tables, as text; None chooses.

  Returns:
    The path of report.md.

  Raises:
    errors.NothingSaved: there are no runs.
    errors.ArtifactError: a run is damaged.
    errors.WidthError: widths that are not understood.
  """
  root = pathlib.Path(workdir)
  chosen = widths_lib.parse_widths(widths) if widths else None
  runs = collect.collect(root)
  output = pathlib.Path(output) if output else root / 'report'
  files.folder(files.folder(output) / 'figures')
  groups, drawn = collect.grouped(runs), []

  def add(heading, name, draw, *what):
    try:
      draw(*what[:1], output / 'figures' / f'{name}.png', *what[1:])
      drawn.append((heading, f'figures/{name}.png'))
    except errors.NothingSaved:
      pass  # a figure needs records that not every run has

  for (data, score), rows in groups.items():
    title, stem = f'{data}, {score}', f'{data}-{score}'
    add(f'Quality against width: {title}', f'quality-{stem}', quality.draw, rows, title)
    add(f'Number of sub-models: {title}', f'sub-models-{stem}', sub_models.draw, rows, title)
  for run in runs:
    if len(run.results) > 1:
      stem = run.name.replace('/', '-')
      add(f'Training: {run.name}', f'curves-{stem}', curves.draw, run.folder)
      add(f'What sub-models share: {run.name}', f'overlap-{stem}', overlap.draw, run.folder)
  summary.write(groups, output, chosen, drawn)
  terminal.say(
    f'{len(runs)} runs below {root} -> {output}/report.md, report.csv, report.tex, efficiency.csv, {len(drawn)} figures'
  )
  if lacking := collect.unevaluated(root):
    terminal.say(f'left out: {collect.NOT_EVALUATED.format(len(lacking), lacking[0])}')
  return output / 'report.md'
