"""How much the gradients of the sub-models repeat each other on the components that they share.

For checkpoints of a run and its first batch: the gradient of every sub-model's own loss with respect to the embeddings
of the batch, without mutual learning and regulariser. Of these are told: the cosine of neighbouring widths on the
components of the narrower one; on every block of components between two widths, how many of the gradients that reach it
count, n^2 / (sum of squared cosines), which is 1 if all point the same way and n if all are orthogonal; and the cosine
there between the sum of a sandwich's few gradients and the sum of all.
"""

import pathlib

import jax
import jax.numpy as jnp
from jaxtyping import Float, Float64
import numpy as np
import pandas as pd

from medjax import errors
from medjax.core import sub_models
from medjax.core.widths import Widths
from medjax.kge import batches as batches_lib
from medjax.kge import loss as loss_lib
from medjax.kge import scoring
from medjax.report import plots, tables
from medjax.report.figures import gradients
from medjax.saved import artifact, graph_files, restore
from medjax.saved import files as files_lib
from medjax.saved import workdir as workdir_lib
from medjax.saved.files import Path

SANDWICH = 8  # sub-models in the sum that stands for all
DRAWS = 32  # whose cosines are averaged


def products(grads: list[list[Float[np.ndarray, '... C']]], ends: list[int]) -> Float64[np.ndarray, 'blocks N N']:
  """Returns the inner products of gradients on every block of components, [blocks, N, N].

  Args:
    grads: the leaves of each of N gradients; the last axis is that of the components.
    ends: where the N blocks end.
  """
  found = []
  for start, end in zip([0, *ends], ends):
    cut = np.stack([np.concatenate([leaf[..., start:end].ravel() for leaf in leaves]) for leaves in grads])
    found.append(cut.astype(np.float64) @ cut.T)
  return np.stack(found)


def neighbours(gram: Float64[np.ndarray, 'N N N']) -> Float64[np.ndarray, ' N-1']:
  """Returns the cosine of sub-models i and i + 1 on the components of i, [N - 1]."""
  upto = gram.cumsum(0)
  i = np.arange(len(gram) - 1)
  return upto[i, i, i + 1] / np.sqrt(upto[i, i, i] * upto[i, i + 1, i + 1])


def counting(gram: Float64[np.ndarray, 'n n']) -> float:
  """Returns how many of n gradients with these inner products count.

  >>> counting(np.ones((3, 3))), counting(np.eye(3))
  (1.0, 3.0)
  """
  size = np.sqrt(np.diag(gram))
  return float(len(gram) ** 2 / np.sum((gram / np.outer(size, size)) ** 2))


def summed(gram: Float64[np.ndarray, 'N N'], chosen: Float[np.ndarray, ' N']) -> float:
  """Returns the cosine between the sum of the chosen gradients, 1 each, and the sum of all."""
  return float(chosen @ gram.sum(1) / np.sqrt((chosen @ gram @ chosen) * gram.sum()))


def table(gram: Float64[np.ndarray, 'N N N'], widths: Widths) -> pd.DataFrame:
  """Returns a DataFrame of width (where a block ends), neighbour, gradients, counting and sandwich."""
  size = len(gram)
  drawn = np.zeros((DRAWS, size))
  for i in range(DRAWS):
    drawn[i, np.asarray(sub_models.draw(jax.random.key(i), min(SANDWICH, size), size))] = 1
  return pd.DataFrame(
    {
      'width': widths.values,
      'neighbour': [*neighbours(gram), np.nan],
      'gradients': size - np.arange(size),
      'counting': [counting(block[i:, i:]) for i, block in enumerate(gram)],
      'sandwich': [np.mean([summed(block, chosen) for chosen in drawn]) for block in gram],
    }
  )


