"""Graphs: reading, downloading, splitting, preparing, and what is known about their triples.

Knows neither JAX nor any configuration. May import: errors, core.
"""

from medjax.data.datasets import load
from medjax.data.registry import REGISTRY
from medjax.data.triples import Graph

__all__ = ['REGISTRY', 'Graph', 'load']
