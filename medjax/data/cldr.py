"""Languages, scripts and currencies of countries, as Unicode's CLDR has them; the only module that imports babel.

The data are under the Unicode licence (https://www.unicode.org/license.txt), as the package babel carries them.
"""

from collections.abc import Iterable, Iterator
import functools

import babel
from babel.core import get_global

SPOKEN = 5  # percent of the people of a country, from which on a language is told to be spoken there
OFFICIAL = ('official', 'de_facto_official')
UNKNOWN = 'und'  # the code of no language


def facts(countries: Iterable[str]) -> Iterator[tuple[str, str, str]]:
  """Yields (head, relation, tail) of identifiers such as country:FR, language:fr, script:Latn, currency:EUR.

  A language that CLDR has no English name for is left out. What is official in a whole country is spoken there.

  Args:
    countries: ISO 3166 codes of two letters; of those that CLDR lacks nothing is told.
  """
  spoken = set()
  for code in countries:
    for tag, known in get_global('territory_languages').get(code, {}).items():
      language = tag.partition('_')[0]  # sd_Deva is Sindhi
      official = known['official_status'] in OFFICIAL
      if language not in _names()['language'] or (known['population_percent'] < SPOKEN and not official):
        continue
      spoken.add(language)
      yield f'country:{code}', 'speaks', f'language:{language}'
      if official:
        yield f'country:{code}', 'official_language', f'language:{language}'
    for currency, _, until, tender in get_global('territory_currencies').get(code, ()):
      if tender and until is None:
        yield f'country:{code}', 'uses_currency', f'currency:{currency}'
  for language in spoken:
    likely = get_global('likely_subtags').get(language, '').split('_')  # fr_Latn_FR
    if len(likely) > 1:
      yield f'script:{likely[1]}', 'writes', f'language:{language}'


def name(kind: str, code: str) -> str:
  """Returns the English name of a language, script or currency, such as French, Latin script, Euro."""
  return _names()[kind][code]


@functools.cache
def _names() -> dict[str, dict[str, str]]:
  english = babel.Locale('en')
  return {
    'language': {code: name for code, name in english.languages.items() if code != UNKNOWN},
    'script': {code: f'{name} script' for code, name in english.scripts.items()},
    'currency': dict(english.currencies),
  }
