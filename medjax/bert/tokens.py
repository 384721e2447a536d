"""Sentences to tokens, and tokens to batches of few shapes; the only module that imports the package tokenizers."""

from collections.abc import Sequence
import dataclasses
import math
import pathlib
from typing import Any, NamedTuple

from jaxtyping import Int32
import numpy as np

from medjax import errors
from medjax.bert.config import BertConfig, read_record
from medjax.core import files
from medjax.saved import manifest
from medjax.saved.files import Path

Sentence = str | tuple[str, str]  # one, or a pair
TOKENIZER, VOCABULARY, SETTINGS = 'tokenizer.json', 'vocab.txt', 'tokenizer_config.json'
LARGEST = 128 * 2**20  # bytes of a tokenizer.json: ten times those of the largest vocabularies
SHORTEST = 16  # the first length that sentences are filled up to; then come its doubles
SPECIAL = {
  'unk_token': '[UNK]',
  'sep_token': '[SEP]',
  'cls_token': '[CLS]',
  'pad_token': '[PAD]',
  'mask_token': '[MASK]',
}


class Batch(NamedTuple):
  """Tokens of several sentences, filled up to one length.

  Attributes:
    ids: of tokens.
    mask: 1 where there is a token, 0 where there is filling.
    types: 1 for tokens of the second sentence of a pair, 0 for all others.
  """

  ids: Int32[np.ndarray, 'B L']
  mask: Int32[np.ndarray, 'B L']
  types: Int32[np.ndarray, 'B L']


@dataclasses.dataclass(frozen=True)
class Tokens:
  """A tokeniser.

  Attributes:
    tokenizer: of the package tokenizers, which neither cuts nor fills up.
    max_length: the most tokens of a sentence or pair, special ones included; the longer sentence is cut first.
    pad: the id of filling.
    lower: whether texts are made lower case first, whatever the tokeniser itself does.
  """

  tokenizer: Any
  max_length: int
  pad: int = 0
  lower: bool = False

  def encode(self, sentences: Sequence[Sentence], max_length: int | None = None) -> list[tuple[list[int], list[int]]]:
    """Returns (ids, types) of every sentence or pair.

    Args:
      sentences: texts, or pairs of them.
      max_length: the most tokens, if fewer than the tokeniser's own.

    Raises:
      errors.DataError: what is neither a text nor a pair of them, or no room for a token.
    """
    for number, sentence in enumerate(sentences):
      if not is_text(sentence) and not is_pair(sentence):
        raise errors.DataError(
          f'sentence {number} is {sentence!r}, but has to be a text, or a pair of texts, of whole characters'
        )
    length = self.max_length if max_length is None else min(max_length, self.max_length)
    pairs = any(not isinstance(sentence, str) for sentence in sentences)
    if length <= self.tokenizer.num_special_tokens_to_add(pairs):
      raise errors.DataError(f'max_length={length} has no room for tokens beside the special ones; take a larger one')
    self.tokenizer.enable_truncation(length, strategy='longest_first')
    own = str.lower if self.lower else str
    inputs = [own(each) if isinstance(each, str) else tuple(map(own, each)) for each in sentences]
    return [(one.ids, one.type_ids) for one in self.tokenizer.encode_batch(inputs)]

  def batch(self, sentences: Sequence[Sentence], length: int | None = None) -> Batch:
    """Returns a `Batch` of sentences, filled up to the next length of `bucket`.

    Args:
      sentences: texts, or pairs of them; see `encode` for what it raises.
      length: cut and filled up to exactly this instead.
    """
    found = self.encode(sentences, length)
    longest = max((len(ids) for ids, _ in found), default=0)
    return fill(found, length or bucket(longest, self.max_length), self.pad)


def fill(encoded: Sequence[tuple[Sequence[int], Sequence[int]]], length: int, pad: int = 0) -> Batch:
  """Returns (ids, types) of sentences, none of them longer than `length`, as a `Batch` of that length."""
  shape = (len(encoded), length)
  ids, mask, types = np.full(shape, pad, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.int32)
  for row, (own, kinds) in enumerate(encoded):
    ids[row, : len(own)], mask[row, : len(own)], types[row, : len(own)] = own, 1, kinds
  return Batch(ids, mask, types)


