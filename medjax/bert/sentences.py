"""Vectors of sentences: how a folder of sentence-transformers makes them of tokens, read, computed and written."""

import json
import pathlib
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from medjax import errors
from medjax.bert.config import read_json, read_record
from medjax.saved.files import Path, write_text

MODULES, POOLING, LIMITS = 'modules.json', 'config.json', 'sentence_bert_config.json'
MODES = {'pooling_mode_mean_tokens': 'mean', 'pooling_mode_cls_token': 'cls'}
SIZES = ('word_embedding_dimension', 'embedding_dimension')  # fields of the pooling that say the hidden size


class Sentences(NamedTuple):
  """What makes a vector of a sentence of those of its tokens.

  Attributes:
    pooling: 'mean' of all tokens, or 'cls', the first one.
    normalise: whether the vector has length 1.
    place: the folder of the BERT within that of sentence-transformers.
    max_length: the most tokens, or None.
    lower: whether texts are made lower case before they are cut into tokens.
    modules: what modules.json holds; empty where there is none.
    pooled: the configuration of the pooling; empty where there is none.
  """

  pooling: str = 'cls'
  normalise: bool = False
  place: str = ''
  max_length: int | None = None
  lower: bool = False
  modules: tuple[dict[str, Any], ...] = ()
  pooled: dict[str, Any] = {}  # noqa: RUF012  (never written to)


def read(folder: Path) -> Sentences:
  """Returns how a folder makes vectors: of the first token where sentence-transformers did not write it.

  Raises:
    errors.ArtifactError: a file is missing or damaged.
    errors.ConfigError: a module or pooling that is not known here.
  """
  folder = pathlib.Path(folder)
  if not (folder / MODULES).exists():
    return Sentences()
  modules = read_json(folder / MODULES)
  if not isinstance(modules, list) or not all(isinstance(each, dict) for each in modules):
    raise errors.ArtifactError(f'{folder / MODULES} is no list of modules; copy the folder anew')
  kinds = [str(each.get('type')).rsplit('.', 1)[-1] for each in modules]
  if kinds not in (['Transformer', 'Pooling'], ['Transformer', 'Pooling', 'Normalize']):
    raise errors.ConfigError(
      f'{folder / MODULES} has the modules {", ".join(kinds)}; only Transformer, Pooling and, after them, Normalize '
      'are known. Give the folder of the BERT alone to have vectors of tokens'
    )
  places = [str(each.get('path', '')) for each in modules]
  if any(pathlib.PurePath(place).name != place for place in places):
    raise errors.ArtifactError(f'{folder / MODULES} names {", ".join(places)}, which are not all folders of this one')
  pooled = read_record(folder / places[1] / POOLING)
  limits = read_record(folder / places[0] / LIMITS) if (folder / places[0] / LIMITS).exists() else {}
  return Sentences(
    mode(pooled, folder / places[1] / POOLING),
    'Normalize' in kinds,
    places[0],
    limits.get('max_seq_length'),
    limits.get('do_lower_case') is True,
    tuple(modules),
    pooled,
  )


def mode(pooled: dict[str, Any], path: pathlib.Path) -> str:
  """Returns 'mean' or 'cls'; raises errors.ConfigError for any other pooling, and for several at once."""
  named = pooled.get('pooling_mode')  # as later versions write it
  on = [name for name, value in pooled.items() if name.startswith('pooling_mode_') and value is True]
  several = named if isinstance(named, list) else [named]
  found = several if named is not None else [MODES.get(name, name) for name in on]
  if len(found) != 1 or found[0] not in MODES.values():
    raise errors.ConfigError(
      f'{path}: the pooling is {", ".join(map(str, found)) or "none"}; only mean or cls is known'
    )
  return str(found[0])


def pool(hidden: Float[Array, 'B L H'], mask: Int[Array, 'B L'], pooling: str, normalise: bool) -> Float[Array, 'B H']:
  """Returns the vectors of sentences, float32; see `Sentences`."""
  hidden = hidden.astype(jnp.float32)
  there = mask.astype(jnp.float32)[..., None]
  mean = lambda: (hidden * there).sum(1) / jnp.maximum(there.sum(1), 1e-9)
  vectors = mean() if pooling == 'mean' else hidden[:, 0]
  length = jnp.linalg.norm(vectors, axis=-1, keepdims=True)
  return vectors / jnp.maximum(length, 1e-12) if normalise else vectors


def write(folder: Path, sentences: Sentences, width: int) -> None:
  """Writes modules.json and the configuration of the pooling for a hidden size, where there was one."""
  folder = pathlib.Path(folder)
  if not sentences.modules:
    return
  modules = [dict(each) for each in sentences.modules]
  modules[0]['path'] = ''
  write_text(folder / MODULES, json.dumps(modules, indent=2) + '\n')
  for each in modules[1:]:
    (folder / each['path']).mkdir(exist_ok=True)
  sizes = {name: width for name in SIZES if name in sentences.pooled}
  write_text(folder / modules[1]['path'] / POOLING, json.dumps(sentences.pooled | sizes, indent=2) + '\n')
