"""Draws one figure of saved runs.

  python -m medjax.report.figures NAME FOLDER... [--output=FILE.png] [--widths=10,40,160] [--method=pca]

NAME is one of
  quality      MRR and Hits@10 against width, all methods below FOLDER
  sub-models   the number of sub-models against quality and cost, the runs below FOLDER
  overlap      queries that narrow sub-models answer and wide ones keep (needs --mode=evaluate --ranks)
  embeddings   the same entities at several widths (--method=tsne needs the extra 'figures')
  curves       training curves of a run
  gradients    where the sub-models of a run agree: cosines of their gradients
  weights      weights of triples under evolutionary improvement at a run's checkpoints
  gains        queries that only the widest sub-model answers, or only a narrow one (needs ranks, as overlap); with a
               second FOLDER, what two trainings of one width differ in
  trained      quality against width of the runs below all FOLDERs, and which widths each of them trained
  arrival      when every width has nearly what it ends with (needs --config.eval.every)
  strengths    learned weights over the training, and quality beside a run without, the runs below FOLDER
  redundancy   how much the gradients of a run's sub-models repeat each other
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
import pathlib
import sys

from medjax.core import terminal
from medjax.core import widths as widths_lib
from medjax.errors import MedjaxError
from medjax.report import collect
from medjax.report.figures import (
  arrival,
  curves,
  embeddings,
  gains,
  gradients,
  overlap,
  quality,
  redundancy,
  strengths,
  sub_models,
  trained,
  weights,
)

OF_FOLDERS = {
  'quality': quality.draw,
  'sub-models': sub_models.draw,
  'trained': trained.draw,
  'strengths': strengths.draw,
}
OF_RUNS = {
  'overlap': overlap.draw,
  'curves': curves.draw,
  'gradients': gradients.draw,
  'weights': weights.draw,
  'arrival': arrival.draw,
  'redundancy': redundancy.draw,
}


def main(arguments: Sequence[str] | None = None) -> int:
  """Draws what the arguments name; returns the process's exit code."""
  parser = argparse.ArgumentParser(
    'python -m medjax.report.figures', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('name', choices=[*OF_FOLDERS, *OF_RUNS, 'embeddings', 'gains'])
  parser.add_argument('folders', type=pathlib.Path, nargs='+', metavar='FOLDER')
  parser.add_argument('--output', type=pathlib.Path, help='the PNG; NAME.png in the first FOLDER if not given')
  parser.add_argument('--widths', help='of embeddings, as in 10,40,160')
  parser.add_argument('--method', choices=embeddings.METHODS, default='pca', help='of embeddings')
  given = parser.parse_args(arguments)
  folder, *more = given.folders
  if len(more) > {'trained': len(more), 'strengths': len(more), 'gains': 1}.get(given.name, 0):
    parser.error(f'{given.name} takes fewer folders: {" ".join(map(str, more))} is too much')
  output = given.output or folder / f'{given.name}.png'
  try:
    if given.name in OF_FOLDERS:
      for written in of_groups(OF_FOLDERS[given.name], given.folders, output):
        terminal.say(f'written: {written}')
      return 0
    if given.name == 'embeddings':
      embeddings.draw(folder, output, given.widths and widths_lib.parse_widths(given.widths), given.method)
    elif given.name == 'gains':
      gains.draw(given.folders, output)
    else:
      OF_RUNS[given.name](folder, output)
  except (MedjaxError, OSError) as error:
    terminal.say(f'error: {error}', file=sys.stderr)
    return 2
  terminal.say(f'written: {output}')
  return 0


def of_groups(
  draw: Callable[..., None], folders: Sequence[pathlib.Path], output: pathlib.Path
) -> Iterator[pathlib.Path]:
  """Draws a figure of every (data set, score) below some folders and yields their paths; several are told by name."""
  groups = collect.grouped(run for folder in folders for run in collect.collect(folder))
  for (data, score), rows in groups.items():
    path = output if len(groups) == 1 else output.with_stem(f'{output.stem}-{data}-{score}')
    draw(rows, path, f'{data}, {score}')
    yield path


if __name__ == '__main__':
  sys.exit(main())
