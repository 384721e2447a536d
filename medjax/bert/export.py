"""An encoder as a folder that Hugging Face's transformers, or sentence-transformers, loads."""

from collections.abc import Mapping
import dataclasses
import json
import pathlib
from typing import Any

from medjax import errors
from medjax.bert import config as config_lib
from medjax.bert import sentences as sentences_lib
from medjax.bert import weights
from medjax.bert.config import BertConfig
from medjax.bert.sentences import Sentences
from medjax.core import files as files_lib
from medjax.saved import manifest, sealing
from medjax.saved.files import Path, replacing, write_text

KEPT = (  # files that a crop leaves as they are
  'tokenizer.json',
  'vocab.txt',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
)
STORED = {'architectures': ['BertModel'], 'model_type': 'bert'}  # the encoder, without heads


def write(
  folder: Path,
  config: BertConfig,
  params: dict[str, Any],
  settings: Mapping[str, Any],
  sentences: Sentences,
  files: Mapping[str, bytes],
) -> None:
  """Writes config.json, model.safetensors in float32, the tokeniser, what makes vectors of sentences, and manifests.

  Args:
    folder: a new one, or one that is empty.
    config: of the encoder.
    params: of the encoder.
    settings: all fields of the config.json that the encoder came from.
    sentences: how it makes vectors.
    files: {name: content} of `KEPT` files.

  Raises:
    errors.UsageError: the folder has files.
  """
  folder = pathlib.Path(folder)
  if folder.exists() and any(folder.iterdir()):
    raise errors.UsageError(f'{folder} has files already; name a new folder')
  folder.mkdir(parents=True, exist_ok=True)
  for name, content in files.items():
    with replacing(folder / name) as file:
      file.write(content)
  sentences_lib.write(folder, sentences, config.hidden_size)
  weights.write(folder, config, params)
  types = {name: 'float32' for name in ('torch_dtype', 'dtype') if name in settings}
  fields = dict(settings) | dataclasses.asdict(config) | STORED | types
  write_text(folder / config_lib.CONFIG, json.dumps(fields, indent=2, sort_keys=True) + '\n')
  for place in (*(below for below in folder.iterdir() if below.is_dir()), folder):
    sealing.write(place)


def read_kept(*folders: pathlib.Path) -> dict[str, bytes]:
  """Returns {name: content} of the `KEPT` files that are in any of some folders; those of the last one count."""
  found = {}
  for path in (folder / name for folder in folders for name in KEPT):
    if path.is_file():
      manifest.check(path)
      found[path.name] = files_lib.read_bytes(path, files_lib.SMALL)
  return found