def tables_of_steps(folder: Path) -> pd.DataFrame:
  """Returns `table` of every checkpoint of a run but that of step 0, with a column step.

  Raises:
    errors.NothingSaved: the folder is no run of several widths, or has no checkpoints.
  """
  folder = pathlib.Path(folder)
  description, config = artifact.read_description(folder), workdir_lib.read_config(folder)
  steps = sorted(int(path.name) for path in (folder / 'checkpoints').glob('*') if path.name.isdigit())
  steps = [step for step in steps if step]
  if config is None or len(description.widths) < 2 or not steps:
    raise errors.NothingSaved(f'{folder} is no run of several widths with checkpoints; gradients cannot be compared')
  graph = graph_files.read_graph(folder, description.source)
  score, widths = description.make_score(), description.make_widths()
  batch = batches_lib.first_batch(config.train, graph, config.train.share_negatives)
  loss, learned = loss_lib.make_loss(config, score, widths), gradients.learned(config, widths)
  own = jax.jit(jax.grad(lambda rows, i: loss(rows, learned, batch, None)[1][i]))
  ends = [width // score.components for width in widths.values]
  frames = []
  for step in steps:
    params = jax.tree.map(jnp.asarray, restore.sub_model(folder, description, graph, widths.full, step)[1])
    rows = scoring.gather_rows(params, batch)
    grads = [list(map(np.asarray, jax.tree.leaves(own(rows, i)))) for i in range(len(ends))]
    frames.append(table(products(grads, ends), widths).assign(step=step))
  return pd.concat(frames, ignore_index=True)


def named(frame: pd.DataFrame) -> pd.DataFrame:
  """Returns `tables_of_steps` at the last step and the widths of `tables.few`, its columns named in words."""
  names = {
    'width': 'block ends at',
    'neighbour': 'cosine with the next width',
    'gradients': 'gradients that reach the block',
    'counting': 'of these count',
    'sandwich': f'cosine of the sum of {SANDWICH} and of all',
  }
  frame = frame[(frame['step'] == frame['step'].max()) & frame['width'].isin(tables.few(list(frame['width'].unique())))]
  return frame[list(names)].rename(columns=names)


def draw(folder: Path, path: Path) -> None:
  """Draws cosines and the number of gradients that count against width.

  Its numbers are written beside the PNG, as a CSV and, of few widths, as `-table.csv`.
  """
  path = pathlib.Path(path)
  frame = tables_of_steps(folder).round(4)
  files_lib.write_text(path.with_suffix('.csv'), frame.to_csv(index=False))
  files_lib.write_text(path.with_name(f'{path.stem}-table.csv'), named(frame).to_csv(index=False))
  show(frame, path)


def show(frame: pd.DataFrame, path: Path) -> None:
  """Draws `tables_of_steps`."""
  count = min(SANDWICH, len(frame['width'].unique()))
  with plots.panels(path, columns=2, size=(5.2, 4.0)) as axes:
    for i, (step, part) in enumerate(frame.groupby('step')):
      every = {'markevery': max(1, len(part) // 12)}
      one, other = plots.look(2 * i) | every, plots.look(2 * i + 1) | every
      axes[0].plot(part['width'], part['neighbour'], label=f'neighbouring widths, step {step}', **one)
      axes[0].plot(part['width'], part['sandwich'], label=f'sum of {count} and sum of all, step {step}', **other)
      axes[1].plot(part['width'], part['counting'], label=f'that count, step {step}', **one)
    axes[1].plot(part['width'], part['gradients'], color='#999999', label='that reach the block')
    axes[1].set_yscale('log')
    axes[1].yaxis.set_major_formatter('{x:g}')
    axes[0].set_ylabel('cosine of gradients')
    axes[1].set_ylabel('gradients on a block (number, log scale)')
    for panel in axes:
      plots.width_axis(panel, list(frame['width'].unique()))
    axes[0].legend(frameon=False, fontsize=8, loc='lower right')
    axes[1].legend(frameon=False, fontsize=8, loc='center left')
    axes[1].set_xlabel('width at which the block ends')
