"""Graphs: reading, downloading, splitting, and what is known about their triples."""
from medjax.data.datasets import REGISTRY, load
from medjax.data.triples import DataError, Graph

__all__ = ['DataError', 'Graph', 'REGISTRY', 'load']
