"""Draws one figure of saved runs.

  python -m medjax.report.figures NAME FOLDER [--output=FILE.png] [--widths=10,40,160] [--method=pca]

NAME is one of
  quality      MRR and Hits@10 against width, all methods below FOLDER
  sub-models   the number of sub-models against quality and cost, the runs below FOLDER
  overlap      queries that narrow sub-models answer and wide ones keep (needs --mode=evaluate --ranks)
  embeddings   the same entities at several widths (--method=tsne needs the extra 'figures')
  curves       training curves of a run
  gradients    where the sub-models of a run agree: cosines of their gradients
  weights      weights of triples under evolutionary improvement at a run's checkpoints
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
import pathlib
import sys

from medjax.core import widths as widths_lib
from medjax.errors import MedjaxError
from medjax.report import collect
from medjax.report.figures import curves, embeddings, gradients, overlap, quality, sub_models, weights

OF_FOLDERS = {'quality': quality.draw, 'sub-models': sub_models.draw}
OF_RUNS = {'overlap': overlap.draw, 'curves': curves.draw, 'gradients': gradients.draw, 'weights': weights.draw}


def main(arguments: Sequence[str] | None = None) -> int:
  """Draws what the arguments name; returns the process's exit code."""
  parser = argparse.ArgumentParser(
    'python -m medjax.report.figures', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('name', choices=[*OF_FOLDERS, *OF_RUNS, 'embeddings'])
  parser.add_argument('folder', type=pathlib.Path)
  parser.add_argument('--output', type=pathlib.Path, help='the PNG; NAME.png in FOLDER if not given')
  parser.add_argument('--widths', help='of embeddings, as in 10,40,160')
  parser.add_argument('--method', choices=embeddings.METHODS, default='pca', help='of embeddings')
  given = parser.parse_args(arguments)
  output = given.output or given.folder / f'{given.name}.png'
  try:
    if given.name in OF_FOLDERS:
      for written in of_groups(OF_FOLDERS[given.name], given.folder, output):
        print(f'written: {written}')
      return 0
    if given.name == 'embeddings':
      embeddings.draw(given.folder, output, given.widths and widths_lib.parse_widths(given.widths), given.method)
    else:
      OF_RUNS[given.name](given.folder, output)
  except (MedjaxError, OSError) as error:
    print(f'error: {error}', file=sys.stderr)
    return 2
  print(f'written: {output}')
  return 0


def of_groups(draw: Callable[..., None], folder: pathlib.Path, output: pathlib.Path) -> Iterator[pathlib.Path]:
  """Draws a figure of every (data set, score) below a folder and yields their paths; several are numbered by name."""
  groups = collect.grouped(collect.collect(folder))
  for (data, score), rows in groups.items():
    path = output if len(groups) == 1 else output.with_stem(f'{output.stem}-{data}-{score}')
    draw(rows, path, f'{data}, {score}')
    yield path


if __name__ == '__main__':
  sys.exit(main())
