"""Entities and relations are found by label or identifier, and what is not is asked back."""

import numpy as np
import pytest

from medjax import errors
from medjax.serve import vocabulary


def test_labels_that_differ_in_case_only_are_asked_back():
  words = vocabulary.Vocabulary('entity', ('1', '2', '3'), ('Turkey', 'turkey', 'None'))
  assert (words.find('Turkey'), words.find('turkey'), words.find('none')) == (0, 1, 2)
  for name in ('TURKEY', None, True):
    with pytest.raises(errors.UnknownLabel):
      words.find(name)


def of_labels(labels, identifiers=('Q1', 'Q2', 'Q3')):
  return vocabulary.Vocabulary('entity', identifiers, labels)


def test_labels_are_found_in_any_case():
  names = of_labels(('Paris', 'paris', 'Straße'))
  assert (names.find('Paris'), names.find('paris')) == (0, 1)
  assert names.find('STRASSE') == names.find('Q3') == names.find('q3') == 2


def test_whole_numbers_are_identifiers():
  names = of_labels(('ten', 'two', 'three'), ('10', '2', '3'))
  assert names.find(2) == names.find('2') == names.find(np.int32(2)) == 1 and names.find(10) == 0
  with pytest.raises(errors.UnknownLabel, match='no entity'):
    names.find(0)


def test_equal_labels_are_told_apart():
  names = of_labels(('Mercury', 'Mercury', 'Venus'))
  assert names.find('Mercury (Q2)') == names.find('mercury (q2)') == 1 and names.labels[2] == 'Venus'
  for name in ('Mercury', 'MERCURY'):
    with pytest.raises(
      errors.UnknownLabel, match=r"2 entities called '.*': 'Mercury \(Q1\)', 'Mercury \(Q2\)'; name one"
    ):
      names.find(name)


def test_long_identifiers_do_not_hide_equal_labels():
  names = of_labels(('Twin', 'Twin', 'Other'), ('http://example.org/of/a/place/1', 'http://example.org/2', 'x'))
  with pytest.raises(errors.UnknownLabel, match=r'2 entities called .*Twin \(http://example.org/of/a/place/1\)'):
    names.find('Twin')


def test_labels_that_differ_in_case_are_told():
  with pytest.raises(errors.UnknownLabel, match="2 entities called 'PARIS': 'Paris', 'paris'"):
    of_labels(('Paris', 'paris', 'Bonn')).find('PARIS')
  with pytest.raises(errors.UnknownLabel, match="near it: 'Paris', 'paris'"):
    of_labels(('Paris', 'paris', 'Bonn')).find('pariss')


@pytest.mark.parametrize('name', ['Pariss', 3, -1, None, 1.0])
def test_unknown_names_are_refused(name):
  with pytest.raises(errors.UnknownLabel, match='the model has no entity'):
    of_labels(('Paris', 'Rome', 'Bonn')).find(name)


def test_an_unknown_name_brings_the_nearest():
  with pytest.raises(errors.UnknownLabel, match="no entity 'pariss'; near it: 'Paris'"):
    of_labels(('Paris', 'Rome', 'Bonn')).find('pariss')
