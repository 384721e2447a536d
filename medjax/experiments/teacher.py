"""The teacher of a distilled run: a folder whose weights are known by their hash."""

import dataclasses
import hashlib
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from medjax import errors
from medjax.config.fields import Config
from medjax.core import widths as widths_lib
from medjax.data.graph import Graph
from medjax.kge import teaching
from medjax.report import cost
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path
from medjax.serve import loading
from medjax.serve.model import Model

DIGITS = 16  # of a hash


def weights_hash(model: Model) -> str:
  """Returns a hash of what a `Model` of one width scores by: its tables, its score and the affine map."""
  description = model.description
  digest = hashlib.sha256(
    repr(
      (
        description.score,
        sorted(description.constants.items()),
        model.width,
        description.offset[-1:],
        description.scale[-1:],
      )
    ).encode()
  )
  for table, leaves in sorted(model.params.items()):
    for name, leaf in sorted(leaves.items()):
      digest.update(f'{table}.{name}{leaf.shape}'.encode() + np.ascontiguousarray(leaf).tobytes())
  return digest.hexdigest()[:DIGITS]


def find(config: Config, workdir: Path) -> tuple[Config, Model | None]:
  """Returns (configuration with the teacher's hash and width, the teacher's `Model`); (config, None) without one.

  Raises:
    TeacherError: the folder holds another teacher than the one that the configuration names or the run began with,
      or one that the method cannot use.
    errors.ArtifactError, errors.CheckpointError: the folder holds no model.
  """
  settings = config.distill
  if not settings.method:
    return config, None
  if not pathlib.Path(settings.teacher).is_dir():
    raise errors.TeacherError(
      f'config.distill.teacher={settings.teacher!r}: there is no such folder; name the workdir of a trained model'
    )
  model, there = loading.load(settings.teacher), workdir_lib.read_config(workdir)
  found, expected = weights_hash(model), settings.teacher_hash or (there.distill.teacher_hash if there else '')
  if expected and found != expected:
    raise errors.TeacherError(
      f'config.distill.teacher={settings.teacher!r}: its weights have the hash {found}, but '
      f'{workdir} learns from those of hash {expected}; bring that teacher back, or name '
      'another --workdir'
    )
  if settings.method == 'dualde' and model.description.score != config.model.score:
    raise errors.TeacherError(
      f'config.distill.teacher={settings.teacher!r}: it is a {model.description.score} model, '
      f'and DualDE trains teacher and student under one score, here {config.model.score}'
    )
  settings = dataclasses.replace(settings, teacher_hash=found, teacher_width=model.width)
  return dataclasses.replace(config, distill=settings), model


def load_teacher(config: Config, model: Model | None, graph: Graph) -> teaching.Teacher | None:
  """Returns the `teaching.Teacher` of a run on a graph, or None without a model.

  Raises:
    TeacherError: the teacher was trained on other entities or relations.
  """
  if model is None:
    return None
  for kind in ('entities', 'relations'):
    if list(getattr(model.graph, kind)) != list(getattr(graph, kind)):
      raise errors.TeacherError(
        f'config.distill.teacher={config.distill.teacher!r}: its {kind} are not those of '
        f'{graph.name or "the graph"}; teach with a model of the same graph'
      )
  description = model.description
  widths = widths_lib.Widths((model.width,), model.widths.components, model.widths.block)
  return teaching.Teacher(
    jax.tree.map(jnp.asarray, model.params),
    jnp.float32(description.offset[-1]),
    jnp.float32(description.scale[-1]),
    description.make_score(),
    widths,
  )


def costs(config: Config, workdir: Path) -> dict[str, Any]:
  """Returns what a distilled run adds to its cost.json: its own hash, its teachers up to the first, their seconds."""
  if not config.distill.method:
    return {}
  source = cost.read(config.distill.teacher)
  nearest = {
    'folder': str(config.distill.teacher),
    'hash': config.distill.teacher_hash,
    'width': config.distill.teacher_width,
    'steps': source.get('steps', 0),
    'train_seconds': source.get('train_seconds', 0.0) + source.get('extraction_seconds', 0.0),
  }
  teachers = [nearest, *source.get('teacher', [])]
  return {
    'hash': weights_hash(loading.load(workdir)),
    'teacher': teachers,
    'teacher_seconds': round(sum(one['train_seconds'] for one in teachers), 1),
  }
