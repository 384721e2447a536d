"""The weights of triples under evolutionary improvement, over the training.

For every checkpoint of a run: the scores of one fixed batch (the run's first one, with its size and negatives), the
weights that `objectives.triple_weights` gives them, and how evenly they lie: exp(entropy) / count, the effective
share. 1 means that all triples weigh the same, 1/count that one has all the weight. Where negatives compete within
their positive, their share is the mean over the positives.
"""

import pathlib

import jax
import jax.numpy as jnp
from jaxtyping import Float
import numpy as np
import pandas as pd

from medjax import errors, objectives
from medjax.config.fields import ObjectiveConfig
from medjax.kge import batches as batches_lib
from medjax.kge import loss as loss_lib
from medjax.kge import scoring
from medjax.report import metrics, plots, tables
from medjax.saved import artifact, graph_files, restore
from medjax.saved import files as files_lib
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path


def effective_share(
  weights: Float[np.ndarray, '...'], axis: int | tuple[int, ...], count: int
) -> Float[np.ndarray, '...']:
  """exp(entropy) / count of weights that sum to 1 over some axes."""
  return np.exp(-np.where(weights > 0, weights * np.log(np.maximum(weights, 1e-30)), 0).sum(axis)) / count


def strengths(folder: Path, step: int, objective: ObjectiveConfig) -> tuple[float, float]:
  """Returns (w1, w2) at a step: learned ones as metrics.jsonl has them last, else those of the configuration."""
  lines = [line for line in metrics.read(folder) if line['step'] <= step and 'w1' in line]
  return (lines[-1]['w1'], lines[-1]['w2']) if lines else (objective.w1, objective.w2)


def shares(folder: Path) -> pd.DataFrame:
  """Returns a DataFrame of step, width, positive_share, negative_share of a run's checkpoints.

  Raises:
    errors.NothingSaved: the folder is no run with checkpoints.
  """
  folder = pathlib.Path(folder)
  description, config = artifact.read_description(folder), workdir_lib.read_config(folder)
  steps = sorted(int(path.name) for path in (folder / 'checkpoints').glob('*') if path.name.isdigit())
  if config is None or not steps:
    raise errors.NothingSaved(f'{folder} has no checkpoints; train there, with --config.train.keep=20 to keep many')
  graph = graph_files.read_graph(folder, description.source)
  score, widths, train = description.make_score(), description.make_widths(), config.train
  batch = batches_lib.first_batch(train, graph)
  options = loss_lib.objective_options(config.objective)
  within = options.weigh_over == 'positive'

  @jax.jit
  def raw(params):
    rows = scoring.gather_rows(params, batch)
    return scoring.score_batch(scoring.by_width(score, widths), scoring.make_queries(score, rows), rows)

  frames = []
  for step in steps:
    part, params = restore.sub_model(folder, description, graph, widths.full, step)
    offset, scale = (jnp.asarray(x, jnp.float32) for x in (part.offset, part.scale))
    scores = tuple(
      jnp.expand_dims(offset, tuple(range(x.ndim - 1))) + jnp.expand_dims(scale, tuple(range(x.ndim - 1))) * x
      for x in raw(params)
    )
    positive, negative = map(
      np.asarray,
      objectives.triple_weights(
        scores, objectives.predecessors(scores), batch.valid, *strengths(folder, step, config.objective), options
      ),
    )
    count = train.negatives if within else train.batch * train.negatives
    # the weights of one positive's negatives add up to 1 / batch, so times batch they add up to 1
    negative = effective_share(negative * train.batch, 1, count) if within else effective_share(negative, (0, 1), count)
    frames.append(
      pd.DataFrame(
        {
          'step': step,
          'width': widths.values,
          'positive_share': effective_share(positive, 0, train.batch),
          'negative_share': negative.mean(0) if within else negative,
        }
      )
    )
  return pd.concat(frames, ignore_index=True)


def draw(folder: Path, path: Path) -> None:
  """Draws the effective shares over the steps, and writes them as a CSV beside the PNG."""
  frame = shares(folder)
  files_lib.write_text(pathlib.Path(path).with_suffix('.csv'), frame.round(6).to_csv(index=False))
  chosen = tables.few(sorted(frame['width'].unique().tolist()))
  with plots.panels(path, columns=2) as axes:
    for panel, name in zip(axes, ('positive', 'negative')):
      for i, width in enumerate(chosen):
        own = frame[frame['width'] == width]
        style = plots.look(i, len(chosen)) | {'markevery': max(1, len(own) // 8)}
        panel.plot(own['step'], own[f'{name}_share'], label=f'width {width}', **style)
      panel.set_ylim(0, 1.05)
      panel.set_xlabel('step')
      panel.set_ylabel(f'effective share of {name}s')
      panel.grid(alpha=0.3)
    axes[0].legend(fontsize=8, frameon=False, loc='lower left')
