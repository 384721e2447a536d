"""What a user holds of a training: an encoder with its head, perhaps cropped, that answers sentences."""

from collections.abc import Mapping, Sequence
import dataclasses
import functools
import json
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Float32, Int, Shaped
import numpy as np

from medjax import errors
from medjax.bert import config as config_lib
from medjax.bert import examples as examples_lib
from medjax.bert import heads, stacked, weights
from medjax.bert import model as model_lib
from medjax.bert.config import BertConfig
from medjax.bert.examples import Examples
from medjax.bert.model import Encoder
from medjax.bert.tokens import Sentence
from medjax.core import axes as axes_lib
from medjax.saved import sealing, tensors
from medjax.saved.files import Path, write_text

LENGTHS = (16, 32, 64, 128, 256, 512)  # tokens that sentences are filled up to
ARCHITECTURE = 'BertForSequenceClassification'
KERNEL, BIAS = 'classifier.weight', 'classifier.bias'


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Classifier:
  """An encoder with a head.

  Attributes:
    encoder: with a pooler.
    head: {'kernel': [H, C], 'bias': [C]}.
    classes: their names; empty where it gives a number.
  """

  encoder: Encoder
  head: Mapping[str, Any]
  classes: tuple[str, ...] = ()

  def __repr__(self) -> str:
    return f'Classifier of {", ".join(self.classes) or "a number"}; {self.encoder!r}'

  @property
  def width(self) -> int:
    """Its hidden size."""
    return self.encoder.width

  @property
  def num_params(self) -> int:
    """How many numbers it stores."""
    return axes_lib.num_numbers(self.params)

  @property
  def params(self) -> dict[str, Any]:
    """{'bert': those of the encoder, 'head': the head}."""
    return {'bert': self.encoder.params, 'head': dict(self.head)}

  def scores(self, sentences: Sequence[Sentence], width: int | None = None, batch: int = 32) -> Float32[Any, 'S C']:
    """Returns the score of every class, before a softmax, or the number [S, 1], of sentences or pairs.

    Args:
      sentences: texts or pairs of them.
      width: the sub-model that answers; `crop` once where many calls follow.
      batch: the most sentences at a time.

    Raises:
      errors.WidthError: a width that it cannot be cropped to.
      errors.DataError: what is neither a text nor a pair of them.
    """
    if not len(sentences):
      return np.zeros((0, len(self.head['bias'])), np.float32)
    width = self.width if width is None else width
    self.encoder.config.cropped(width)  # refuses what cannot be
    tokens = self.encoder.tokens
    given, lengths = examples_lib.encode(tokens, sentences, None, LENGTHS, tokens.max_length)
    return scores(self.params, self.encoder.config, (width,), given, lengths, batch, self.encoder.dtype)[..., 0]

  def predict(
    self, sentences: Sequence[Sentence], width: int | None = None, batch: int = 32
  ) -> list[str] | list[float]:
    """Returns the most probable class of every sentence or pair, or the number; see `scores` for the arguments."""
    found = self.scores(sentences, width, batch)
    return [self.classes[place] for place in found.argmax(1)] if self.classes else found[:, 0].tolist()

  def probabilities(
    self, sentences: Sequence[Sentence], width: int | None = None, batch: int = 32
  ) -> Float32[Any, 'S C']:
    """Returns the probability of every class; raises errors.UsageError where the answer is a number."""
    if not self.classes:
      raise errors.UsageError('this model gives a number, which has no probability; ask predict')
    return np.asarray(jax.nn.softmax(self.scores(sentences, width, batch), 1))

  def crop(self, width: int) -> 'Classifier':
    """Returns the sub-model of a hidden size; raises errors.WidthError for one that it cannot be cropped to."""
    head = axes_lib.crop(dict(self.head), heads.AXES, width)
    return dataclasses.replace(self, encoder=self.encoder.crop(width), head=head)

  def save(self, folder: Path) -> None:
    """Writes a folder that `load` and transformers load, as a BertForSequenceClassification.

    Raises:
      errors.UsageError: the folder has files.
    """
    folder = pathlib.Path(folder)
    self.encoder.save(folder)
    arrays = {f'{weights.PREFIX}{name}': array for name, array in tensors.read(folder / weights.WEIGHTS).items()}
    kernel, bias = np.asarray(self.head['kernel']), np.asarray(self.head['bias'])
    arrays |= {KERNEL: np.ascontiguousarray(kernel.T), BIAS: bias}
    fields = config_lib.read_record(folder / config_lib.CONFIG) | labels_of(self.classes)
    with sealing.renewing(folder, weights.WEIGHTS, config_lib.CONFIG):
      tensors.write(folder / weights.WEIGHTS, arrays, {'format': 'pt'})
      write_text(folder / config_lib.CONFIG, json.dumps(fields, indent=2, sort_keys=True) + '\n')


