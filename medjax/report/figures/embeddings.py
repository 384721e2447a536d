"""The same entities at several widths, in two dimensions."""

import collections
from collections.abc import Sequence

from jaxtyping import Float, Float64, Int, Shaped
import numpy as np

from medjax import errors
from medjax.data.graph import Graph
from medjax.report import plots, tables
from medjax.saved.files import Path
from medjax.serve import loading
from medjax.serve.model import Model

GROUPS = 6  # kinds of entities shown
MEMBERS = 120  # entities of a kind, at most
PANELS = 4  # widths shown unless they are named
METHODS = ('pca', 'tsne')


def kinds(graph: Graph) -> Shaped[np.ndarray, ' E']:
  """Returns the kind of every entity, str [E], '' of those that the training triples do not name.

  A kind is a relation and a side of it, 'tail of borders': what stands for a type where a graph states none. Of an
  entity's several it is the one that it shares with the most entities.
  """
  uses: list[set[str]] = [set() for _ in graph.entities]
  for head, relation, tail in graph.train.tolist():
    uses[head].add(f'head of {graph.relation_labels[relation]}')
    uses[tail].add(f'tail of {graph.relation_labels[relation]}')
  common = collections.Counter(kind for use in uses for kind in use)
  return np.array([min(use, key=lambda kind: (-common[kind], kind)) if use else '' for use in uses])


def chosen_entities(names: Shaped[np.ndarray, ' E']) -> dict[str, Int[np.ndarray, ' members']]:
  """Returns {kind: ids} of the kinds with the most entities, evenly spaced ids of each."""
  counts = collections.Counter(name for name in names.tolist() if name)
  largest = sorted(counts, key=lambda name: (-counts[name], name))[:GROUPS]
  members = {name: np.flatnonzero(names == name) for name in largest}
  return {name: ids[np.linspace(0, len(ids) - 1, min(MEMBERS, len(ids))).astype(int)] for name, ids in members.items()}


def flat(model: Model, ids: Int[np.ndarray, ' n']) -> Float64[np.ndarray, 'n width']:
  """Returns the entities' rows, float64 [n, width]: the leaves of the table side by side."""
  return np.concatenate([np.asarray(leaf, np.float64)[ids] for leaf in model.params['entity'].values()], 1)


def pca(rows: Float[np.ndarray, 'n d']) -> Float[np.ndarray, 'n 2']:
  """Returns the first two principal components of rows [n, d], [n, 2]."""
  centred = rows - rows.mean(0)
  left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
  return np.pad(left[:, :2] * sizes[:2], ((0, 0), (0, max(0, 2 - len(sizes)))))


def tsne(rows: Float[np.ndarray, 'n d']) -> Float[np.ndarray, 'n 2']:
  """Returns a t-SNE layout [n, 2] that starts from the principal components; needs scikit-learn."""
  try:
    from sklearn import manifold
  except ImportError:
    raise errors.NothingSaved("t-SNE needs scikit-learn: pip install 'medjax[figures]', or use --method=pca") from None
  perplexity = min(30.0, (len(rows) - 1) / 3)
  return manifold.TSNE(2, perplexity=perplexity, init='pca', random_state=0).fit_transform(rows)


def turned(layout: Float[np.ndarray, 'n 2'], onto: Float[np.ndarray, 'n 2']) -> Float[np.ndarray, 'n 2']:
  """Rotates, mirrors and scales a layout [n, 2] onto another, so that panels can be compared (Procrustes)."""
  layout, onto = (x - x.mean(0) for x in (layout, onto))
  layout, onto = (x / max(np.linalg.norm(x), 1e-12) for x in (layout, onto))
  left, _, right = np.linalg.svd(layout.T @ onto)
  return layout @ left @ right


def draw(folder: Path, path: Path, widths: Sequence[int] | None = None, method: str = 'pca') -> None:
  """Draws the entities of a model's largest kinds at some widths.

  Args:
    folder: a run or cropped model.
    path: the PNG to write.
    widths: trained widths; None are up to four of them, up to the widest.
    method: 'pca' or 'tsne'.

  Raises:
    errors.WidthError, errors.ArtifactError: see `serve.loading.load`.
  """
  model = loading.load(folder)
  named = tables.few(list(model.widths.values))
  widths = widths or [named[i] for i in np.unique(np.linspace(0, len(named) - 1, PANELS).round().astype(int))]
  groups = chosen_entities(kinds(model.graph))
  ids, ends = np.concatenate(list(groups.values())), np.cumsum([0, *map(len, groups.values())])
  project = {'pca': pca, 'tsne': tsne}[method]
  layouts = [project(flat(model.crop(width), ids)) for width in widths]
  with plots.panels(path, columns=len(widths), size=(3.2, 3.5)) as axes:
    for panel, layout, width in zip(axes, layouts, widths):
      points = turned(layout, layouts[-1])
      for i, name in enumerate(groups):
        style = plots.look(i) | {'linestyle': '', 'markersize': 3.5, 'markeredgewidth': 0.6}
        panel.plot(
          *points[ends[i] : ends[i + 1]].T,
          label=name,
          alpha=0.75,
          markerfacecolor='none' if i % 2 else style['color'],
          **style,
        )
      panel.set_title(f'width {width}', fontsize=10)
      panel.set_xticks([])
      panel.set_yticks([])
      panel.set_aspect('equal', adjustable='datalim')
    axes[0].figure.legend(
      *axes[0].get_legend_handles_labels(),
      loc='outside lower center',
      ncols=min(3, len(groups)),
      fontsize=8,
      frameon=False,
      markerscale=1.6,
    )
