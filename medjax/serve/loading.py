"""Loads a model from the folder of a run, or of a crop, with what its files say checked first."""

import pathlib
import sys
from typing import Any

import numpy as np

from medjax import errors
from medjax.core import memory, terminal
from medjax.data.graph import Graph
from medjax.saved import artifact, graph_files, manifest
from medjax.saved.files import Path
from medjax.serve import probability, vectors
from medjax.serve.model import Model

COPIES, FLOAT = 2, 4  # tables that questions need, and bytes of a number


def load(
  folder: Path,
  width: int | None = None,
  *,
  truncate_dim: int | None = None,
  dimensions: int | None = None,
  step: int | None = None,
) -> Model:
  """Loads a trained run or a cropped model.

  >>> medjax.load(folder).width, medjax.load(folder, truncate_dim=4).width
  (12, 4)

  Args:
    folder: a workdir or the output of a crop.
    width: a trained width; None is the full one. Of a run, only what this width needs is read.
    truncate_dim, dimensions: other names for `width`, as in sentence-transformers and embedding services.
    step: of a run, the checkpoint; None is the best by validation, else the latest.

  Returns:
    A `Model`.

  Raises:
    errors.ArtifactError, errors.CheckpointError: something is missing or damaged.
    errors.WidthError: a width that was not trained; the message names the nearest ones.
    errors.TooLarge: its tables fit into memory no more.
  """
  given = {value for value in (width, truncate_dim, dimensions) if value is not None}
  if len(given) > 1:
    raise errors.WidthError(f'width, truncate_dim and dimensions are one thing, but were given as {sorted(given)}')
  for value in given:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
      raise errors.WidthError(f'width {value!r} is no whole number')
  folder = pathlib.Path(folder).expanduser()
  manifest.check_there(folder, artifact.FILES)
  description = artifact.read_description(folder)
  graph = graph_files.read_graph(folder, description.source)
  wanted = given.pop() if given else description.widths[-1]
  check_memory(folder, description, graph, description.widths[-1] if (folder / artifact.WEIGHTS).exists() else wanted)
  if (folder / artifact.WEIGHTS).exists():
    params = artifact.read_params(folder)
    check_shapes(folder, description, graph, params)
    model = Model(description, params, graph, probability.read(folder))
    loaded = model if wanted == model.width else model.crop(wanted)
  else:
    from medjax.saved import restore  # loads Orbax and JAX

    loaded = Model(*restore.sub_model(folder, description, graph, wanted, step), graph, probability.read(folder))
  if manifest.read(folder) is None:
    terminal.say(manifest.unchecked(folder), file=sys.stderr)
  return loaded


def check_memory(folder: pathlib.Path, description: artifact.Description, graph: Graph, width: int) -> None:
  """Raises errors.TooLarge where tables of a width, read and laid out for questions, cannot fit into memory."""
  needed = COPIES * FLOAT * width * (graph.num_entities + graph.num_relations)
  few = ', '.join(map(str, description.widths[:3]))
  memory.check(needed, f'the model in {folder} at width {width}', f'Load a narrower width of a run, such as {few}')


def check_shapes(folder: pathlib.Path, description: artifact.Description, graph: Graph, params: dict[str, Any]) -> None:
  """Raises errors.ArtifactError unless the tables of a cropped model fit its description and vocabularies."""
  if not description.offset or not description.scale:
    raise errors.ArtifactError(f'{folder / "model.json"} lacks the offset or scale of its widths; crop or train anew')
  rows = {'entity': graph.num_entities, 'relation': graph.num_relations}
  if description.score in vectors.LEAVES:
    length = description.widths[-1] // description.make_widths().components
    like: dict[str, tuple[int, ...]] = {
      f'{table}.{name}': (rows[table], length)
      for table, names in zip(rows, vectors.LEAVES[description.score])
      for name in names
    }
  else:
    from medjax.serve import by_jax  # loads JAX

    like = by_jax.shapes(description, *rows.values())
  shapes = {f'{table}.{name}': tuple(leaf.shape) for table, leaves in params.items() for name, leaf in leaves.items()}
  if shapes != like:
    raise errors.ArtifactError(
      f'{folder / artifact.WEIGHTS} holds tables of shapes {shapes}, but '
      f'model.json, entities.tsv and relations.tsv call for {like}; '
      'crop or train anew'
    )
