"""A BERT's parameters in files of safetensors as Hugging Face writes them: one, or several with an index.

A sub-model is read out of the files of its full model by the first entries of every axis, and nothing else of them is.
Whatever is in the files is used, known to be left out, or refused by name.
"""

from collections.abc import Iterable
import pathlib
from typing import Any, NamedTuple

from flax import traverse_util
from jaxtyping import Float32
import numpy as np

from medjax import errors
from medjax.bert import leaves as leaves_lib
from medjax.bert.config import BertConfig, read_record
from medjax.saved import manifest, tensors
from medjax.saved.files import Path
from medjax.saved.tensors import Stored

WEIGHTS, INDEX = 'model.safetensors', 'model.safetensors.index.json'
PREFIX = 'bert.'  # of the encoder in models that have a head
HEADS = ('cls.', 'classifier.', 'qa_outputs.')  # what models have on top of the encoder
BUFFERS = ('embeddings.position_ids', 'embeddings.token_type_ids')  # constants that older files have
OLD = {'LayerNorm.gamma': 'LayerNorm.weight', 'LayerNorm.beta': 'LayerNorm.bias'}  # names of the first release
NUMBERS = ('F16', 'BF16', 'F32', 'F64')
OTHERS = ('pytorch_model.bin', 'pytorch_model.bin.index.json', 'tf_model.h5', 'flax_model.msgpack')
TOLD = 8  # names that a message tells


class Weights(NamedTuple):
  """What was read.

  Attributes:
    params: float32, as `leaves` lists them.
    left_out: the names of what the files have besides.
  """

  params: dict[str, Any]
  left_out: tuple[str, ...]


def read(folder: Path, config: BertConfig, small: BertConfig | None = None) -> Weights:
  """Reads a BERT, or a sub-model of it.

  Args:
    folder: with model.safetensors, or model.safetensors.index.json and the files that it names.
    config: of the BERT that the files hold.
    small: of the sub-model, see `BertConfig.cropped`; all of it if not given.

  Raises:
    errors.ArtifactError: a file is missing or damaged, or arrays are missing, unknown or of other shapes than the
      configuration says.
  """
  folder = pathlib.Path(folder)
  found, left_out = own(files(folder), folder)
  pooler = any(name.startswith(f'{leaves_lib.POOLER}.') for name in found)
  expected = {leaf.name: leaf for leaf in leaves_lib.leaves(config, pooler)}
  if unknown := found.keys() - expected.keys():
    raise errors.ArtifactError(
      f'{folder} has arrays that no BERT of {config.num_hidden_layers} layers has: {listed(unknown)}; is config.json '
      'that of another model?'
    )
  if missing := expected.keys() - found.keys():
    raise errors.ArtifactError(f'{folder} lacks arrays of the encoder: {listed(missing)}; copy the folder anew')
  for name, leaf in expected.items():
    check(name, found[name], leaf.stored_shape(config))
  small = small or config
  params = leaves_lib.nested(
    (leaf, leaf.from_stored(numbers(found[leaf.name], leaf.stored_shape(small)), small))
    for leaf in leaves_lib.leaves(small, pooler)
  )
  return Weights(params, left_out)


def write(folder: Path, config: BertConfig, params: dict[str, Any]) -> None:
  """Writes model.safetensors with the names of Hugging Face's BertModel."""
  flat = traverse_util.flatten_dict(params)
  found = leaves_lib.leaves(config, leaves_lib.POOLER in params)
  arrays = {leaf.name: leaf.to_stored(flat[leaf.path]) for leaf in found}
  tensors.write(pathlib.Path(folder) / WEIGHTS, arrays, {'format': 'pt'})


def files(folder: pathlib.Path) -> dict[str, Stored]:
  """Returns {name: `Stored`} of all arrays in the files of a folder; see `read` for what it raises."""
  if (folder / WEIGHTS).exists():
    return opened(folder / WEIGHTS)
  if not (folder / INDEX).exists():
    other = next((name for name in OTHERS if (folder / name).exists()), None)
    why = (
      f'{other} is not read, since loading it could run code; save the model as safetensors where it was made, by '
      'model.save_pretrained(folder, safe_serialization=True)'
      if other
      else f'is {folder} a folder of a Hugging Face BERT?'
    )
    raise errors.ArtifactError(f'{folder / WEIGHTS} is missing; {why}')
  places = read_record(folder / INDEX).get('weight_map')
  if not isinstance(places, dict) or not all(isinstance(place, str) for place in places.values()):
    raise errors.ArtifactError(f'{folder / INDEX} has no weight_map of names to files; copy the folder anew')
  shards = {}
  for place in sorted(set(places.values())):
    if pathlib.PurePath(place).name != place:
      raise errors.ArtifactError(f'{folder / INDEX} names {place!r}, which is no file of this folder')
    shards[place] = opened(folder / place)
  if absent := [name for name, place in places.items() if name not in shards[place]]:
    raise errors.ArtifactError(f'{folder / INDEX} names arrays that their files lack: {listed(absent)}')
  return {name: shards[place][name] for name, place in places.items()}


def opened(path: pathlib.Path) -> dict[str, Stored]:
  """Returns {name: `Stored`} of one file."""
  manifest.check(path)
  try:
    return tensors.stored(path)
  except FileNotFoundError:
    raise errors.ArtifactError(f'{path} is missing; copy the folder anew') from None
  except (OSError, ValueError) as error:
    raise errors.ArtifactError(f'{path} is damaged or no safetensors ({error}); copy the folder anew') from error


def own(found: dict[str, Stored], folder: pathlib.Path) -> tuple[dict[str, Stored], tuple[str, ...]]:
  """Returns ({name without prefix: `Stored`} of the encoder, names of heads and buffers, which are left out)."""
  prefix = PREFIX if any(name.startswith(PREFIX) for name in found) else ''
  encoder: dict[str, Stored] = {}
  left_out = []
  for name, stored in found.items():
    plain = name.removeprefix(prefix)
    for old, new in OLD.items():
      plain = plain[: -len(old)] + new if plain.endswith(old) else plain
    if plain in BUFFERS or name.startswith(HEADS):
      left_out.append(name)
    elif plain in encoder:
      raise errors.ArtifactError(f'{folder} has {plain} twice, once as {name}; which one is meant cannot be known')
    else:
      encoder[plain] = stored
  return encoder, tuple(sorted(left_out))


def check(name: str, stored: Stored, shape: tuple[int, ...]) -> None:
  """Raises errors.ArtifactError for an array of another shape, or of what are no numbers with a fraction."""
  if stored.shape != shape:
    raise errors.ArtifactError(
      f'{stored.path}: {name} has shape {list(stored.shape)}, but config.json says {list(shape)}'
    )
  if stored.dtype not in NUMBERS:
    raise errors.ArtifactError(
      f'{stored.path}: {name} is of type {stored.dtype}, and only {", ".join(NUMBERS)} are read; save it as one of them'
    )


def numbers(stored: Stored, shape: tuple[int, ...]) -> Float32[np.ndarray, '...']:
  """Returns the first entries of an array as float32."""
  return np.asarray(stored.first(shape)).astype(np.float32)


def listed(names: Iterable[str]) -> str:
  """Returns the first of some names, and how many more there are."""
  names = sorted(names)
  more = f' and {len(names) - TOLD} more' if len(names) > TOLD else ''
  return ', '.join(names[:TOLD]) + more
