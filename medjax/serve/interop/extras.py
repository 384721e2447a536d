"""Packages that only some formats need, imported when they are used."""

import importlib
from typing import Any

from medjax import errors

EXTRAS = {  # {module: the extra that installs it}
  'pyarrow': 'parquet',
  'pyarrow.parquet': 'parquet',
  'faiss': 'faiss',
  'usearch.index': 'usearch',
  'hnswlib': 'hnswlib',
  'huggingface_hub': 'hub',
  'altair': 'page',
  'vl_convert': 'page',
  'jinja2': 'page',
}


def need(module: str) -> Any:
  """Returns a module; raises errors.FormatError, which names the extra, where it is not installed."""
  try:
    return importlib.import_module(module)
  except ImportError:
    raise errors.FormatError(
      f"this format needs {module.partition('.')[0]}: pip install 'medjax[{EXTRAS[module]}]'"
    ) from None
