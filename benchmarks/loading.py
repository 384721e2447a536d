"""What checking the manifest costs a load: seconds with the manifests and without them, in turn.

  python -m benchmarks.loading --workdir=RUNS --output=docs/benchmarks

Of a trained run, which is copied and left as it is: the run at its full and its narrowest width, a crop of the full
width, the narrowest width out of that crop, and a crop of the narrowest width. Files lie in the memory that the system
keeps of a disk, where a check weighs most: from a disk, it reads what is read anyway.
"""

import argparse
import contextlib
import functools
import io
import pathlib
import shutil
import sys
import tempfile
import time

from medjax.core import runtime

if __name__ == '__main__':
  runtime.use_huge_pages()

from benchmarks import running, timing
from medjax.saved import manifest, verification
from medjax.serve import loading

CLOCKS = {'the clock': time.perf_counter, 'the process': time.process_time}  # the latter counts no waiting for others
CHECKED, BARE = 'with manifests', 'without'


def seconds(folder, width):
  """Returns what it takes to load a model; a folder without a manifest says so, which is not shown."""
  with contextlib.redirect_stderr(io.StringIO()):
    begun = [clock() for clock in CLOCKS.values()]
    loading.load(folder, width)
    return {name: clock() - start for (name, clock), start in zip(CLOCKS.items(), begun)}


def prepare(source, folder):
  """Writes a copy of a run and crops of it, with manifests and without; returns its widths."""
  run = folder / CHECKED / 'run'
  shutil.copytree(source, run)
  if not (run / manifest.FILE).exists():  # that of a training has hashes by pieces of tables besides
    verification.verify(run, accept=True)
  model = loading.load(run)
  widths = model.widths.values
  model.save(folder / CHECKED / 'wide')
  model.crop(widths[0]).save(folder / CHECKED / 'narrow')
  shutil.copytree(folder / CHECKED, folder / BARE)
  for path in (folder / BARE).rglob(manifest.FILE):
    path.unlink()
  return widths


def measure(arguments):
  with tempfile.TemporaryDirectory() as place:
    folder = pathlib.Path(place)
    widths = prepare(arguments.workdir, folder)
    narrow, wide = widths[0], widths[-1]
    cases = {
      f'run, width {wide}': ('run', wide),
      f'run, width {narrow} of {wide}': ('run', narrow),
      f'crop, width {wide}': ('wide', wide),
      f'crop, width {narrow} of {wide}': ('wide', narrow),
      f'crop of width {narrow}': ('narrow', narrow),
    }
    rows, told = [], []
    for name, (kind, width) in cases.items():
      of = {how: functools.partial(seconds, folder / how / kind, width) for how in (CHECKED, BARE)}
      timing.interleave(of, 2)  # once before anything is measured, and once more
      measured = timing.interleave(of, arguments.rounds)
      for clock in CLOCKS:
        each = {how: [value[clock] for value in values] for how, values in measured.items()}
        ratio, spreads = timing.ratio(each, CHECKED, BARE), {how: timing.spread(values) for how, values in each.items()}
        rows.append({'case': name, 'clock': clock, 'seconds': spreads, 'ratio': ratio})
        told.append(
          {'load of': name, 'by': clock}
          | {f'{how}, ms': f'{1e3 * spread["median"]:.1f}' for how, spread in spreads.items()}
          | {'of medians': f'{ratio["ratio_of_medians"]:.3f}', 'paired median': f'{ratio["paired_median"]:.3f}'}
          | {'paired range': f'{ratio["paired_low"]:.3f} to {ratio["paired_high"]:.3f}'}
        )
  return timing.table(told), {'rounds': arguments.rounds, 'loads': rows}


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.loading',
    description=__doc__.split('\n')[0],
    allow_abbrev=False,
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--workdir', required=True, help='a trained run')
  options.add_argument('--rounds', type=running.positive, default=25, help='times that every load is measured, in turn')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files; loading if not given')
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = options.parse_args(argv)
  return running.conclude('loading', argv, arguments, measure, 'loading')


if __name__ == '__main__':
  main()
