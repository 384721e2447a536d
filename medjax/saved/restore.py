"""Models out of a workdir's checkpoints."""

import dataclasses
import pathlib

import jax
import numpy as np

from medjax.core import axes as axes_lib
from medjax.core import width_scale
from medjax.data.graph import Graph
from medjax.errors import ArtifactError
from medjax.saved import checkpoint
from medjax.saved import workdir as workdir_lib
from medjax.saved.artifact import Description, WEIGHTS
from medjax.saved.files import Path
from medjax.scores.contract import Params


def chosen_step(checkpoints: checkpoint.Checkpoints) -> int | None:
  """Returns the step a run is judged by: its best by validation, else its latest."""
  best = checkpoints.best
  return checkpoints.latest if best is None else best


def sub_model(
  workdir: Path, description: Description, graph: Graph, width: int, step: int | None = None
) -> tuple[Description, Params]:
  """Reads the sub-model of a trained width from a run.

  Args:
    workdir: the run.
    description: its `Description`.
    graph: its `data.Graph`.
    width: a trained width.
    step: the checkpoint; None is the best by validation, else the latest.

  Returns:
    (description with the affine maps, params as numpy arrays) of the sub-model.
  """
  config = workdir_lib.read_config(workdir)
  if config is None:
    raise ArtifactError(
      f'{pathlib.Path(workdir) / "config.json"} is missing, and so is {WEIGHTS}: {workdir} is neither a whole run nor '
      'a cropped model; restore the file from a copy'
    )
  widths, score = description.make_widths(), description.make_score()
  part = description.up_to(width)
  tables = jax.eval_shape(lambda: score.init(jax.random.key(0), graph.num_entities, graph.num_relations, widths.full))
  checkpoints = checkpoint.Checkpoints(
    pathlib.Path(workdir) / 'checkpoints', read_only=True, axes={'model': score.axes, 'objective': axes_lib.FIXED}
  )
  step = chosen_step(checkpoints) if step is None else step
  params = checkpoints.restore_params(
    {
      'model': axes_lib.crop_shapes(tables, score.axes, width),
      'objective': checkpoints.shapes(step).get('objective', {}),
    },
    step,
  )
  checkpoints.close()
  model = config.model
  offset, scale = width_scale.affine(
    score.margin,
    widths.values,
    params['objective'].get('gamma', model.gamma),
    model.width_scale,
    model.width_gamma,
    model.gamma_half,
    model.gamma_power,
  )
  length = len(part.widths)
  part = dataclasses.replace(
    part,
    offset=tuple(map(float, offset[:length])),
    scale=tuple(map(float, scale[:length])),
    unseen=config.eval.unseen,
    extra_widths=config.eval.extra_widths,
    candidates=config.eval.candidates,
  )
  return part, jax.tree.map(np.asarray, params['model'])
