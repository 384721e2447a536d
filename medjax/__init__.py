"""medjax: knowledge graph embeddings that are trained once and cropped to any width."""
__version__ = '0.1.0'
__all__ = ['Model', 'load']


def __getattr__(name):
  # loaded on first use, so that settings that come before JAX can be made by importing medjax.runtime
  if name in __all__:
    from medjax import model
    return getattr(model, name)
  raise AttributeError(f'module medjax has no attribute {name!r}')
