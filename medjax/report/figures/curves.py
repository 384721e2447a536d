"""Training curves: validation MRR and own loss of every width."""

import pathlib

from medjax import errors
from medjax.report import metrics, plots, tables
from medjax.saved.files import Path

LINES = (('valid_mrr_by_width', 'validation MRR'), ('width_loss', 'own loss'))


def series(folder: Path, name: str) -> dict[int, tuple[list[int], list[float]]]:
  """Returns {width: ([step], [value])} of what metrics.jsonl says of every width."""
  found: dict[int, tuple[list[int], list[float]]] = {}
  for line in metrics.read(folder):
    for width, value in line.get(name, {}).items():
      steps, values = found.setdefault(int(width), ([], []))
      steps.append(line['step'])
      values.append(value)
  return found


def draw(folder: Path, path: Path) -> None:
  """Draws a run's curves; widths are ordered from light to dark.

  Raises:
    errors.NothingSaved: the run has no metrics.
  """
  curves = [(label, found) for name, label in LINES if (found := series(folder, name))]
  if not curves:
    raise errors.NothingSaved(f'{pathlib.Path(folder) / "metrics.jsonl"} holds no curves; train in that folder first')
  with plots.panels(path, columns=len(curves)) as axes:
    for panel, (label, found) in zip(axes, curves):
      chosen = tables.few(sorted(found))
      for i, width in enumerate(chosen):
        steps, values = found[width]
        style = plots.look(i, len(chosen)) | {'markevery': max(1, len(steps) // 8)}
        panel.plot(steps, values, label=f'width {width}', **style)
      panel.set_xlabel('step')
      panel.set_ylabel(label)
      panel.grid(alpha=0.3)
      panel.legend(fontsize=8, frameon=False)
