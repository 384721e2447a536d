"""What training a graph of millions of entities on accelerators would take, reckoned from measurements made here.

  python -m benchmarks.estimate

A step's time on a device is its bytes over the device's bandwidth, times by how much the step measured here exceeds
that bound; what the scores of all sub-models cost is scaled from the difference between the measured step of all widths
and that of one, also as bytes; scores that cross devices are bytes over the link. Bandwidths are the makers' figures.
It is arithmetic, not a measurement: no accelerator was used.
"""

import argparse
import json
import pathlib
import sys

from benchmarks import running, timing, trainings

MEASURED = pathlib.Path(__file__).parents[1] / 'docs' / 'benchmarks' / 'train_step-transe-alone.json'
BYTES = 4  # of a float32


def measured(path):
  """Returns (times the bound that a single model's step takes, bytes that a sub-model's score costs)."""
  found = json.loads(pathlib.Path(path).read_text(encoding='utf-8'))
  rate, (joint, single) = found['bytes_per_second']['median'], (s['median'] for s in found['seconds_per_step'].values())
  scores = found['batch'] * found['negatives'] * len(trainings.setup(argparse.Namespace(**found)).widths.values)
  return single * rate / sum(found['least_bytes'].values()), (joint - single) * rate / scores


def reckon(a, excess, score_bytes):
  """Returns {what: figure} of a training split along the width, with row-sparse Adam."""
  share = a.width / a.devices * BYTES  # of a row
  gathered = a.batch * (a.negatives // a.share_negatives + 3) * share
  # gather 2, scores and gradients 2, scatter 3; touched rows and their moments taken and put back 12, zeroed 1, Adam 7
  rows = 7 * gathered + 20 * gathered
  scores = a.batch * (a.negatives + 1) * a.sub_models
  crossing = 2 * (a.devices - 1) / a.devices * BYTES * scores
  seconds = excess * rows / a.bandwidth, scores * score_bytes / a.bandwidth, crossing / a.link
  steps = a.triples * a.epochs / a.batch
  hours = steps * sum(seconds) / 3600
  return {
    'tables and moments, GiB a device': 3 * (a.entities + a.relations) * share / 2**30,
    'rows, ms a step': 1e3 * seconds[0],
    'losses of all widths, ms a step': 1e3 * seconds[1],
    'scores between devices, ms a step': 1e3 * seconds[2],
    f'steps of {a.epochs} epochs': steps,
    'hours': hours,
    'device hours': hours * a.devices,
  }


def measure(arguments):
  excess, score_bytes = measured(arguments.measured)
  result = reckon(arguments, excess, score_bytes)
  lines = [
    f'Measured here: {excess:.2f} times the bound of a single model; {score_bytes:.0f} bytes a score and width.',
    '',
    timing.table([{'reckoned': name, 'figure': f'{value:,.2f}'} for name, value in result.items()]),
  ]
  return '\n'.join(lines), result


def main(argv=None):
  options = argparse.ArgumentParser(
    'python -m benchmarks.estimate',
    description=__doc__.split('\n')[0],
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  options.add_argument('--entities', type=int, default=4_594_485, help='of Wikidata5M, transductive')
  options.add_argument('--relations', type=int, default=822)
  options.add_argument('--triples', type=int, default=20_614_279)
  options.add_argument('--width', type=int, default=640)
  options.add_argument('--sub-models', type=int, default=64)
  options.add_argument('--batch', type=int, default=4096)
  options.add_argument('--negatives', type=int, default=64)
  options.add_argument('--share-negatives', type=int, default=1)
  options.add_argument('--epochs', type=int, default=100)
  options.add_argument('--devices', type=int, default=8)
  options.add_argument('--bandwidth', type=float, default=3.35e12, help='bytes per second of memory; of an H100 SXM')
  options.add_argument(
    '--link', type=float, default=4.5e11, help='bytes per second to other devices, one way; NVLink 4'
  )
  options.add_argument('--measured', default=str(MEASURED), help='JSON of benchmarks.train_step --rows=med,single')
  options.add_argument('--output', default='', help='folder for the printed text and the JSON line')
  options.add_argument('--name', default='', help='name of the saved files')
  argv = sys.argv[1:] if argv is None else list(argv)
  arguments = options.parse_args(argv)
  return running.conclude('estimate', argv, arguments, measure, 'estimate')


if __name__ == '__main__':
  main()
