"""Where sub-models agree: their gradients on the components that they share.

For a run's last checkpoint and its first batch: the gradient of every shown sub-model's own loss with respect to the
embeddings of the batch, cut into the blocks between the shown widths. A cell is the cosine between one sub-model's
gradient on a block and the sum of the others' on it: 1 where all want the same, -1 where it stands against them.
"""

import pathlib

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np
import pandas as pd

from medjax import errors
from medjax.config.fields import Config
from medjax.core.widths import Widths
from medjax.kge import batches as batches_lib
from medjax.kge import loss as loss_lib
from medjax.kge import scoring
from medjax.report import plots, tables
from medjax.saved import artifact, graph_files, restore
from medjax.saved import files as files_lib
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path


def agreement(folder: Path) -> pd.DataFrame:
  """Returns a DataFrame of width, first, last (components of the block) and cosine.

  Raises:
    errors.NothingSaved: the folder is no run of several widths.
  """
  folder = pathlib.Path(folder)
  description, config = artifact.read_description(folder), workdir_lib.read_config(folder)
  if config is None or len(description.widths) < 2:
    raise errors.NothingSaved(f'{folder} is no run of several widths; their gradients cannot be compared')
  graph = graph_files.read_graph(folder, description.source)
  score, widths = description.make_score(), description.make_widths()
  batch = batches_lib.first_batch(config.train, graph, config.train.share_negatives)
  params = jax.tree.map(jnp.asarray, restore.sub_model(folder, description, graph, widths.full)[1])
  rows = scoring.gather_rows(params, batch)
  loss = loss_lib.make_loss(config, score, widths)
  own = jax.jit(jax.grad(lambda rows, i: loss(rows, learned(config, widths), batch, None)[1][i]))
  shown = tables.few(list(widths.values))
  grads = [own(rows, widths.values.index(width)) for width in shown]
  ends = [width // score.components for width in shown]
  found = []
  for start, end in zip([0, *ends], ends):
    cut = np.stack(
      [np.concatenate([np.asarray(leaf[..., start:end]).ravel() for leaf in jax.tree.leaves(grad)]) for grad in grads]
    )
    for i, width in enumerate(shown):
      if end <= ends[i]:
        found.append(
          {
            'width': width,
            'first': start * score.components,
            'last': end * score.components,
            'cosine': cosine(cut[i], cut.sum(0) - cut[i]),
          }
        )
  return pd.DataFrame(found).dropna()


def learned(config: Config, widths: Widths) -> dict[str, Array]:
  """Objective parameters as they are initialised: the shown losses are those of a run that does not learn them."""
  objective = {name: jnp.float32(getattr(config.objective, name)) for name in ('w1', 'w2', 'w3')}
  return objective | {'gamma': jnp.full(len(widths.values), config.model.gamma, jnp.float32)}


def cosine(a: Float[np.ndarray, ' n'], b: Float[np.ndarray, ' n']) -> float:
  """Cosine of two vectors, NaN if one is zero."""
  size = np.linalg.norm(a) * np.linalg.norm(b)
  return float(a @ b / size) if size else np.nan


def draw(folder: Path, path: Path) -> None:
  """Draws the cosines as a map of blocks and widths, and writes them as a CSV beside the PNG."""
  frame = agreement(folder)
  files_lib.write_text(pathlib.Path(path).with_suffix('.csv'), frame.round(6).to_csv(index=False))
  table = frame.assign(block=[f'{a} to {b}' for a, b in zip(frame['first'], frame['last'])]).pivot_table(
    index='block', columns='width', values='cosine', sort=False
  )
  with plots.panels(path, size=(6.0, 4.2)) as (axes,):
    axes.imshow(table, cmap='RdBu', vmin=-1, vmax=1, aspect='auto')
    for (row, column), value in np.ndenumerate(table.to_numpy()):
      if np.isfinite(value):
        axes.text(
          column,
          row,
          f'{value:.2f}',
          ha='center',
          va='center',
          fontsize=8,
          color='white' if abs(value) > 0.7 else 'black',
        )
    axes.set_xticks(range(len(table.columns)), table.columns)
    axes.set_yticks(range(len(table.index)), table.index)
    axes.set_xlabel('sub-model of width')
    axes.set_ylabel('numbers of the embeddings')
    axes.set_title("cosine of a gradient with the sum of the other sub-models'", fontsize=9)
