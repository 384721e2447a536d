"""Graphs: reading, downloading, splitting, preparing, and what is known about their triples.

Knows neither JAX nor any configuration. May import: errors, core.
"""

import importlib
from typing import Any, TYPE_CHECKING

from medjax.data.graph import Graph

if TYPE_CHECKING:
  from medjax.data.datasets import load
  from medjax.data.registry import REGISTRY

__all__ = ['REGISTRY', 'Graph', 'load']

_HOMES = {'load': 'medjax.data.datasets', 'REGISTRY': 'medjax.data.registry'}


def __getattr__(name: str) -> Any:
  # loaded on first use: who only asks a model needs neither downloads nor pandas
  if name in _HOMES:
    return getattr(importlib.import_module(_HOMES[name]), name)
  raise AttributeError(f'module medjax.data has no attribute {name!r}')