def bucket(length: int, largest: int) -> int:
  """Returns the length that sentences of a length are filled up to, so that few programs are compiled.

  >>> [bucket(length, 100) for length in (3, 16, 17, 70)]
  [16, 16, 32, 100]
  """
  filled = SHORTEST
  while filled < length:
    filled *= 2
  return min(filled, largest)


def load(folder: Path, config: BertConfig, max_length: int | None = None, lower: bool = False) -> Tokens:
  """Returns the tokeniser of a folder: that of tokenizer.json, or WordPiece of vocab.txt.

  Args:
    folder: of Hugging Face.
    config: of the BERT that reads the tokens.
    max_length: the most tokens; what the folder says if not given, and never more than there are positions.
    lower: see `Tokens`.

  Raises:
    errors.ArtifactError: a file is missing or damaged, or has more tokens than the BERT.
    errors.FormatError: the package tokenizers is not installed.
  """
  folder = pathlib.Path(folder)
  settings = read_record(folder / SETTINGS) if (folder / SETTINGS).exists() else {}
  path = folder / (TOKENIZER if (folder / TOKENIZER).exists() else VOCABULARY)
  if not path.exists():
    raise errors.ArtifactError(f'{folder} has neither {TOKENIZER} nor {VOCABULARY}; copy one of them there')
  manifest.check(path)
  library = package()
  names = {name: text(settings.get(name), default) for name, default in SPECIAL.items()}
  try:
    tokenizer = (
      library.Tokenizer.from_buffer(files.read_bytes(path, LARGEST))
      if path.name == TOKENIZER
      else word_pieces(library, path, settings, names)
    )
  except errors.ArtifactError:
    raise
  except Exception as error:  # the package raises nothing narrower
    raise errors.ArtifactError(f'{path} is no tokeniser of a BERT ({error}); copy the folder anew') from error
  tokenizer.no_padding()
  if (size := max(tokenizer.get_vocab().values(), default=0) + 1) > config.vocab_size:
    raise errors.ArtifactError(f'{path} has {size} tokens, but the BERT of config.json only {config.vocab_size}')
  limits = (config.max_position_embeddings, max_length, settings.get('model_max_length'))
  most = int(min(limit for limit in limits if isinstance(limit, (int, float)) and not math.isnan(limit)))
  pad = tokenizer.token_to_id(names['pad_token'])
  return Tokens(tokenizer, most, 0 if pad is None else pad, lower)


def word_pieces(library: Any, path: pathlib.Path, settings: dict[str, Any], names: dict[str, str]) -> Any:
  """Returns the WordPiece tokeniser of a vocab.txt, with the settings of a tokenizer_config.json."""
  lines = files.read_text(path, files.SETTINGS).split('\n')
  vocabulary = {line.rstrip('\r'): row for row, line in enumerate(lines) if line or row < len(lines) - 1}
  made = library.implementations.BertWordPieceTokenizer(
    vocabulary,
    **names,
    handle_chinese_chars=settings.get('tokenize_chinese_chars', True),
    strip_accents=settings.get('strip_accents'),
    lowercase=settings.get('do_lower_case', True),
  )
  return library.Tokenizer.from_str(made.to_str())


def text(token: Any, default: str) -> str:
  """Returns a special token as a settings file writes it: a text, or a record with its content."""
  if isinstance(token, dict):
    token = token.get('content')
  return token if isinstance(token, str) else default


def is_text(part: Any) -> bool:
  """Whether something is a text without halves of characters, which no tokeniser reads."""
  if not isinstance(part, str):
    return False
  try:
    part.encode()
  except UnicodeEncodeError:
    return False
  return True


def is_pair(sentence: Any) -> bool:
  """Whether something is two texts."""
  return isinstance(sentence, (tuple, list)) and len(sentence) == 2 and all(map(is_text, sentence))


def package() -> Any:
  """Returns the package tokenizers; raises errors.FormatError, which names the extra, where it is not installed."""
  try:
    import tokenizers
  except ImportError:
    raise errors.FormatError("tokens need the package tokenizers: pip install 'medjax[bert]'") from None
  return tokenizers
