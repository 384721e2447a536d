"""The figures of `benchmarks.ecommerce`, of scores whose answers are known; its parts are those of other commands."""

import collections
import json

import numpy as np
import pytest

from benchmarks import ecommerce, shrinkage
from medjax.applications import market


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
  folder = tmp_path_factory.mktemp('drawn')
  ecommerce.main([f'--write={folder}', '--users=1000'])
  return folder


def test_a_drawn_text_is_told(tmp_path, capsys):
  ecommerce.main([f'--write={tmp_path}', '--users=1000'])
  printed = json.loads(capsys.readouterr().out)
  assert printed['bytes'] == sum(path.stat().st_size for path in tmp_path.iterdir()) and printed['seconds_alone'] > 0
  assert 'python -m benchmarks.ecommerce' in ecommerce.__doc__


def test_counts_are_those_of_train(drawn):
  counts, rows = ecommerce.counted(drawn), ecommerce.read(drawn / 'train.tsv')
  assert set(counts) == {'bought', *market.LABELS}
  for relation, found in counts.items():
    assert found == collections.Counter(tail for _, name, tail in rows if name == relation) and len(found) > 1


def test_hits_count_ties_by_their_share():
  scores = np.zeros((3, 101))
  scores[0, 0], scores[1, 1:] = 1, 1  # the best, the worst, all alike
  assert ecommerce.hits(scores) == pytest.approx((1 + 0 + 10 / 101) / 3)


def test_scores_that_know_are_right_and_others_are_not(drawn):
  counts, rows = ecommerce.counted(drawn), ecommerce.read(drawn / 'labels-test.tsv')
  true = {tuple(row) for row in rows}
  knows = lambda heads, relation, tails: np.array([float((h, relation, t) in true) for h, t in zip(heads, tails)])
  found = ecommerce.label_accuracy(knows, rows, counts)
  assert all(found[label]['accuracy'] == 1 > found[label]['most frequent'] > 0 for label in market.LABELS)
  assert sum(found[label]['asked'] for label in market.LABELS) == len(rows)
  wrong = ecommerce.label_accuracy(lambda *triple: -knows(*triple), rows, counts)
  assert all(wrong[label]['accuracy'] == 0 for label in market.LABELS)

  bought = ecommerce.read(drawn / 'test.tsv')
  held = {tuple(row) for row in bought}
  score = lambda heads, relation, tails: np.array([float((h, relation, t) in held) for h, t in zip(heads, tails)])
  items = [f'item:{i:03}' for i in range(500)]
  asked = ecommerce.purchase_hits(score, bought, counts, items)
  assert (
    asked['hits'] == 1 > asked['most bought'] > asked['chance'] == 10 / 101 and asked['asked'] == len(bought) == 100
  )


def test_the_text_tells_the_figures():
  usage = {'seconds': 2.0, 'mib': 300.0}
  label = {'accuracy': 0.5, 'most frequent': 0.25, 'asked': 7}
  one = {
    'bytes': 2**21,
    'mib': 50.0,
    'load': 1.0,
    'question': 0.002,
    'labels': dict.fromkeys(market.LABELS, label),
    'purchases': {'hits': 0.75, 'most bought': 0.2, 'chance': 10 / 101, 'asked': 9},
  }
  result = {
    'users': 1000,
    'items': 500,
    'triples': 7243,
    'entities': 1900,
    'draw': usage | {'bytes': 2**20, 'seconds_alone': 0.5},
    'prepare': usage,
    'train': usage,
    'steps': {'count': 10, 'batch': 64, 'losses': [1.0]},
    'store_bytes': 2**20,
    'served': {8: one, 16: one},
  }
  result['steps']['count'] = 200
  text = ecommerce.told(result, (8, 16))
  for words in ('1,000 users', '1.77 times', '2.0', '0.500', '0.250', '0.750', '0.200', '0.099', '7 of age group'):
    assert words in text, words


def test_a_training_that_has_not_seen_every_triple_is_not_judged():
  usage = {'seconds': 2.0, 'mib': 300.0}
  one = {'bytes': 2**21, 'mib': 50.0, 'load': 1.0, 'question': 0.002}
  result = dict.fromkeys(('prepare', 'train'), usage) | {
    'users': 1000,
    'items': 500,
    'triples': 7243,
    'entities': 1900,
    'draw': usage | {'bytes': 2**20, 'seconds_alone': 0.5},
    'steps': {'count': 10, 'batch': 64, 'losses': [1.0]},
    'store_bytes': 2**20,
    'served': {8: one},
  }
  text = ecommerce.told(result, (8,))
  assert '0.09 times' in text and 'question, ms' in text and 'purchase' not in text and 'chance' not in text


def test_what_a_regulariser_does_is_told(capsys):
  shrinkage.main(['--runs=1000:4:64', '--strengths=0.05', '--width=8'])
  text, line = capsys.readouterr().out.strip().rsplit('\n', 1)
  (row,) = json.loads(line)['rows']
  assert row['epochs'] == pytest.approx(4 * 64 / market.Market(1000).triples) and row['chance'] == 10 / 101
  assert 0 < row['hits'] < 1 and row['norm, bought least'] > 0 and f'{row["most bought"]:.3f}' in text
  assert 'python -m benchmarks.shrinkage' in shrinkage.__doc__
