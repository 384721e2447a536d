r"""A small dense graph cut out of a larger one: its k-core, to try settings on a graph that they have not seen.

  python -m benchmarks.core --dataset=codex-m --k=15 --output=runs/core-15
  python launch.py --config=configs/best.py --config.data.path=runs/core-15 --workdir=runs/best-core-15

Entities of fewer than k triples leave, with their triples, until there are none; CoDEx's own graphs are such cores
of Wikidata (Safavi and Koutra, EMNLP 2020). Every triple that is left keeps its split.
"""

import argparse
import pathlib
import sys

import numpy as np

from medjax import config as config_lib
from medjax.data import datasets


def core(triples, k):
  """The places of the triples [M, 3] whose entities are in at least k of the places found."""
  left = np.arange(len(triples))
  while True:
    ends = triples[left][:, [0, 2]]
    counts = np.bincount(ends.ravel(), minlength=1)
    stays = (counts[ends] >= k).all(1)
    if stays.all():
      return left
    left = left[stays]


def write(graph, k, folder):
  """Writes the k-core of a graph as train.txt, valid.txt and test.txt; returns {split: triples}."""
  splits = {split: getattr(graph, split) for split in ('train', 'valid', 'test')}
  starts = np.cumsum([0, *map(len, splits.values())])
  left = core(np.concatenate(list(splits.values())), k)
  if not len(left):
    raise ValueError(f'{graph.name} has no {k}-core; lower --k')
  folder.mkdir(parents=True, exist_ok=True)
  kept = {}
  for (split, triples), start in zip(splits.items(), starts):
    kept[split] = triples[left[(left >= start) & (left < start + len(triples))] - start]
    lines = (f'{graph.entities[h]}\t{graph.relations[r]}\t{graph.entities[t]}\n' for h, r, t in kept[split])
    (folder / f'{split}.txt').write_text(''.join(lines), encoding='utf-8')
  return kept


def main(argv=None):
  parser = argparse.ArgumentParser(
    prog='python -m benchmarks.core', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--dataset', default='codex-m', help='a registered graph')
  parser.add_argument('--k', type=int, default=15, help='triples that every entity has at least')
  parser.add_argument('--output', type=pathlib.Path, required=True, help='the folder')
  options = parser.parse_args(argv)
  config = config_lib.DataConfig(name=options.dataset)
  try:
    kept = write(datasets.load(config), options.k, options.output)
  except ValueError as error:
    sys.exit(str(error))
  entities = len(np.unique(np.concatenate(list(kept.values()))[:, [0, 2]]))
  print(f'{entities:,} entities; ' + ', '.join(f'{len(rows):,} triples in {split}' for split, rows in kept.items()))


if __name__ == '__main__':
  main()