def labels_of(classes: Sequence[str]) -> dict[str, Any]:
  """Returns the fields of config.json that name the classes, as Hugging Face has them."""
  named = classes or ('LABEL_0',)
  return {
    'architectures': [ARCHITECTURE],
    'problem_type': 'single_label_classification' if classes else 'regression',
    'id2label': {str(place): name for place, name in enumerate(named)},
    'label2id': {name: place for place, name in enumerate(named)},
  }


def load(folder: Path, width: int | None = None, dtype: str = 'float32') -> Classifier:
  """Loads a classifier or regression from a folder of Hugging Face; runs no code of it.

  Args:
    folder: with config.json, model.safetensors and the tokeniser, as `Classifier.save` and transformers write it.
    width: the hidden size of a sub-model, of which alone is read; all if not given.
    dtype: in which it computes.

  Raises:
    errors.ArtifactError: a file is missing or damaged, or has no head and pooler.
    errors.ConfigError, errors.WidthError, errors.FormatError: see `model.load`.
  """
  encoder = model_lib.load(folder, width, dtype=dtype)
  stored = weights.files(pathlib.Path(folder))
  if not {KERNEL, BIAS} <= stored.keys() or not encoder.has_pooler:
    raise errors.ArtifactError(f'{folder} has no {KERNEL} and pooler: it is an encoder without a head; train one')
  outputs, _ = stored[KERNEL].shape
  names = encoder.settings.get('id2label', {})
  if not isinstance(names, dict):
    raise errors.ArtifactError(f'{folder}: id2label of config.json is {names!r:.80}, no names. Get it again')
  number = encoder.settings.get('problem_type') == 'regression' or outputs == 1
  classes = () if number else tuple(str(names.get(str(place), f'LABEL_{place}')) for place in range(outputs))
  kernel = weights.numbers(stored[KERNEL], (outputs, encoder.width))
  head = {'kernel': jnp.asarray(kernel.T), 'bias': jnp.asarray(weights.numbers(stored[BIAS], (outputs,)))}
  return Classifier(encoder, head, classes)


def scores(
  params: Mapping[str, Any],
  config: BertConfig,
  widths: Sequence[int],
  given: Examples,
  lengths: Sequence[int],
  batch: int,
  dtype: str = 'float32',
) -> Float32[np.ndarray, 'S C N']:
  """Returns what sub-models say of examples, in their order.

  Args:
    params: {'bert': the encoder with its pooler, perhaps stacked, 'head': the head}.
    config: of the encoder.
    widths: of the sub-models.
    given: the examples, in any order.
    lengths: tokens that they are filled up to.
    batch: the most of them at a time.
    dtype: in which is computed.
  """
  params = dict(params) | {'bert': stacked.stack(params['bert'])}
  place = np.searchsorted(lengths, given.ends[:, 1])
  found = np.zeros((len(place), params['head']['bias'].shape[0], len(widths)), np.float32)
  for number, length in enumerate(lengths):
    rows = np.flatnonzero(place == number)
    size = min(batch, 1 << max(len(rows) - 1, 0).bit_length())  # rows that are there and are not looked at: few shapes
    for first in range(0, len(rows), batch):
      chosen: Int[np.ndarray, ' B'] = rows[first : first + batch]
      filled = np.resize(chosen, size)
      part = Examples(given.ids[filled, :length], given.ends[filled])
      found[chosen] = np.asarray(_say(config, tuple(widths), dtype, params, part))[: len(chosen)]
  return found


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _say(config, widths, dtype, params, part):
  batch = examples_lib.batch_of(part, jnp.arange(len(part.ids)))
  return heads.say(params, config, widths, batch, None, jnp.dtype(dtype)).scores


def answers(scores: Float32[np.ndarray, 'S C'], number: bool) -> Shaped[np.ndarray, ' S']:
  """Returns the places of the most probable classes, or the numbers."""
  return scores[:, 0] if number else scores.argmax(1)
