"""The two questions of a triple (head, relation, tail): for its tail, and for its head."""

from typing import Literal

Side = Literal['tail', 'head']
SIDES: tuple[Side, ...] = ('tail', 'head')


def columns(side: Side) -> tuple[int, int]:
  """Returns the columns of (the known entity, the asked entity) in triples [..., 3].

  >>> columns('tail'), columns('head')
  ((0, 2), (2, 0))

  Raises:
    ValueError: any other side.
  """
  if side not in SIDES:
    raise ValueError(f"side is {side!r}, but has to be 'tail' or 'head'.")
  return (0, 2) if side == 'tail' else (2, 0)
