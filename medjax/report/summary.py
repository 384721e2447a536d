"""The report of a folder of runs: tables of quality and of cost as Markdown, CSV and LaTeX."""

from collections.abc import Iterable, Mapping, Sequence
import pathlib

from medjax.report import efficiency, quality, tables
from medjax.report.collect import Group, Row
from medjax.saved import files as files_lib
from medjax.saved.files import Path

QUALITY = (
  'Filtered MRR (Hits@10) on the test set. Bold: the best measured figure of a column, as rounded. '
  '±: half the range over seeds. Published figures were taken from their sources, not measured here.'
)
COST = (
  'Time to obtain a model of every width. ≈: extrapolated from measured seconds per step, interpolated linearly '
  'over width. An extraction includes the training of its full model, a distillation those of its teachers. Wall '
  'clock.'
)


def write(
  groups: Mapping[Group, Sequence[Row]],
  folder: Path,
  widths: Sequence[int] | None = None,
  figures: Iterable[tuple[str, str]] = (),
) -> None:
  """Writes report.md, report.csv, efficiency.csv and report.tex into a folder; equal runs give equal bytes.

  Args:
    groups: {(data set, score): [`collect.Row`]}.
    folder: where.
    widths: columns of the tables; None chooses.
    figures: [(heading, file name in the folder)], shown at the end.
  """
  folder = pathlib.Path(folder)
  costs = efficiency.long_table(groups)
  pages, latex = ['# Report'], []
  for (data, score), rows in groups.items():
    own = costs[(costs['dataset'] == data) & (costs['score'] == score)]
    pages.append(f'## {data}, {score}')
    latex.append(f'% {data}, {score}')
    for note, made in ((QUALITY, quality.table(data, score, rows, widths)), (COST, efficiency.table(own))):
      if made[1]:
        pages += [tables.markdown(*made), note]
        latex += [tables.latex(*made), f'% {note}']
  pages += [f'## {heading}\n\n![{heading}]({file})' for heading, file in figures]
  files_lib.write_text(folder / 'report.md', '\n\n'.join(pages) + '\n')
  files_lib.write_text(folder / 'report.tex', '\n\n'.join(latex) + '\n')
  files_lib.write_text(folder / 'report.csv', quality.long_table(groups).to_csv(index=False))
  files_lib.write_text(folder / 'efficiency.csv', costs.to_csv(index=False))
