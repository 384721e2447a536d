"""The scores by name: `make(name, constants)` builds one; a crop keeps its full model's constants.

Knows no files, no graph and no training. May import: errors, core.
"""

from collections.abc import Callable, Mapping
import difflib
import functools
from typing import Any

from medjax.scores import complex, distmult, pairre, reciprocal, rotate, simple, transe
from medjax.scores.contract import Score, score_triples

REGISTRY: dict[str, Callable[[Mapping[str, float]], Score]] = {
  'transe': transe.make,
  'transe_l2': functools.partial(transe.make, name='transe_l2', norm=2),
  'rotate': rotate.make,
  'pairre': pairre.make,
  'simple': simple.make,
  'distmult': distmult.make,
  'complex': complex.make,
  'distmult_reciprocal': functools.partial(reciprocal.make, plain=distmult.make),
  'complex_reciprocal': functools.partial(reciprocal.make, plain=complex.make),
}


def check_name(name: str) -> None:
  """Raises ValueError, with the nearest name, for a score that is not registered."""
  if name not in REGISTRY:
    near = difflib.get_close_matches(str(name), REGISTRY, n=1)
    hint = f'did you mean {near[0]!r}? ' if near else ''
    raise ValueError(f'unknown score {name!r}; {hint}known scores: {", ".join(sorted(REGISTRY))}')


def make(name: str, constants: Mapping[str, float]) -> Score:
  """Returns the score `name` with a trained model's constants.

  >>> score = make('complex', default_constants(gamma=6.0, width=40))
  >>> score.components, score.margin
  (2, False)
  >>> make('complexe', {})
  Traceback (most recent call last):
    ...
  ValueError: unknown score 'complexe'; did you mean 'complex'? known scores: ...
  """
  check_name(name)
  return _make(name, tuple(sorted(constants.items())))


@functools.lru_cache(maxsize=64)
def _make(name: str, constants: tuple[tuple[str, Any], ...]) -> Score:
  # one record per score and constants, so that programs compiled for it are found again
  return REGISTRY[name](dict(constants))


def default_constants(gamma: float, width: int, phase_scale: float = 0.0) -> dict[str, float]:
  """Constants of a new model of full `width`.

  Initial values are bounded by (gamma + 2) / width (RotatE's code has the number of components there), and of standard
  deviation 0.1 for the scores without a margin. A unit of a stored phase is `phase_scale` radians, or if that is 0,
  width / 10, since the learning rate that suits the entities falls as 1 / width.
  """
  return {'init_range': (gamma + 2.0) / width, 'init_scale': 0.1, 'phase_scale': phase_scale or 0.1 * width}


__all__ = ['REGISTRY', 'Score', 'check_name', 'default_constants', 'make', 'score_triples']
