"""Shows the examples of docstrings as code: an extension of griffe, named in mkdocs.yml."""

import re

import griffe

EXAMPLE = re.compile(r'^( *)>>> .*?(?=\n\s*\n|\Z)', re.DOTALL | re.MULTILINE)


def fenced(match):
  """An example, its whole paragraph, as a block of code, without what only the test of it reads."""
  shown = re.sub(r' *# doctest: .*', '', match[0])
  return f'{match[1]}```pycon\n{shown}\n{match[1]}```'


class Doctests(griffe.Extension):
  """Puts fences around examples."""

  def on_object(self, *, obj, **kwargs):
    """Changes the docstring of whatever was read."""
    if obj.docstring:
      obj.docstring.value = EXAMPLE.sub(fenced, obj.docstring.value)
