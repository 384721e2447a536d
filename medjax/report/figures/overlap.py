"""What sub-models know in common: the queries that a narrow one answers and a wide one keeps."""

import pathlib

from jaxtyping import Float, Float64, Int
import numpy as np

from medjax import errors
from medjax.data import arrays
from medjax.report import plots, tables
from medjax.saved import files as files_lib
from medjax.saved.files import Path

TOP = 10  # a query is answered if the true entity is among so many
MOST = 8  # widths shown


def read_ranks(folder: Path) -> tuple[Float[np.ndarray, '2 Q N'], Int[np.ndarray, ' N']]:
  """Returns (ranks [2, Q, N], widths [N]) of results-ranks.npz; raises errors.NothingSaved where there is none."""
  path = pathlib.Path(folder) / 'results-ranks.npz'
  if not path.exists():
    raise errors.NothingSaved(f'{path} is missing; write it with --mode=evaluate --ranks --workdir={folder}')
  with files_lib.reading(path):
    saved = arrays.read_npz(path)
    return saved['ranks'], saved['widths']


def shares(
  ranks: Float[np.ndarray, '... N'], top: int = TOP
) -> tuple[Float64[np.ndarray, 'N N'], Float64[np.ndarray, 'N N']]:
  """Returns (kept [N, N], added [N, N]) of ranks [..., N].

  kept[i, j] is the share of the queries which width i answers that width j answers too (NaN if i answers none);
  added[i, j] the share of all queries that j answers and i does not.
  """
  right = (ranks <= top).reshape(-1, ranks.shape[-1]).astype(np.float64)
  both, own = right.T @ right, right.sum(0)
  with np.errstate(invalid='ignore'):
    return both / own[:, None], (own[None] - both) / len(right)


def draw(folder: Path, path: Path) -> None:
  """Draws both shares for up to `MOST` widths i < j of a run."""
  ranks, widths = read_ranks(folder)
  if len(widths) < 2:
    raise errors.NothingSaved(f'{folder} has one width; what sub-models share needs two')
  if not ranks.size:
    raise errors.NothingSaved(f'{folder}: there are {tables.NOTHING}, so there is nothing that sub-models share')
  chosen = np.unique(np.linspace(0, len(widths) - 1, min(MOST, len(widths))).round().astype(int))
  names = [str(width) for width in widths[chosen]]
  titles = (
    f'% of the queries i has in its top {TOP} that j keeps',
    f'% of all queries that j adds to the top {TOP} of i',
  )
  with plots.panels(path, columns=2, size=(4.9, 4.4)) as axes:
    for panel, values, title in zip(axes, shares(ranks[..., chosen]), titles):
      values = 100 * values[:-1, 1:]  # the widest has no wider one, the narrowest no narrower one
      above = np.triu(np.ones(values.shape, bool))
      known = values[above & ~np.isnan(values)]  # what a width keeps that answers nothing is no number
      low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
      # The greys reach beyond the values on both sides, so that none is white or black; where the values differ by less
      # than 1 %, all are about the same grey.
      spare = 0.4 * max(high - low, 1.0)
      panel.imshow(np.where(above, values, np.nan), cmap='Greys', vmin=low - spare / 2, vmax=high + spare)
      for i, j in zip(*np.nonzero(above)):
        dark = values[i, j] > (low + high + spare / 2) / 2
        text = '-' if np.isnan(values[i, j]) else f'{values[i, j]:.1f}'
        panel.text(j, i, text, ha='center', va='center', fontsize=9, color='w' if dark else 'k')
      panel.set_xticks(range(len(names) - 1), names[1:])
      panel.set_yticks(range(len(names) - 1), names[:-1])
      panel.set_xlabel('wider sub-model j (width)')
      panel.set_ylabel('narrower sub-model i (width)')
      panel.set_title(title, fontsize=10)
