"""The names of the scores, and how many real numbers a component of each has: what a file of a model is checked by."""

import difflib

COMPONENTS = {  # real numbers per croppable component
  'transe': 1,
  'transe_l2': 1,
  'rotate': 2,
  'pairre': 1,
  'simple': 2,
  'distmult': 1,
  'complex': 2,
  'distmult_reciprocal': 1,
  'complex_reciprocal': 2,
}


def check_name(name: str) -> None:
  """Raises ValueError, with the nearest name, for a score that does not exist."""
  if name not in COMPONENTS:
    near = difflib.get_close_matches(str(name), COMPONENTS, n=1)
    hint = f'did you mean {near[0]!r}? ' if near else ''
    raise ValueError(f'unknown score {name!r}; {hint}known scores: {", ".join(sorted(COMPONENTS))}')


def components(name: str) -> int:
  """Returns the real numbers per component of a score; raises ValueError for one that does not exist.

  >>> components('complex'), components('transe')
  (2, 1)
  """
  check_name(name)
  return COMPONENTS[name]
