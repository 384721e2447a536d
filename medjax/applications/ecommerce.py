"""A synthetic shop (see `market`) as text for --mode=prepare, at any size, or as a `Shop` in memory."""

import contextlib
import pathlib

from jaxtyping import Int, UInt8
import numpy as np
import pandas as pd

from medjax.applications import market as market_lib
from medjax.applications import shop as shop_lib
from medjax.applications.market import Market
from medjax.applications.shop import Shop, TRIPLE
from medjax.saved import files

SPLITS = ('train', 'valid', 'test')
LABEL_FILES = ('train', 'labels-valid', 'labels-test')
YEAR = 365 * 86400.0  # seconds


def write(market: Market, folder: str | pathlib.Path) -> int:
  """Writes train.tsv, valid.tsv, test.tsv, labels-valid.tsv and labels-test.tsv; returns their bytes.

  The first three are a graph for `data.path`: the purchases of some users are validated and tested on. The other two
  hold the labels of users whose labels train lacks.

  Args:
    market: its size and seed.
    folder: where; it is made, and files of these names are replaced.
  """
  folder = pathlib.Path(folder)
  folder.mkdir(parents=True, exist_ok=True)
  names = dict.fromkeys((*SPLITS, *LABEL_FILES))
  with contextlib.ExitStack() as stack:
    opened = {name: stack.enter_context(files.replacing(folder / f'{name}.tsv')) for name in names}
    put = lambda name, *triple: opened[name].write(lines(market, *triple).data)
    for file in opened.values():
      file.write(('\t'.join(TRIPLE) + '\n').encode())
    for fact in market_lib.facts(market):
      put('train', *fact)
    for chunk in market_lib.chunks(market):
      users = chunk.first + np.arange(len(chunk.labelled))
      for attribute, values in chunk.attributes.items():
        asked = chunk.labelled if attribute in market_lib.LABELS else np.zeros_like(chunk.labelled)
        for place, name in enumerate(LABEL_FILES):
          rows = (values >= 0) & (asked == place)
          put(name, ('user', users[rows]), attribute, (attribute, values[rows]))
      for i, relation in enumerate(market_lib.RELATIONS):
        for place, name in enumerate(SPLITS):
          rows = (chunk.relations == i) & (chunk.places == place)
          put(name, ('user', chunk.users[rows]), relation, ('item', chunk.items[rows]))
    return sum(file.tell() for file in opened.values())


def lines(
  market: Market, head: tuple[str, Int[np.ndarray, ' n']], relation: str, tail: tuple[str, Int[np.ndarray, ' n']]
) -> UInt8[np.ndarray, 'n bytes']:
  """Returns the lines of triples of one relation as bytes; they are equally long, since numbers have leading zeros."""
  row, blanks = b'', []
  for (kind, numbers), end in ((head, f'\t{relation}\t'), (tail, '\n')):
    digits = digits_of(market, kind)
    row += f'{kind}:'.encode()
    blanks.append((numbers, len(row), digits))
    row += b'0' * digits + end.encode()
  text = np.tile(np.frombuffer(row, np.uint8), (len(head[1]), 1))
  for numbers, first, digits in blanks:
    rest = numbers.astype(np.uint32)
    for place in reversed(range(first, first + digits)):
      rest, digit = np.divmod(rest, 10)
      text[:, place] += digit.astype(np.uint8)
  return text


def make(market: Market) -> Shop:
  """Returns a shop in memory, for up to about a million users.

  What is bought is rated 5 and what is viewed 1; their times are drawn. Nothing is held out.
  """
  users, interactions = [], []
  for number, chunk in enumerate(market_lib.chunks(market)):
    texts = {
      attribute: pd.Series(_numbers(market, attribute, values)).where(values >= 0)
      for attribute, values in chunk.attributes.items()
    }
    index = names(market, 'user', chunk.first + np.arange(len(chunk.labelled)))
    users.append(pd.DataFrame(texts).set_axis(index))
    draw = np.random.RandomState([market.seed, 3, number])
    frame = pd.DataFrame(
      {
        'user': names(market, 'user', chunk.users),
        'item': names(market, 'item', chunk.items),
        'rating': np.where(chunk.relations == 1, 5.0, 1.0),
        'time': YEAR * draw.random_sample(len(chunk.users)),
      }
    )
    # within a user, views come before purchases
    interactions.append(frame.drop_duplicates(['user', 'item'], keep='last'))
  every, items = pd.concat(users), names(market, 'item', np.arange(market.items))
  facts = [
    pd.DataFrame({'head': names(market, *head), 'relation': relation, 'tail': names(market, *tail)})
    for head, relation, tail in market_lib.facts(market)
  ]
  return Shop(
    f'ecommerce-{market.users}',
    every,
    pd.DataFrame({shop_lib.LABEL: [item.replace(':', ' ') for item in items]}, items),
    pd.concat(interactions, ignore_index=True),
    pd.concat(facts, ignore_index=True),
    shop_lib.values_of(every, list(market_lib.LABELS)),
    notes=(f'synthetic: {market.users:,} users, seed {market.seed}', 'rated 5: bought, 1: viewed'),
  )


def names(market: Market, kind: str, numbers: Int[np.ndarray, ' n']) -> list[str]:
  """Returns the identifiers of entities, as they stand in the text."""
  return [f'{kind}:{number}' for number in _numbers(market, kind, numbers)]


def digits_of(market: Market, kind: str) -> int:
  """Returns how many digits the numbers of a kind of entity have."""
  return len(str(market.sizes[kind] - 1))


def _numbers(market: Market, kind: str, numbers: Int[np.ndarray, ' n']) -> list[str]:
  digits = digits_of(market, kind)
  return [f'{number:0{digits}d}' for number in numbers.tolist()]
