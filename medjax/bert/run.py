"""The folder of a croppable BERT's run: configuration, what is learned, the encoder without its numbers."""

from collections.abc import Mapping
import dataclasses
import json
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from medjax import config as config_lib
from medjax import errors
from medjax.bert import classifier as classifier_lib
from medjax.bert import config as bert_config
from medjax.bert import export, heads, stacked
from medjax.bert import leaves as leaves_lib
from medjax.bert import tokens as tokens_lib
from medjax.bert.classifier import Classifier
from medjax.bert.model import Encoder
from medjax.config.text import TextConfig
from medjax.core import axes as axes_lib
from medjax.saved import checkpoint, manifest, restore, sealing, workdir
from medjax.saved.files import FORMAT, Path, read_bytes, reading, replacing, write_text

LEARNED, ENCODER = 'learned.json', 'encoder'


@dataclasses.dataclass(frozen=True)
class Learned:
  """What a run learns: learned.json.

  Attributes:
    task: its name.
    data: a hash of the training examples.
    classes: their names; empty where a number is learned.
    metrics: what judges.
    mean, deviation: of the training numbers, which are learned as numbers of mean 0 and deviation 1.
  """

  task: str
  data: str
  classes: tuple[str, ...]
  metrics: tuple[str, ...]
  mean: float = 0.0
  deviation: float = 1.0

  @property
  def number(self) -> bool:
    """Whether a number is learned."""
    return not self.classes

  @property
  def outputs(self) -> int:
    """How many scores an example gets."""
    return len(self.classes) or 1


def write(folder: Path, config: TextConfig, learned: Learned, encoder: Encoder) -> None:
  """Fills the folder of a new run; a folder that has text.json is complete."""
  folder = pathlib.Path(folder)
  place = folder / ENCODER
  place.mkdir(parents=True, exist_ok=True)
  for name, content in encoder.files.items():
    with replacing(place / name) as file:
      file.write(content)
  fields = dict(encoder.settings) | dataclasses.asdict(encoder.config)
  write_text(place / bert_config.CONFIG, json.dumps(fields, indent=2, sort_keys=True) + '\n')
  sealing.write(place)
  write_text(folder / LEARNED, json.dumps({'format': FORMAT} | dataclasses.asdict(learned), indent=1) + '\n')
  write_config(folder, config)
  seal(folder)


def seal(folder: Path) -> None:
  """Writes the manifest of a run's own files."""
  sealing.write(folder, (LEARNED, workdir.TEXT))


def write_config(folder: Path, config: TextConfig) -> None:
  """Writes text.json."""
  with sealing.renewing(folder, workdir.TEXT):
    write_text(pathlib.Path(folder) / workdir.TEXT, json.dumps(config_lib.flatten(config), indent=1) + '\n')


def read_config(folder: Path) -> TextConfig | None:
  """Returns the resolved configuration of a run, or None where there is none."""
  path = pathlib.Path(folder) / workdir.TEXT
  if not path.exists():
    manifest.check(path)
    return None
  with reading(path):
    return config_lib.updated(TextConfig(), json.loads(read_bytes(path)))


def read_learned(folder: Path) -> Learned:
  """Returns what a run learns; raises errors.ArtifactError where that is missing or damaged."""
  path = pathlib.Path(folder) / LEARNED
  with reading(path):
    fields = json.loads(read_bytes(path))
    if fields.pop('format') != FORMAT:
      raise ValueError('another format')
    tuples: dict[str, Any] = {
      name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Learned(**tuples)


def read_encoder(folder: Path, config: TextConfig) -> Encoder:
  """Returns the encoder of a run, whose numbers are all 0.

  Raises:
    errors.ArtifactError, errors.ConfigError, errors.FormatError: see `model.load`.
  """
  place = pathlib.Path(folder) / ENCODER
  manifest.check_there(place, export.KEPT)
  own, settings = bert_config.read(place)
  zeros = leaves_lib.nested((leaf, np.zeros(leaf.shape(own), np.float32)) for leaf in leaves_lib.leaves(own))
  tokens = tokens_lib.load(place, own, config.data.max_length)
  return Encoder(own, zeros, tokens, settings=settings, files=export.read_kept(place), dtype=config.bert.dtype)


def load(folder: Path, width: int | None = None) -> Classifier:
  """Returns the classifier of a run, or of a folder of Hugging Face.

  Args:
    folder: a run, of whose checkpoints the best by validation counts, else the latest; or such a folder.
    width: the hidden size of a sub-model, of which alone is read; the widest if not given.

  Raises:
    errors.UsageError: a width that a run has not trained.
    errors.CheckpointError: a run without checkpoints, or damaged ones.
    errors.ArtifactError, errors.ConfigError, errors.FormatError: see `classifier.load`.
  """
  config = read_config(folder)
  if config is None:
    return classifier_lib.load(folder, width)
  encoder, learned = read_encoder(folder, config), read_learned(folder)
  width = encoder.width if width is None else width
  axes = heads.axes(encoder.config)
  checkpoints = checkpoint.Checkpoints(pathlib.Path(folder) / 'checkpoints', read_only=True, axes=axes)
  shapes = jax.eval_shape(
    lambda: {
      'bert': stacked.stack(encoder.params),
      'head': heads.init(jax.random.key(0), encoder.config, learned.outputs),
    }
  )
  encoder.config.cropped(width)  # refuses what cannot be
  params = checkpoints.restore_params(axes_lib.crop_shapes(shapes, axes, width), restore.chosen_step(checkpoints))
  checkpoints.close()
  small = dataclasses.replace(encoder, config=encoder.config.cropped(width), params=stacked.unstack(params['bert']))
  return Classifier(small, in_units(params['head'], learned), learned.classes)


def in_units(head: Mapping[str, Any], learned: Learned) -> dict[str, Any]:
  """Returns a head whose numbers are in the units of the data; of classes, it is the same."""
  return {
    'kernel': jnp.asarray(head['kernel']) * learned.deviation,
    'bias': jnp.asarray(head['bias']) * learned.deviation + learned.mean,
  }


def against(there: TextConfig, now: TextConfig, folder: Path) -> None:
  """Raises errors.UsageError where a run cannot go on under a configuration, since it would be another training."""
  ignored = ('data.path', 'bert.weights', 'objective.teacher')  # whose content is known by hash, or in checkpoints
  lines = [
    f'{field}: {old!r} there, {new!r} now'
    for field, (old, new) in config_lib.differing(there, now).items()
    if field not in ignored
  ]
  if lines:
    raise errors.UsageError(
      f'{folder} holds a run of another configuration:\n  '
      + '\n  '.join(lines)
      + '\nName another --workdir, or delete this one to start anew.'
    )
