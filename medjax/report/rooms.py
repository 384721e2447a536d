"""The rooms of a package and which of them import which others, as a Mermaid graph made from the imports.

A room is a folder or a module directly below the package; the package's own name stands for its `__init__`. An arrow
that a longer path of arrows implies is left out, so that the picture stays readable.
"""

import ast
from collections.abc import Collection, Mapping
import graphlib
import importlib.util
import pathlib

Graph = dict[str, set[str]]  # {importer: what it imports}


def folder_of(package: str) -> pathlib.Path:
  """Returns the folder of a package that can be imported."""
  spec = importlib.util.find_spec(package)
  if spec is None or not spec.submodule_search_locations:
    raise ModuleNotFoundError(f'there is no package {package!r} to draw the rooms of')
  return pathlib.Path(spec.submodule_search_locations[0])


def modules(folder: pathlib.Path) -> dict[str, pathlib.Path]:
  """Returns {dotted name: file} of every module in a package's folder, sorted; an `__init__` has its package's name."""
  named = lambda path: '.'.join(path.relative_to(folder.parent).with_suffix('').parts).removesuffix('.__init__')
  return {named(path): path for path in sorted(folder.rglob('*.py'))}


def imported(path: pathlib.Path, known: Collection[str] = ()) -> set[str]:
  """Returns the dotted names of the modules that a file imports, wherever in it.

  Args:
    path: the file.
    known: modules; where a file says `from a import b` and a.b is one of them, a.b is returned, and else a.

  Raises:
    ValueError: a relative import, which would not say from where.
  """
  names: set[str] = set()
  for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
    if isinstance(node, ast.Import):
      names |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
      if node.level or node.module is None:
        raise ValueError(f'{path}, line {node.lineno}: a relative import; write the whole name')
      inner = {f'{node.module}.{alias.name}' for alias in node.names}
      names |= {name if name in known else node.module for name in inner}
  return names


def room_of(module: str) -> str:
  """Returns the room that a module belongs to: medjax.report.figures.curves to report, medjax itself to medjax."""
  return module.split('.')[1 if '.' in module else 0]


def graph(folder: pathlib.Path) -> Graph:
  """Returns {room: the other rooms that its modules import} of a package's folder."""
  found = modules(folder)
  rooms: Graph = {room_of(name): set() for name in found}
  for name, path in found.items():
    own = {other for other in imported(path, found) if other in found}
    rooms[room_of(name)] |= {room_of(other) for other in own} - {room_of(name)}
  return rooms


def reduced(rooms: Mapping[str, set[str]]) -> Graph:
  """Returns the graph without the arrows that a longer path implies; raises graphlib.CycleError for a circle."""
  below: Graph = {}  # {room: everything that it reaches}
  arrows: Graph = {}
  for room in graphlib.TopologicalSorter(rooms).static_order():  # a room comes after all that it imports
    further = {farther for other in rooms[room] for farther in below[other]}
    arrows[room] = rooms[room] - further
    below[room] = rooms[room] | further
  return arrows


def layers(rooms: Mapping[str, set[str]]) -> list[list[str]]:
  """Returns the rooms in layers, each sorted: the last import nothing, every other room is above what it imports."""
  sorter = graphlib.TopologicalSorter(rooms)
  found: list[list[str]] = []
  sorter.prepare()
  while sorter.is_active():
    ready = sorted(sorter.get_ready())
    found.append(ready)
    sorter.done(*ready)
  return found[::-1]


def mermaid(package: str) -> str:
  """Returns the Mermaid graph of a package's rooms as a fenced block; equal imports give equal text."""
  arrows = reduced(graph(folder_of(package)))
  pairs = [(room, other) for layer in layers(arrows) for room in layer for other in sorted(arrows[room])]
  alone = sorted(set(arrows) - {room for pair in pairs for room in pair})
  return '\n'.join(
    [
      '```mermaid',
      'graph TD',
      *(f'  {room} --> {other}' for room, other in pairs),
      *(f'  {room}' for room in alone),
      '```',
    ]
  )
