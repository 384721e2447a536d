"""What reaches a terminal: text of people's data, with control characters shown and long labels cut.

The only module that prints. A label may hold the codes by which a terminal changes its colours, its title or what was
printed before: they are shown as \\x1b and the like, and do nothing.
"""

import re
import sys
from typing import TextIO
import unicodedata

LONGEST = 60  # characters of a label in a table
LINE = 2000  # characters of a message
JOINERS = '\u200c\u200d'  # without which some scripts and pictures fall apart
CUT = '...'


def say(text: object = '', file: TextIO | None = None, end: str = '\n', flush: bool = False) -> None:
  """Prints a text, above the bars of a progress that is under way; `plain` shows its control characters."""
  file = sys.stdout if file is None else file
  bars = sys.modules.get('tqdm')  # no bars where it is not loaded
  if bars is None:
    file.write(plain(str(text)) + end)
  else:
    bars.tqdm.write(plain(str(text)), file=file, end=end)
  if flush:
    file.flush()


def put(text: str) -> None:
  """Writes data to standard output: as they are into a file or a pipe, and as `plain` on a terminal."""
  sys.stdout.write(plain(text) if sys.stdout.isatty() else text)


def plain(text: str) -> str:
  """Returns a text of lines in which control characters are shown as escapes.

  >>> plain('a' + chr(27) + '[31m' + chr(10) + 'b')
  'a\\\\x1b[31m\\nb'
  """
  return text if text.isascii() and text.isprintable() else re.sub(r'[^ -~\t\n]', lambda found: _shown(found[0]), text)


def line(text: str, longest: int = LINE) -> str:
  """Returns a text in one line of at most so many characters, its control characters and ends of lines shown.

  >>> line('a' + chr(27) + 'b' + chr(10)), len(line('x' * 10000))
  ('a\\\\x1bb\\\\n', 2000)
  """
  shown = plain(text[: longest + 1]).replace('\n', '\\n').replace('\t', '\\t')
  return shown if len(shown) <= longest else shown[: longest - len(CUT)] + CUT


def short(label: str, longest: int = LONGEST) -> str:
  """Returns a label as a table may show it.

  >>> short('a' + chr(27) + 'b'), len(short('x' * 1000))
  ('a\\\\x1bb', 60)
  """
  return line(label, longest)


def _shown(character: str) -> str:
  """A character, or its escape where it may change what a terminal does."""
  if character.isprintable() or character in JOINERS or unicodedata.category(character) == 'Zs':
    return character
  return character.encode('unicode_escape').decode()
