"""The public surface: what is exported, that it is typed and told, and that the examples in docstrings are true."""

import ast
import doctest
import importlib
import pathlib

import pytest

import medjax

ROOT = pathlib.Path(__file__).parents[1]
FILES = sorted((ROOT / 'medjax').rglob('*.py'))


def name_of(path):
  return '.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__')


def public_functions(tree):
  """Yields (name, node) of the functions and methods that have no underscore."""
  for node in tree.body:
    if isinstance(node, ast.FunctionDef) and not node.name.startswith('_'):
      yield node.name, node
    if isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
      for inner in node.body:
        if isinstance(inner, ast.FunctionDef) and (not inner.name.startswith('_') or inner.name == '__init__'):
          yield f'{node.name}.{inner.name}', inner


def is_protocol(tree, name):
  of_class = next(
    (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name.split('.')[0]), None
  )
  return of_class is not None and any('Protocol' in ast.unparse(base) for base in of_class.bases)


def test_all_that_is_listed_is_there():
  assert set(medjax.__all__) == {
    *('train', 'Run', 'inspect', 'load', 'Model', 'evaluate', 'choose', 'calibrate', 'crop', 'extract', 'export'),
    *('hardware', 'published', 'verify', 'scores', 'objectives', 'errors'),
  }
  for name in medjax.__all__:
    assert getattr(medjax, name) is not None
  with pytest.raises(AttributeError, match='no attribute'):
    medjax.nothing  # noqa: B018


def test_every_public_function_has_types_and_a_docstring():
  lacking = []
  for path in FILES:
    tree = ast.parse(path.read_text())
    for name, node in public_functions(tree):
      given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
      bare = [each.arg for each in given if each.annotation is None and each.arg not in ('self', 'cls')]
      if bare or (node.returns is None and not name.endswith('__init__')):
        lacking.append(f'{name_of(path)}.{name}: {", ".join(bare) or "what it returns"} without a type')
      if not name.endswith('__init__') and not ast.get_docstring(node) and not is_protocol(tree, name):
        lacking.append(f'{name_of(path)}.{name}: no docstring')
  assert not lacking, '\n'.join(lacking)


def test_fields_of_public_records_have_types():
  for path in FILES:
    for node in ast.parse(path.read_text()).body:
      if isinstance(node, ast.ClassDef) and any('NamedTuple' in ast.unparse(base) for base in node.bases):
        plain = [each for each in node.body if isinstance(each, ast.Assign)]
        assert not plain, f'{name_of(path)}.{node.name}'


def test_examples_in_docstrings_are_true(trained):
  given, attempted = {'medjax': medjax, 'folder': str(trained)}, {}
  for path in FILES:
    if path.name != '__main__.py' and '>>> ' in path.read_text():
      result = doctest.testmod(importlib.import_module(name_of(path)), extraglobs=given, optionflags=doctest.ELLIPSIS)
      assert not result.failed, name_of(path)
      attempted[name_of(path)] = result.attempted
  assert len(attempted) >= 10 and sum(attempted.values()) >= 25, attempted
