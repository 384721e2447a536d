"""Test questions at several widths: which are asked, and which answers are told to be right."""

import collections
import dataclasses

import numpy as np
import pytest

from medjax.report import samples
from medjax.serve import loading


@pytest.fixture(scope='module')
def model(trained):
  return loading.load(trained)


@pytest.mark.parametrize('count', [1, 2, 3, 6, 8])
def test_questions_are_of_test_triples_and_of_every_relation(model, count):
  triples = np.array([(2 * i, i % 7 % 3, 2 * i + 1) for i in range(12)], np.int32)  # 5, 4 and 3 of relations 0, 1, 2
  asked = samples.questions(dataclasses.replace(model.graph, test=triples), count)
  assert len(asked) == len(set(asked)) == count
  for anchor, relation, side in asked:
    assert (anchor, relation) in {(triple[0 if side == 'tail' else 2], triple[1]) for triple in triples.tolist()}
  each = collections.Counter(question.relation for question in asked)
  assert set(each) == set(range(min(count, 3))) and max(each.values()) - min(each.values()) <= 1
  assert {question.side for question in asked} == {'tail', 'head'} or count == 1


def test_no_more_is_asked_than_there_are_triples(model):
  assert len(samples.questions(model.graph, 1000)) == len(model.graph.test)


def test_answers_are_the_best_that_training_and_validation_do_not_hold(model):
  lines = samples.table(model, (4, 12), count=4, k=2).splitlines()
  assert lines[0].split() == ['test', 'question', 'width', '4', 'width', '12'] and lines[-1].startswith('* is right')
  assert len(lines) == 2 + 4 * 2
  place = lines[0].index('width 4'), lines[0].index('width 12')
  for i, question in enumerate(samples.questions(model.graph, 4)):
    anchor, relation = model.entities.labels[question.anchor], model.relations.labels[question.relation]
    tails = question.side == 'tail'
    assert lines[1 + 2 * i].startswith(f'{anchor} {relation} ?' if tails else f'? {relation} {anchor}')
    for width, first, last in ((4, *place), (12, place[1], None)):
      one = model.crop(width)
      every = one.predict_tails(anchor, relation, k=30) if tails else one.predict_heads(relation, anchor, k=30)
      best = every[~every['known'].isin(['train', 'valid'])].head(2)
      told = [f'{"*" if known == "test" else " "} {label}' for label, known in zip(best['label'], best['known'])]
      assert [line[first:last].rstrip() for line in lines[1 + 2 * i : 3 + 2 * i]] == told
